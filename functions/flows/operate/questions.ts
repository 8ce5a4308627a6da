import type { Connector } from '../../domain/connector/connector.ts'
import { tenantOf } from '../../domain/connector/tenant.ts'
import type { KeyAnswer, OverviewRow, StreamAnswer } from '../../domain/operate/answers.ts'
import type { Refusal } from '../../domain/operate/operation.ts'
import type { RunState } from '../../domain/ports.ts'
import { failed, ok, type Result } from '../../domain/result.ts'
import { coverageOf } from '../../domain/status/coverage.ts'
import { newStatus } from '../../domain/status/status.ts'
import { statusRow, worse } from '../../domain/status/status-row.ts'
import { newStream } from '../../domain/stream/ledger.ts'
import type { Vendor } from '../../domain/vendor.ts'
import { digestItem } from '../item-digest.ts'
import type { Ask, AskPorts } from './carry.ts'
import { checkItem } from './changes/check-item.ts'

/** An answer has at most so many entries of the history (count). */
const entriesMax = 100
/** The beginning of a fingerprint tells two keys apart (characters). */
const fingerprintShown = 8
/** Other users of a key that are named at most (count). */
const usersNamed = 20

/** The rows of the connectors that the caller may see, those of one tenant, in one state, or with a text in their id or tenant. */
export const list: Ask<'list'> = async ({ state, clock, policy }, { tenant, state: wanted, find = '' }, caller) => {
  const now = clock.now()
  const text = find.toLowerCase()
  const accepted = new Map<string, Connector>()
  for await (const { connector, retiredAt } of state.allAccepted())
    if (retiredAt === undefined) accepted.set(connector.connectorId, connector)
  const rows: OverviewRow[] = []
  let total = 0
  for await (const { connectorId, status } of state.fleet()) {
    const row = { ...statusRow(connectorId, status, now), ...itemCells(accepted.get(connectorId), policy.vendors) }
    const owner = tenantOf({ connectorId, tenantName: status.tenantName ?? '' })
    if (caller.tenant !== 'all' && owner !== caller.tenant) continue
    total += 1
    const isFound = `${row.connectorId} ${row.name ?? ''} ${row.tenantName}`.toLowerCase().includes(text)
    if ((tenant === undefined || owner === tenant) && (wanted === undefined || row.state === wanted) && isFound) rows.push(row)
  }
  return ok({ asOf: now, rows: rows.sort(worse), total })
}

/** The cells that the connector itself fills. */
function itemCells(connector: Connector | undefined, vendors: ReadonlyMap<string, Vendor>): Partial<OverviewRow> {
  if (connector === undefined) return {}
  const { name, type, contentTypes, intervalMinutes } = connector
  const vendor = vendors.get(type)
  return {
    name,
    type: vendor?.title ?? type,
    ...(vendor === undefined ? {} : { category: vendor.category }),
    contentTypes: contentTypes.map((each) => vendor?.labels[each] ?? each),
    intervalMinutes,
  }
}

export const show: Ask<'show'> = async (ports, { connectorId }) => {
  const { clock, items, state, digest } = ports
  const [item, run] = await Promise.all([items.readItem(connectorId), state.readRun(connectorId)])
  const { status, accepted } = run
  if (status === undefined && item === undefined) return notFound(connectorId)
  const now = clock.now()
  return ok({
    asOf: now,
    row: statusRow(connectorId, status ?? newStatus(now), now),
    ...(item === undefined ? {} : { item, version: digestItem(digest, item) }),
    ...(accepted === undefined ? {} : { accepted: accepted.connector }),
    streams: streamsOf(run, ports),
    keys: await keysOf(ports, connectorId, run),
    ...(status?.lastFailure === undefined ? {} : { lastFailure: status.lastFailure }),
  })
}

export const history: Ask<'history'> = async ({ state, clock }, { connectorId, before = clock.now() + 1 }) =>
  ok({ entries: await state.history(connectorId, before, entriesMax) })

export const coverage: Ask<'coverage'> = async (ports, { connectorId }) => {
  const run = await ports.state.readRun(connectorId)
  if (run.accepted === undefined) return notFound(connectorId)
  return ok({ asOf: ports.clock.now(), streams: streamsOf(run, ports).map(({ counts: _, trouble: __, ...covered }) => covered) })
}

/** Checks an item, and changes nothing. */
export const validate: Ask<'validate'> = async (ports, { item }) => {
  const checked = await checkItem(ports, item)
  return checked.ok ? ok({ connector: checked.value }) : checked
}

function notFound(connectorId: string): Result<never, Refusal> {
  return failed({ code: 'not-found', message: `There is no connector ${connectorId}. "list" names all of them.` })
}

/** The streams of the accepted connector. One that was never read is covered from its acceptance on, and nothing of it is read. */
function streamsOf({ accepted, streams }: RunState, { policy, clock }: AskPorts): readonly StreamAnswer[] {
  const wanted = accepted === undefined ? [] : (policy.vendors.get(accepted.connector.type)?.streams(accepted.connector) ?? [])
  return wanted.map((id) => {
    const stream = streams.get(id) ?? newStream(accepted?.streamsSince[id] ?? clock.now(), clock.now())
    const { lastReadAt, counts, trouble } = stream
    return {
      stream: id,
      ...coverageOf(stream, clock.now()),
      ...(lastReadAt === undefined ? {} : { lastReadAt }),
      counts,
      ...(trouble === undefined ? {} : { trouble }),
    }
  })
}

/** The keys, with the other connectors that use each: those of the same tenant by name, since another tenant's are none of its business. */
async function keysOf(
  { state, clock }: AskPorts,
  connectorId: string,
  { heldKeys, status, accepted }: RunState,
): Promise<readonly KeyAnswer[]> {
  const tenant = tenantOf({ connectorId, tenantName: accepted?.connector.tenantName ?? status?.tenantName ?? '' })
  return Promise.all(
    (heldKeys?.keys ?? []).map(async ({ reference, fingerprint }) => {
      const rejected = status?.rejectedKeys[fingerprint]
      const storedAt = status?.keysStoredAt?.[fingerprint]
      const others = (await state.keyUsers(fingerprint, clock.now())).filter((user) => user.connectorId !== connectorId)
      const own = others.filter((user) => tenantOf(user) === tenant)
      return {
        secret: reference,
        fingerprint: fingerprint.slice(0, fingerprintShown),
        ...(storedAt === undefined ? {} : { storedAt }),
        usedBy: own.slice(0, usersNamed).map((user) => user.connectorId),
        usedByOthers: others.length - own.length,
        ...(rejected === undefined ? {} : { rejected: { at: rejected.at, until: rejected.until } }),
      }
    }),
  )
}
