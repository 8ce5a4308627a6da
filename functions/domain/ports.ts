import type { Connector, SecretReference } from './connector/connector.ts'
import type { HeldKeys, KeyClaims } from './connector/key-register.ts'
import type { Comparison, Tick } from './dispatch.ts'
import type { Failure } from './failures.ts'
import type { EventMetric, FleetMetric, RunMetric } from './metrics.ts'
import type { Caller, HistoryEntry, RequestOutcome } from './operate/operation.ts'
import type { ConnectorTest } from './operate/test/connector-test.ts'
import type { StoredTicket } from './operate/ticket.ts'
import type { OriginHealth } from './origin.ts'
import type { LakeRecord } from './record/record.ts'
import type { Result } from './result.ts'
import type { Notification } from './status/notifications.ts'
import type { Outage } from './status/outage.ts'
import type { ConnectorStatus } from './status/status.ts'
import type { SeenContent, SeenHash, SeenMark, SeenPage } from './stream/seen-ids.ts'
import type { Interval, StreamId, StreamState } from './stream/stream.ts'
import type { Instant } from './time.ts'
import type { TokenBucket } from './token-bucket.ts'
import type { VendorRequest, VendorResponse } from './vendor.ts'

/**
 * The ports: the outside world as flows see it, as types only. Each port has an adapter in `adapters/`, a fake in `simulation/fakes/`, and one
 * contract test that runs against both.
 */

export interface Clock {
  now(): Instant
  /** Resolves when `now()` ≥ `at`, never earlier; at once if `at` has passed. */
  sleepUntil(at: Instant): Promise<void>
}

/** The clock of this process against that of the state table. */
export interface OwnClock {
  /** How far this process is ahead of it at least (ms); negative: behind. 0 if it may be right, or nothing is known yet. */
  errorMs(): number
}

/** The vendor's side of the wire. */
export interface Source {
  /**
   * Sends one GET with the key as bearer token, at `sendBy` by the clock of this process or before: after that its tokens are no longer
   * valid. It goes to the connector's origin only, follows no redirect, is bounded in time (30 s) and size, and checks TLS as the connector says. A fault of the network or the
   * vendor is returned as a failure, never thrown. Returns `too-late` if it sent nothing because the process was frozen until then.
   * `memoryShare`: the part of the memory for one response that this one may take; 1 by default. Beyond it the response is `too-large`.
   */
  fetch(
    request: VendorRequest,
    apiKey: string,
    connector: Pick<Connector, 'connectorId' | 'type' | 'baseUrl' | 'disableTlsVerification' | 'tlsCaPem'>,
    sendBy: Instant,
    memoryShare?: number,
  ): Promise<Result<VendorResponse> | 'too-late'>
}

/** The way to the lake. */
export interface Sink {
  /**
   * Takes the records one after the other, once, before anything is sent, and keeps none: they need not exist at the same time. Resolves when
   * every record is acknowledged. Fails with `sink-throttled`, `sink-failed` or `record-refused`, and says which records were acknowledged, by
   * their numbers from 0; others may be in the lake all the same. A record that is too large is sent with its `raw` compressed.
   * `detail`: how little of a record may be sent if the lake refuses it whole. The others are sent whole.
   */
  deliver(records: Iterable<LakeRecord>, detail?: RecordDetail): Promise<Delivery>
}

/** The way to the lake, for the Test of a connector. */
export interface LakeCheck {
  /**
   * Sends one line that is no record. It fails as `deliver` does. The line names no connector and no tenant, and has no `id`: every view
   * leaves out a line without one, so it changes no count.
   */
  takeLine(): Promise<Result<void>>
}

/** `whole`: all of it. `cut`: long texts and `raw` keep their beginning. `bare`: the required fields alone, cut. */
export type RecordDetail = 'whole' | 'cut' | 'bare'

export type Delivery =
  | Extract<Result<void>, { readonly ok: true }>
  | { readonly ok: false; readonly failure: Failure; readonly acknowledged?: ReadonlySet<number> }

export interface Secret {
  readonly apiKey: string
  /** When this version of the secret was stored; absent where the service does not say. */
  readonly storedAt?: Instant
}

/** The API keys in Secrets Manager. */
export interface Secrets {
  /**
   * Fails with `secret-missing`, `secret-unreadable` or `secret-malformed`; no message contains the value. A value that was read
   * within the last hour comes from a cache, unless `bypassCache`.
   */
  read(reference: SecretReference, options?: { readonly bypassCache?: boolean }): Promise<Result<Secret>>
}

/** The connectors table, which belongs to the customer and is only read. */
export interface Connectors {
  /** Every item as its user wrote it, as plain JSON. One page is read at a time. */
  items(): AsyncIterable<Readonly<Record<string, unknown>>>
}

