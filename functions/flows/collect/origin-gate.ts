import type { Connector } from '../../domain/connector/connector.ts'
import type { Failure } from '../../domain/failures.ts'
import * as origins from '../../domain/origin.ts'
import type { Clock, OriginStore, Source } from '../../domain/ports.ts'
import { type Instant, second } from '../../domain/time.ts'

export interface GatePorts {
  readonly clock: Clock
  readonly state: OriginStore
}

/** A run looks at the record again after this time (ms), because its responses must end a silence that began meanwhile. */
const readAgainAfterMs = 20 * second
/** Tries in a row that lose to other runs (count). Most writes make those of others needless. */
const writesMax = 50

/**
 * Whether a run may ask its origin. Each run tells what became of its requests. In a healthy run that costs one read: it writes only when a
 * request has no response, and when a response ends that.
 */
export class OriginGate {
  private readonly ports: GatePorts
  private readonly connector: Pick<Connector, 'connectorId' | 'type' | 'baseUrl'>
  private readonly holder: string
  private health: origins.OriginHealth | undefined
  private readAt: Instant

  static async open(ports: GatePorts, connector: Pick<Connector, 'connectorId' | 'type' | 'baseUrl'>, holder: string): Promise<OriginGate> {
    return new OriginGate(ports, connector, holder, await ports.state.readOrigin(connector.type, connector.baseUrl))
  }

  private constructor(
    ports: GatePorts,
    connector: Pick<Connector, 'connectorId' | 'type' | 'baseUrl'>,
    holder: string,
    health: origins.OriginHealth | undefined,
  ) {
    this.ports = ports
    this.connector = connector
    this.holder = holder
    this.health = health
    this.readAt = ports.clock.now()
  }

  /** Why the origin is down, if it is. */
  get outage(): Failure | undefined {
    return this.health?.down === undefined ? undefined : this.health.silence?.failure
  }

  /** Whether the run may not ask, not even for all. */
  get isShut(): boolean {
    return origins.mayAsk(this.health, this.connector.connectorId, this.ports.clock.now()) === 'leave'
  }

  /** When this run asks again after its probe, or after it found the origin down; undefined: at its connector's usual time. */
  get probeAgainAt(): Instant | undefined {
    if (this.health === undefined || !origins.isProber(this.health, this.holder)) return undefined
    return origins.nextProbeOf(this.health)
  }

  /**
   * Takes the turn of the next probe for a connector that may not ask, unless it is that of one that has not asked for longer. Returns when
   * it comes; undefined: not to this connector. `lastFailure`: that of the connector.
   */
  async takeTurn(lastFailure: (Failure & { readonly at: Instant }) | undefined): Promise<Instant | undefined> {
    const { connectorId } = this.connector
    const { clock } = this.ports
    const askedAt = lastFailure !== undefined && origins.isSilence(lastFailure) ? lastFailure.at : 0
    await this.record(() => origins.withTurn(this.health, { connectorId, askedAt }, clock.now()))
    return origins.turnOf(this.health, connectorId)
  }

  /** Claims the probe if the origin is down. Returns false if the run may not ask. */
  async enter(): Promise<boolean> {
    const { connector } = this
    const { clock } = this.ports
    for (let write = 0; write < writesMax; write++) {
      const may = origins.mayAsk(this.health, connector.connectorId, clock.now())
      if (may === 'ask') return true
      if (may === 'leave' || this.health === undefined) return false
      if (await this.write(origins.withProbe(this.health, this.holder, clock.now()))) return true
    }
    return false
  }

  /** The source, with what each of its responses and failures means for the origin. `keyOf`: the fingerprint of an API key. */
  watched(source: Source, keyOf: (apiKey: string) => string | undefined): Source {
    return {
      fetch: async (...args) => {
        const sentAt = this.ports.clock.now()
        const result = await source.fetch(...args)
        const key = keyOf(args[1])
        if (key === undefined || result === 'too-late') return result
        if (result.ok || origins.isResponse(result.failure)) await this.responded(key)
        else if (origins.isSilence(result.failure)) await this.unanswered({ key, sentAt, failure: result.failure })
        return result
      },
    }
  }

  private async responded(key: string): Promise<void> {
    const { clock } = this.ports
    if (clock.now() - this.readAt >= readAgainAfterMs) await this.read()
    await this.record(() => origins.afterResponse(this.health, key, clock.now()))
  }

  private unanswered(seen: origins.Unanswered): Promise<void> {
    return this.record(() => origins.afterSilence(this.health, seen, this.holder, this.ports.clock.now()))
  }

  /** Writes what `change` returns. If another run wrote meanwhile, `change` is asked again. */
  private async record(change: () => origins.OriginHealth | undefined): Promise<void> {
    for (let write = 0; write < writesMax; write++) {
      const next = change()
      if (next === undefined || (await this.write(next))) return
    }
  }

  private async write(next: origins.OriginHealth): Promise<boolean> {
    const { type, baseUrl } = this.connector
    if (!(await this.ports.state.writeOrigin(type, baseUrl, next))) {
      await this.read()
      return false
    }
    this.health = next
    return true
  }

  private async read(): Promise<void> {
    const { state, clock } = this.ports
    this.health = await state.readOrigin(this.connector.type, this.connector.baseUrl)
    this.readAt = clock.now()
  }
}
