import type { Connector, SecretReference } from './connector/connector.ts'
import type { EventMetric, FleetMetric, RunMetric } from './metrics.ts'
import type { LakeRecord } from './record/record.ts'
import type { Result } from './result.ts'
import type { Notification } from './status/notifications.ts'
import type { Outage } from './status/outage.ts'
import type { ConnectorStatus } from './status/status.ts'
import type { SeenHash, SeenMark, SeenPage } from './stream/seen-ids.ts'
import type { Interval, StreamId, StreamState } from './stream/stream.ts'
import type { Instant } from './time.ts'
import type { TokenBucket } from './token-bucket.ts'
import type { VendorRequest, VendorResponse } from './vendor.ts'

/** The world as flows see it: types only. Each has an adapter in `adapters/` and a fake in `simulation/fakes/`, and one contract test for both. */

export interface Clock {
  now(): Instant
  /** Returns when `now()` ≥ `at`, never earlier; at once when `at` has passed. */
  sleepUntil(at: Instant): Promise<void>
}

/** The vendor's side of the wire. */
export interface Source {
  /**
   * One GET with the key as bearer token: no redirects, bounded in time (30 s) and size, TLS as the connector says.
   * Fails with a code of the catalogue; never throws for what the network or the vendor does.
   */
  fetch(
    request: VendorRequest,
    apiKey: string,
    connector: Pick<Connector, 'baseUrl' | 'disableTlsVerification' | 'tlsCaPem'>,
  ): Promise<Result<VendorResponse>>
}

/** The way to the lake. */
export interface Sink {
  /**
   * Resolves when every record is acknowledged. Fails with `sink-throttled` or `sink-failed`; then some of the records may
   * have been delivered all the same. A record too large is sent with its `raw` compressed.
   */
  deliver(records: readonly LakeRecord[]): Promise<Result<void>>
}

export interface Secret {
  readonly apiKey: string
  /** When this version of the secret was stored; absent where the service does not say. */
  readonly storedAt?: Instant
}

export interface Secrets {
  /**
   * Fails with `secret-missing`, `secret-unreadable` or `secret-malformed`; no message holds the value. Answers from a cache of
   * an hour unless `bypassCache`.
   */
  read(reference: SecretReference, options?: { readonly bypassCache?: boolean }): Promise<Result<Secret>>
}

/** The customer's table: read only. */
export interface Connectors {
  /** Items as users wrote them, as plain JSON; a page at a time. */
  items(): AsyncIterable<Readonly<Record<string, unknown>>>
}

/** The work queue. */
export interface Queue {
  /** Asks for a run of this connector after `delaySeconds` (0 to 900, whole). */
  send(connectorId: string, delaySeconds: number): Promise<void>
}

export interface AcceptedConnector {
  readonly connector: Connector
  /** A digest of the item as the user wrote it, by which the hourly comparison finds what was missed. */
  readonly itemDigest: string
  readonly acceptedAt: Instant
  /** When each stream was first accepted. */
  readonly streamsSince: Readonly<Record<StreamId, Instant>>
  /** The last time it was switched on again, and since when it had been off. */
  readonly lastPause?: { readonly from: Instant; readonly to?: Instant }
  /** Set when the item was deleted. */
  readonly retiredAt?: Instant
}

/** `nextDueAt`, alone and small. */
export interface Due {
  readonly nextDueAt: Instant
  /** Somebody wants every stream read beyond this instant: acceptance, "run now". */
  readonly wantedTo: Instant
}

/** Who uses a key: held against each other to find one key under two tenants, and the lowest limit. */
export interface KeyUser {
  readonly connectorId: string
  readonly tenantName: string
  readonly sharedKey: boolean
  readonly requestsPerMinute: number
  readonly requestsPerDay?: number
  /** Forgotten after this. */
  readonly until: Instant
}

/** What a run begins with. */
export interface RunState {
  readonly accepted?: AcceptedConnector
  readonly due?: Due
  readonly status?: ConnectorStatus
  readonly streams: ReadonlyMap<StreamId, StreamState>
}

/** A status as written, and as it was before. */
export interface StatusUpdate {
  readonly before?: ConnectorStatus
  readonly after: ConnectorStatus
}

/**
 * The state table is one adapter, and a flow asks for the stores that it needs of it. Reads are strongly consistent, but for the
 * listings. A conditional write answers `false` when its condition does not hold, and has then written nothing. Every other trouble
 * throws: `StateUnavailable`, or `NewerSchema` for an item that a newer release wrote.
 */
export interface RunStore {
  readRun(connectorId: string): Promise<RunState>
}