/** The connectors table, as operations change it. */
export interface ConnectorItems {
  /** Strongly consistent. The item as its user wrote it, as plain JSON; undefined if there is none. */
  readItem(connectorId: string): Promise<Readonly<Record<string, unknown>> | undefined>
  /**
   * Stores `item` in place of `before`, which `readItem` returned; without `before` if there is none. Returns false, and writes nothing, if
   * somebody else has written meanwhile. A throttled or failed table throws the error of the SDK.
   */
  writeItem(item: Readonly<Record<string, unknown>>, before: Readonly<Record<string, unknown>> | undefined): Promise<boolean>
  /** Deletes `before`, under the same condition. */
  deleteItem(before: Readonly<Record<string, unknown>>): Promise<boolean>
}

/** The work queue. */
export interface Queue {
  /**
   * Queues a run of this connector, to begin after `delaySeconds` (whole seconds, 0 to 900). `claim`: the due time that is stored when the
   * message is sent, which is the end of the claim if there is one. A run that finds another due time does nothing.
   */
  send(connectorId: string, delaySeconds: number, claim?: Instant): Promise<void>
}

/** A connector as it was last accepted, or, with `retiredAt`, the tombstone of a deleted one. */
export interface AcceptedConnector {
  readonly connector: Connector
  /** Digest of the item as the user wrote it. The hourly comparison finds missed edits by it. */
  readonly itemDigest: string
  readonly acceptedAt: Instant
  /** When each stream was first accepted. */
  readonly streamsSince: Readonly<Record<StreamId, Instant>>
  /** The last pause, from switched off to switched on again. Without `to` the connector is still off. */
  readonly lastPause?: { readonly from: Instant; readonly to?: Instant }
  /** Set when the item was deleted. */
  readonly retiredAt?: Instant
}

/** When a connector is due. A small item of its own, because it is written often. */
export interface Due {
  /** The end of the claim, while the connector is claimed. */
  readonly nextDueAt: Instant
  /** Set while the connector is claimed and no run has begun: when it was due. */
  readonly dueSince?: Instant
  /** Every stream is to be read up to this instant. Set by acceptance and by "run now". */
  readonly wantedTo: Instant
  /** The acceptance that it was made from. Absent: an earlier release made it. */
  readonly acceptedAt?: Instant
}

/** A connector that uses a key: it is accepted and enabled, and owns the key. The lowest limit of all users of one key counts. */
export interface KeyUser {
  readonly connectorId: string
  readonly tenantName: string
  readonly sharedKey: boolean
  readonly requestsPerMinute: number
  readonly requestsPerDay?: number
  /** The entry expires then. */
  readonly until: Instant
  /** The acceptance that it was made from. Absent: an earlier release made it. */
  readonly acceptedAt?: Instant
}

/** The stored state that a run begins with. */
export interface RunState {
  readonly accepted?: AcceptedConnector
  readonly due?: Due
  readonly status?: ConnectorStatus
  readonly heldKeys?: HeldKeys
  /** The streams as they were read last, with the empty reads that only the status has. */
  readonly streams: ReadonlyMap<StreamId, StreamState>
  /** As they are stored: those of the streams that were read since. */
  readonly saved?: ReadonlyMap<StreamId, StreamState>
}

/** A status after a write, and before it. */
export interface StatusUpdate {
  readonly before?: ConnectorStatus
  readonly after: ConnectorStatus
}

/**
 * One adapter, the state table, implements all stores, and a flow asks for the stores that it needs. Reads are strongly consistent,
 * except the listings. A conditional write returns `false` when its condition does not hold, and has then written nothing. Any other
 * trouble throws: `StateUnavailable`, or `NewerSchema` for an item that a newer release wrote.
 */
export interface RunStore {
  readRun(connectorId: string): Promise<RunState>
}

export interface AcceptedStore {
  readAccepted(connectorId: string): Promise<AcceptedConnector | undefined>
  /** All accepted connectors and tombstones, for the hourly comparison. */
  allAccepted(): AsyncIterable<AcceptedConnector>
  /**
   * Writes if the stored value is still `before` (compared by `itemDigest`, `acceptedAt` and `retiredAt`), or, without `before`, if
   * none is stored. With a `retiredAt`, the connector and its streams expire 4 days later, and a run under way cannot write its next
   * checkpoint. Without one they stay.
   */
  writeAccepted(accepted: AcceptedConnector, before: AcceptedConnector | undefined): Promise<boolean>
  /** Makes the streams expire or stay as `writeAccepted` does, if it broke off before that. */
  keepStreams(accepted: AcceptedConnector): Promise<void>
}

