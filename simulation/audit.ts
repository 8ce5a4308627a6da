import type { StateTable } from '../functions/adapters/state-table/state-table.ts'
import type { Connector } from '../functions/domain/connector/connector.ts'
import type { AcceptedConnector } from '../functions/domain/ports.ts'
import type { ConnectorStatus } from '../functions/domain/status/status.ts'
import * as intervals from '../functions/domain/stream/intervals.ts'
import type { Interval, StreamId, StreamState } from '../functions/domain/stream/stream.ts'
import { iso, minute } from '../functions/domain/time.ts'
import type { Vendor } from '../functions/domain/vendor.ts'
import { vendors } from '../functions/vendors/index.ts'
import { isStreamName, type StreamName } from '../local/simulator/catalogue.ts'
import { isThere, LiveAudit } from './live-audit.ts'
import type { World } from './world.ts'

/** The result of all looks at a world. */
export interface Audit {
  /** Events that a ledger called covered (count). */
  readonly expected: number
  /** Those of them that the lake lacked. */
  readonly missing: readonly string[]
  /** Events that the lake has more than once. */
  readonly twice: readonly string[]
  /** Live events that the lake lacked for too long after the vendor began to show them. */
  readonly old: readonly string[]
  /** Pairs of connectors of two tenants that used one key although one of them does not allow it. */
  readonly sharing: readonly string[]
  /** Streams whose counts did not add up at some look. */
  readonly unbalanced: readonly string[]
}

/** Without `takeWritten` each look reads every connector. */
type Audited = Pick<World, 'lake' | 'model' | 'clock' | 'secrets'> &
  Partial<Pick<World, 'takeWritten'>> & { readonly state: Pick<StateTable, 'allAccepted' | 'readRun'> }

/** Problems that are kept of each kind (count). */
const problemsMax = 1_000

/**
 * Compares the lake with the vendor's own account, for every accepted connector. The lake must have every event of each covered
 * interval that is late by no more than `lateArrivalMinutes`. A look checks only what became covered since the one before, so looks may be
 * frequent, and nothing is forgotten before somebody looked.
 */
export class Auditor {
  private readonly world: Audited
  /** By stream: the covered intervals that were looked at. */
  private readonly looked = new Map<StreamId, readonly Interval[]>()
  /** By connector: as it was last accepted. */
  private readonly accepted = new Map<string, AcceptedConnector>()
  private readonly live: LiveAudit
  private expected = 0
  private readonly missing: string[] = []
  private readonly sharing = new Set<string>()
  private readonly unbalanced = new Set<string>()

  constructor(world: Audited) {
    this.world = world
    this.live = new LiveAudit(world)
  }

  /** `quietSince`: since when no fault happens, if so. */
  async look(quietSince = Number.POSITIVE_INFINITY): Promise<void> {
    for (const connectorId of this.world.takeWritten?.() ?? (await this.everyId())) {
      const { accepted, streams } = await this.world.state.readRun(connectorId)
      if (accepted === undefined) continue
      this.accepted.set(connectorId, accepted)
      for (const [id, stream] of streams) this.lookAt(accepted, id, stream)
    }
    const users = new Map<string, Connector[]>()
    for (const accepted of this.accepted.values()) {
      const { connector, retiredAt } = accepted
      // Two tenants that name one key at the same moment may both be accepted. One owns the key, and the other one reads nothing.
      const isContested = this.isContested(connector)
      const status = isContested ? (await this.world.state.readRun(connector.connectorId)).status : undefined
      if (isDenied(status)) continue
      const isUser = !isContested || (status?.keys ?? []).length > 0
      if (retiredAt === undefined && connector.enabled && isUser) this.lookAtKeys(connector, users)
      const vendor = vendors.get(connector.type) as Vendor
      for (const id of vendor.streams(connector)) this.live.look(accepted, id, quietSince)
    }
  }

  private async everyId(): Promise<readonly string[]> {
    const ids: string[] = []
    for await (const { connector } of this.world.state.allAccepted()) ids.push(connector.connectorId)
    return ids
  }

  result(): Audit {
    const twice: string[] = []
    for (const [connectorId, inLake] of this.world.lake.byConnector) {
      for (const [id, count] of inLake) if (count > 1 && !this.world.lake.malformed.has(id)) twice.push(`${connectorId} ${id}`)
    }
    return {
      expected: this.expected,
      missing: this.missing,
      twice,
      old: [...this.live.old],
      sharing: [...this.sharing],
      unbalanced: [...this.unbalanced],
    }
  }

  /** Whether connectors of another tenant name one of its keys. */
  private isContested(connector: Connector): boolean {
    const keysOf = ({ apiKeySecrets }: Connector) => apiKeySecrets.map(({ secretName }) => this.world.secrets.values.get(secretName))
    const own = keysOf(connector)
    return [...this.accepted.values()].some(
      (other) => other.connector.tenantName !== connector.tenantName && keysOf(other.connector).some((key) => own.includes(key)),
    )
  }

  private lookAtKeys(connector: Connector, users: Map<string, Connector[]>): void {
    for (const { secretName } of connector.apiKeySecrets) {
      const apiKey = String(this.world.secrets.values.get(secretName))
      const others = users.get(apiKey) ?? []
      for (const other of others) {
        const areAllowed = other.tenantName === connector.tenantName || (other.sharedKey && connector.sharedKey)
        if (!areAllowed) this.sharing.add(`${other.connectorId} and ${connector.connectorId} use the key in ${secretName}`)
      }
      users.set(apiKey, [...others, connector])
    }
  }

  private lookAt(accepted: AcceptedConnector, id: StreamId, { covered, counts }: StreamState): void {
    const { connectorId } = accepted.connector
    if (!isStreamName(id)) throw new Error(`${id} is no stream of the simulator`)
    const { fetched, delivered, filtered, alreadySeen, changed } = counts
    if (delivered + filtered + alreadySeen !== fetched || changed > delivered + filtered)
      this.unbalanced.add(
        `${connectorId} ${id}: ${delivered} + ${filtered} + ${alreadySeen} is not ${fetched}, or ${changed} is more than the first two`,
      )
    const name = `${connectorId} ${id}`
    let looked = this.looked.get(name) ?? []
    for (const interval of covered) {
      for (const fresh of intervals.without(interval, looked)) this.check(accepted, id, fresh)
      looked = intervals.union(looked, interval)
    }
    this.looked.set(name, looked)
  }

  private check({ connector }: AcceptedConnector, stream: StreamName, { from, to }: Interval): void {
    const { lake, model } = this.world
    const inLake = lake.byConnector.get(connector.connectorId)
    for (const event of model.eventsVisible(stream, from, to, undefined, { lateMaxMs: connector.lateArrivalMinutes * minute })) {
      this.expected += 1
      if (!isThere(inLake, event) && this.missing.length < problemsMax)
        this.missing.push(`${connector.connectorId} ${stream} ${event.id} of ${iso(event.selected)}, visible from ${iso(event.visibleAt)}`)
    }
  }
}

/** Whether its key belongs to another tenant, as its status says. */
export function isDenied(status: ConnectorStatus | undefined): boolean {
  const isRefused =
    status?.state === 'refused' && status.problems.some(({ message }) => message.includes('of another tenant uses the API key'))
  return isRefused || status?.trouble?.failure.code === 'key-shared'
}

/** One look at all that is covered now. */
export async function audit({ lake, model, clock, secrets, state }: Audited): Promise<Audit> {
  const auditor = new Auditor({ lake, model, clock, secrets, state })
  await auditor.look()
  return auditor.result()
}