export interface AcceptedStore {
  readAccepted(connectorId: string): Promise<AcceptedConnector | undefined>
  /** All accepted connectors and tombstones, for the hourly comparison. */
  allAccepted(): AsyncIterable<AcceptedConnector>
  /**
   * Writes if nobody has since `before` was read (compared by `itemDigest`, `acceptedAt` and `retiredAt`; absent: if there is none).
   * With a `retiredAt` it and its streams expire 4 days later, and the next checkpoint of a run under way is refused. Without one
   * they stay.
   */
  writeAccepted(accepted: AcceptedConnector, before: AcceptedConnector | undefined): Promise<boolean>
}

export interface DueStore {
  /** Connectors that are due before `until`, by the sharded index; eventually consistent. */
  dueBefore(until: Instant): AsyncIterable<{ readonly connectorId: string; readonly nextDueAt: Instant }>
  /** Sets `nextDueAt` to `next` if it is still `seen`. */
  claimDue(connectorId: string, seen: Instant, next: Instant): Promise<boolean>
  /** At the end of a run: sets `nextDueAt` to `next` if it is still `seen` or later than `next`. An earlier time stays. */
  setDue(connectorId: string, seen: Instant | undefined, next: Instant): Promise<boolean>
  /** Makes the connector due now, whatever was there, and asks for every stream up to `wantedTo`. */
  makeDue(connectorId: string, at: Instant, wantedTo: Instant): Promise<void>
  removeDue(connectorId: string): Promise<void>
}

export interface StatusStore {
  readStatus(connectorId: string): Promise<ConnectorStatus | undefined>
  /**
   * Writes what `update` makes of the status, if nobody wrote meanwhile; else `update` is called again with the newer status. Writes
   * and answers nothing when `update` answers nothing. A status `retired` expires 4 days after its `since`.
   */
  updateStatus(
    connectorId: string,
    update: (before: ConnectorStatus | undefined) => ConnectorStatus | undefined,
  ): Promise<StatusUpdate | undefined>
  /** All connectors by the sharded index `fleet`; eventually consistent. */
  fleet(): AsyncIterable<{ readonly connectorId: string; readonly status: ConnectorStatus }>
}

export interface OutageStore {
  /** Answers false when the outage of this origin is known already. */
  beginOutage(outage: Outage): Promise<boolean>
  outages(): Promise<readonly Outage[]>
  outageSent(outage: Outage): Promise<void>
  endOutage(outage: Outage): Promise<void>
}

export interface StreamStore {
  /** Writes `next` (whose version is `next.version`) if the stored version is still `next.version − 1` (0: if there is none). */
  writeStream(connectorId: string, stream: StreamId, next: StreamState): Promise<boolean>
}

export interface SeenIdStore {
  /** Seen ids of every stored page whose range overlaps `range`; `classes` as in `StreamState.seenClasses`. */
  readSeen(
    connectorId: string,
    stream: StreamId,
    range: Interval,
    classes: readonly number[],
    into: (hash: SeenHash, mark: SeenMark) => void,
  ): Promise<void>
  /** Never overwrites: a page that is there already stays. */
  writeSeen(connectorId: string, stream: StreamId, page: SeenPage): Promise<void>
}

export interface TokenStore {
  readTokens(bucket: string): Promise<TokenBucket | undefined>
  /** As `writeStream`. */
  writeTokens(bucket: string, next: TokenBucket): Promise<boolean>
}

export interface KeyUserStore {
  /** Everybody who uses the key, `user` included. `user` is written only where it says something new. */
  registerKeyUser(bucket: string, user: KeyUser, now: Instant): Promise<readonly KeyUser[]>
  forgetKeyUser(bucket: string, connectorId: string): Promise<void>
  /** The key of the keyed hash that fingerprints API keys: made once, from `candidate`, and never changed. Hex. */
  fingerprintKey(candidate: string): Promise<string>
}

/** One line of the log: what happened, to whom. No secret ever gets into one. */
export interface LogEntry {
  readonly level: 'debug' | 'info' | 'warn' | 'error'
  readonly event: string
  readonly message: string
  readonly connectorId?: string
  readonly stream?: StreamId
  readonly [detail: string]: unknown
}

export type Log = (entry: LogEntry) => void

/** The event bus: what happened to a connector or a vendor, for whoever wants to know. */
export interface Bus {
  /** Resolves when every notification was taken; throws otherwise, and then some may have been. */
  put(notifications: readonly Notification[]): Promise<void>
}

/** Figures of one moment. The id of the connector goes with them and is no dimension of theirs. */
export type MetricValues =
  | { readonly vendor: string; readonly event: string; readonly connectorId: string; readonly values: Partial<Record<EventMetric, number>> }
  | { readonly vendor: string; readonly connectorId: string; readonly values: Partial<Record<RunMetric, number>> }
  | { readonly vendor: string; readonly values: Partial<Record<FleetMetric, number>> }

export type PublishMetrics = (metrics: MetricValues) => void