export interface DueStore {
  /** Connectors that are due before `until`, from the sharded index; eventually consistent. */
  dueBefore(until: Instant): AsyncIterable<{ readonly connectorId: string; readonly nextDueAt: Instant }>
  /** Sets `nextDueAt` to `next` if it is still `seen`, and `dueSince`, if it is given. */
  claimDue(connectorId: string, seen: Instant, next: Instant, dueSince?: Instant): Promise<boolean>
  /** Called at the beginning of a run. Ends its claim: sets `nextDueAt` to `next` if it is still `seen`, and forgets `dueSince`. */
  beginDue(connectorId: string, seen: Instant, next: Instant): Promise<boolean>
  readDue(connectorId: string): Promise<Due | undefined>
  /**
   * Called at the end of a run. Sets `nextDueAt` to `next` if it is still `seen` or later than `next`; an earlier time stays. With
   * `acceptedAt` it writes nothing over the due time of a later acceptance, and records its own.
   */
  setDue(connectorId: string, seen: Instant | undefined, next: Instant, acceptedAt?: Instant): Promise<boolean>
  /**
   * Makes the connector due at `at`, whatever was stored, and asks for every stream up to `wantedTo`. With `acceptedAt` it returns false
   * and writes nothing if a later acceptance made the stored one.
   */
  makeDue(connectorId: string, at: Instant, wantedTo: Instant, acceptedAt?: Instant): Promise<boolean>
  /** With `acceptedAt`: unless a later acceptance made it. */
  removeDue(connectorId: string, acceptedAt?: Instant): Promise<void>
  readTick(): Promise<Tick | undefined>
  /** Writes nothing and returns false if the tick that is stored is not of the instant `lastAt`, or there is one and `lastAt` is absent. */
  writeTick(tick: Tick, lastAt: Instant | undefined): Promise<boolean>
  readComparison(): Promise<Comparison | undefined>
  writeComparison(comparison: Comparison): Promise<void>
}

export interface StatusStore {
  readStatus(connectorId: string): Promise<ConnectorStatus | undefined>
  /**
   * Writes the status that `update` returns. If somebody else wrote meanwhile, `update` is called again with the newer status. When
   * `update` returns undefined, nothing is written and undefined is returned. A status in the state `retired` expires 4 days after its
   * `since`.
   */
  updateStatus(
    connectorId: string,
    update: (before: ConnectorStatus | undefined) => ConnectorStatus | undefined,
  ): Promise<StatusUpdate | undefined>
  /** The status of every connector, from the sharded index `fleet`; eventually consistent. */
  fleet(): AsyncIterable<{ readonly connectorId: string; readonly status: ConnectorStatus }>
}

export interface OutageStore {
  /** Returns false, and writes nothing, when an outage of this origin is already stored. */
  beginOutage(outage: Outage): Promise<boolean>
  outages(): Promise<readonly Outage[]>
  /** Records that the outage's notification is on the bus. */
  outageSent(outage: Outage): Promise<void>
  endOutage(outage: Outage): Promise<void>
}

export interface OriginStore {
  /** The health of an origin as its connectors saw it lately; undefined if nothing is wrong with it. */
  readOrigin(vendor: string, origin: string): Promise<OriginHealth | undefined>
  /** Conditional on the version, as `writeStream`. The record expires a day after its last write. */
  writeOrigin(vendor: string, origin: string, next: OriginHealth): Promise<boolean>
}

export interface StreamStore {
  /** Writes `next` if the stored version is still `next.version − 1` (0: if none is stored). */
  writeStream(connectorId: string, stream: StreamId, next: StreamState): Promise<boolean>
}

export type OnSeenId = (hash: SeenHash, mark: SeenMark, content?: SeenContent) => void

/** The ids of the events that were read lately, for deduplication. */
export interface SeenIdStore {
  /** Calls `into` for each seen id of every stored page whose range overlaps `range`. `classes`: as in `StreamState.seenClasses`. */
  readSeen(connectorId: string, stream: StreamId, range: Interval, classes: readonly number[], into: OnSeenId): Promise<void>
  /** Never overwrites: a page that is already stored stays. */
  writeSeen(connectorId: string, stream: StreamId, page: SeenPage): Promise<void>
}

/** The buckets of the rate limiter, one for each API key or rate group. */
export interface TokenStore {
  readTokens(bucket: string): Promise<TokenBucket | undefined>
  /** Conditional on the version, as `writeStream`. */
  writeTokens(bucket: string, next: TokenBucket): Promise<boolean>
}

/** The users of each key and of each rate group: connectors whose limits count there. */
export interface KeyUserStore {
  /** Every user whose entry has not expired at `now`. */
  keyUsers(bucket: string, now: Instant): Promise<readonly KeyUser[]>
  /** Returns false, and writes nothing, if a later acceptance of the connector made the stored entry. */
  writeKeyUser(bucket: string, user: KeyUser): Promise<boolean>
  /** Leaves an entry that a later acceptance made. */
  removeKeyUser(bucket: string, connectorId: string, acceptedAt: Instant): Promise<void>
  /** Returns the key (hex) of the keyed hash that fingerprints API keys. The first call stores `candidate`, and it never changes. */
  fingerprintKey(candidate: string): Promise<string>
  /** Whether any release has ever fingerprinted a key. */
  hasFingerprintKey(): Promise<boolean>
}

/** The owners of each key, and the keys of each connector. Both are conditional on their revision, as `writeStream` on its version. */
export interface KeyRegisterStore {
  /** Revision 0 if nobody has claimed the key. */
  readClaims(fingerprint: string): Promise<KeyClaims>
  /** A register without claims expires a day later. */
  writeClaims(fingerprint: string, next: KeyClaims): Promise<boolean>
  readHeldKeys(connectorId: string): Promise<HeldKeys | undefined>
  /** A record without keys expires as the tombstone of its connector does. */
  writeHeldKeys(connectorId: string, next: HeldKeys): Promise<boolean>
}

/** The origin of each secret, by its name: its keys go nowhere else. */
export interface SecretOriginStore {
  readSecretOrigin(secretName: string): Promise<string | undefined>
  /** Binds the secret to the origin for good, unless it is bound already. Returns the origin that it is bound to. */
  bindSecret(secretName: string, origin: string): Promise<string>
}

/** The changes that people made. */
export interface HistoryStore {
  /** Entries stay for 90 days. */
  addHistory(entry: HistoryEntry): Promise<void>
  /** The entries of a connector before `before`, the latest first, at most `max`. */
  history(connectorId: string, before: Instant, max: number): Promise<readonly HistoryEntry[]>
  /**
   * Returns undefined for the first call with this id, which then may carry out its change. A later call gets the outcome that
   * `endRequest` stored, or `running`. A first call without an outcome after a minute has broken off, and the next one is the first again. An
   * id is kept for a day.
   */
  beginRequest(requestId: string): Promise<RequestOutcome | 'running' | undefined>
  endRequest(requestId: string, outcome: RequestOutcome): Promise<void>
}

/** Tickets for changes that did not come from a command. Each is good once. */
export interface TicketStore {
  putTicket(ticket: StoredTicket): Promise<void>
  /** Uses the ticket up. Returns false, and changes nothing, if there is none that is bound to this, unused, and good after `at`. */
  redeemTicket(ticket: Pick<StoredTicket, 'hash' | 'boundTo'>, at: Instant): Promise<boolean>
}

/** The way of history entries to the lake, where they stay for good. */
export interface HistoryLake {
  /** Fails after some tries with `sink-throttled`, `sink-failed` or `record-refused`. After a failure the line may be in the lake all the same. */
  keep(entry: HistoryEntry): Promise<Result<void>>
}

/** Work that goes on after its request was answered. */
export interface Later {
  /** Calls `operate` with this payload in the name of the caller, and does not wait for it. Throws the errors of the SDK. */
  call(payload: Readonly<Record<string, unknown>>, caller: Caller): Promise<void>
}

/** The last Test of each connector, until somebody dismisses it. */
export interface TestStore {
  readTest(connectorId: string): Promise<ConnectorTest | undefined>
  /**
   * Writes `next` if the stored Test is still `before` (compared by `version` and `begunAt`), or, without `before`, if none is stored. It
   * expires 90 days after its last write.
   */
  writeTest(next: ConnectorTest, before: ConnectorTest | undefined): Promise<boolean>
  /** Removes the Test if it is still `before`. Otherwise it does nothing. */
  removeTest(before: ConnectorTest): Promise<void>
}

/** One line of the log. It never contains a secret. */
export interface LogEntry {
  readonly level: 'debug' | 'info' | 'warn' | 'error'
  readonly event: string
  readonly message: string
  readonly connectorId?: string
  readonly stream?: StreamId
  readonly [detail: string]: unknown
}

export type Log = (entry: LogEntry) => void

/** The event bus: it carries the notifications about connectors and vendors. */
export interface Bus {
  /** Resolves when the bus has accepted every notification. Otherwise it throws, and some may have been accepted. */
  put(notifications: readonly Notification[]): Promise<void>
}

/** Metric values of one moment. The connector's id is written beside them and is not a dimension. */
export type MetricValues =
  | { readonly vendor: string; readonly event: string; readonly connectorId: string; readonly values: Partial<Record<EventMetric, number>> }
  | { readonly vendor: string; readonly connectorId: string; readonly values: Partial<Record<RunMetric, number>> }
  | { readonly vendor: string; readonly values: Partial<Record<FleetMetric, number>> }

export type PublishMetrics = (metrics: MetricValues) => void
