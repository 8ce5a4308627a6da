import * as z from 'zod/mini'
import type { Connector, SecretReference } from '../../domain/connector/connector.ts'
import type { HeldKey, HeldKeys, KeyClaim, KeyClaims } from '../../domain/connector/key-register.ts'
import type { LogFilter } from '../../domain/connector/log-filters.ts'
import type { Comparison, Tick } from '../../domain/dispatch.ts'
import { type Failure, type FailureCode, failureCodes } from '../../domain/failures.ts'
import type { OriginHealth, Probe, Silence, SilentKey, Turn } from '../../domain/origin.ts'
import type { AcceptedConnector, Due, KeyUser } from '../../domain/ports.ts'
import type { Activity } from '../../domain/status/activity.ts'
import type { CatchUp } from '../../domain/status/catching-up.ts'
import { connectorStates, type StateChange } from '../../domain/status/connector-state.ts'
import type { Acknowledgement } from '../../domain/status/loss.ts'
import type { Outage } from '../../domain/status/outage.ts'
import type { ConnectorStatus, DayCounts } from '../../domain/status/status.ts'
import type { Changes } from '../../domain/stream/changes.ts'
import type { EmptyReads } from '../../domain/stream/empty-reads.ts'
import type { Interval, LostRange, Range, RangeKind, RequestedReread, StreamCounts, StreamState } from '../../domain/stream/stream.ts'
import type { TokenBucket } from '../../domain/token-bucket.ts'

/**
 * The schemas of the stored items. An attribute that a schema does not name is dropped when the item is read.
 *
 * Some stored names and values are older than the names in the code. They stay, because an earlier release may read and write the
 * same items during a deploy and after a rollback. Each schema maps them both ways: parse to read, `z.encode` to write.
 */

/** Every attribute of a type, optional ones too. A schema that forgets one would lose it without a word, so it must not compile. */
export type Shape<T> = { [K in keyof Required<T>]: z.ZodMiniType }

type Stored = Readonly<Record<string, unknown>>

/**
 * `storedNames`: the stored name of each attribute that has another name here. The item is checked by its stored names, so that a
 * message about it names what the table shows.
 */
function withStoredNames<S extends z.core.$ZodShape>(schema: z.ZodMiniObject<S>, storedNames: { readonly [Name in keyof S]?: string }) {
  const namesHere = new Map(Object.entries(storedNames).map(([name, stored]) => [stored, name]))
  const stored = new Map(Object.entries(storedNames))
  return z.codec(z.object(renamed(schema.shape, stored) as z.core.$ZodShape), z.custom<z.output<z.ZodMiniObject<S>>>(), {
    decode: (item) => renamed(item, namesHere) as z.output<z.ZodMiniObject<S>>,
    encode: (value) => renamed(value as Stored, stored),
  })
}

function renamed(item: Stored, names: ReadonlyMap<unknown, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(item).map(([name, value]) => [String(names.get(name) ?? name), value]))
}

/**
 * `storedValues`: the stored value of each value here. A value that only a newer release knows is read as `unknown`, so that an item of
 * that release does not stop this one.
 */
function storedAs<T extends string>(storedValues: Readonly<Record<T, string>>, unknown: T) {
  const values = Object.keys(storedValues) as T[]
  const valuesHere = new Map(values.map((value) => [storedValues[value], value]))
  return z.codec(z.string(), z.enum(values), {
    decode: (value) => valuesHere.get(value) ?? unknown,
    encode: (value) => storedValues[value as T],
  })
}

/** Numbers by their names as a list in the order of the names: a status is written often, and each KB of it costs twice. */
function asRow<Name extends string>(...names: readonly Name[]) {
  return z.codec(z.array(count).check(z.length(names.length)), z.custom<Readonly<Record<Name, number>>>(), {
    decode: (row) => Object.fromEntries(names.map((name, i) => [name, row[i]])) as Record<Name, number>,
    encode: (value) => names.map((name) => value[name]),
  })
}

function asThemselves<T extends string>(values: readonly T[]): Readonly<Record<T, T>> {
  return Object.fromEntries(values.map((value) => [value, value])) as Record<T, T>
}

/**
 * Failure codes that releases before 0.4.0 do not know, and refuse an item for. Each is stored as one that they know, with itself in an
 * attribute beside it, which they drop: `code: 'sink-failed', codeExactly: 'record-refused'`.
 */
const standIns: Readonly<Record<string, FailureCode>> = {
  'record-refused': 'sink-failed',
  'proxy-failed': 'unreachable',
  unknown: 'unexpected-status',
}

/** `names`: the attributes of the schema that hold failure codes. */
function withExactCodes<T>(schema: z.ZodMiniType<T, never> | z.ZodMiniType<T>, ...names: readonly string[]) {
  return z.codec(
    z.custom<Stored>((value) => typeof value === 'object' && value !== null),
    z.custom<T>(),
    {
      decode: (item, { issues }) => checked(z.safeParse(schema as z.ZodMiniType<T, unknown>, exactCodes(item, names)), issues),
      encode: (value, { issues }) =>
        standInCodes(checked(z.safeEncode(schema as z.ZodMiniType<T, unknown>, value), issues) as Stored, names),
    },
  )
}

/** Hands the issues of an inner schema on. They tell the outer one that an optional attribute is absent. */
function checked<T>(parsed: z.core.util.SafeParseResult<T>, issues: z.core.$ZodRawIssue[]): T {
  if (parsed.success) return parsed.data
  issues.push(...(parsed.error.issues as z.core.$ZodRawIssue[]))
  return z.NEVER
}

function exactCodes(item: Stored, names: readonly string[]): Stored {
  const exact = names.flatMap((name) => {
    const code = item[`${name}Exactly`]
    return typeof code === 'string' && code in standIns ? [[name, code] as const] : []
  })
  return exact.length === 0 ? item : { ...item, ...Object.fromEntries(exact) }
}

function standInCodes(stored: Stored, names: readonly string[]): Stored {
  const changed = names.flatMap((name) => {
    const code = stored?.[name]
    const standIn = typeof code === 'string' ? standIns[code] : undefined
    return standIn === undefined ? [] : [[name, standIn] as const, [`${name}Exactly`, code] as const]
  })
  return changed.length === 0 ? stored : { ...stored, ...Object.fromEntries(changed) }
}

const instant = z.number()
const text = z.string()
const count = z.number()
const optional = z.exactOptional

const interval = z.object({ from: instant, to: instant } satisfies Shape<Interval>)

const failureCode = storedAs<FailureCode>({ ...asThemselves(failureCodes), 'malformed-response': 'malformed-answer' }, 'unknown')

const failureShape = {
  code: failureCode,
  detail: text,
  status: optional(z.number()),
  traceId: optional(text),
  retryAfterMs: optional(z.number()),
} satisfies Shape<Failure>

export const failure = withExactCodes(z.object(failureShape), 'code')

const secretReference = z.object({ secretName: text, jsonKey: optional(text) } satisfies Shape<SecretReference>)

/** Checked here only by its shape: the filter was checked in full when the connector was accepted. */
const logFilter = z.custom<LogFilter>((value) => typeof value === 'object' && value !== null && 'name' in value, 'expected a log filter')

const connector = z.object({
  connectorId: text,
  type: text,
  name: text,
  tenantName: text,
  baseUrl: text,
  apiKeySecrets: z.array(secretReference),
  contentTypes: z.array(text),
  eventTypes: z.array(text),
  logFilters: z.array(logFilter),
  disableTlsVerification: z.boolean(),
  tlsCaPem: optional(text),
  enabled: z.boolean(),
  intervalMinutes: z.number(),
  requestsPerMinute: z.number(),
  requestsPerDay: optional(z.number()),
  rateGroup: optional(text),
  initialBackfillMinutes: z.number(),
  lateArrivalMinutes: z.number(),
  sharedKey: z.boolean(),
  sharedWith: z._default(z.array(text), []),
  identityIgnoredFields: z._default(z.array(text), []),
  note: optional(text),
  managedBy: optional(z.literal('file')),
} satisfies Shape<Connector>)

export const acceptedSchema: z.ZodMiniType<AcceptedConnector> = z.object({
  connector,
  itemDigest: text,
  acceptedAt: instant,
  streamsSince: z.record(text, instant),
  lastPause: optional(z.object({ from: instant, to: optional(instant) })),
  retiredAt: optional(instant),
} satisfies Shape<AcceptedConnector>)

export const dueSchema: z.ZodMiniType<Due> = z.object({
  nextDueAt: instant,
  dueSince: optional(instant),
  wantedTo: instant,
  acceptedAt: optional(instant),
} satisfies Shape<Due>)

export const tickSchema: z.ZodMiniType<Tick> = z.object({
  at: instant,
  waiting: count,
  begun: count,
  sentUntil: optional(instant),
} satisfies Shape<Tick>)

export const comparisonSchema: z.ZodMiniType<Comparison> = z.object({
  begunAt: optional(instant),
  completedAt: optional(instant),
  claimedAt: optional(instant),
} satisfies Shape<Comparison>)

const dayCounts = z.object({ delivered: count, filtered: count, requests: count, throttled: count } satisfies Shape<DayCounts>)

const state = storedAs(asThemselves(connectorStates), 'failing')

const stateChange = withExactCodes(
  z.object({
    from: state,
    to: state,
    reason: text,
    since: instant,
    cause: optional(failureCode),
    causeBefore: optional(failureCode),
    refusedEdit: optional(z.literal(true)),
  } satisfies Shape<StateChange>),
  'cause',
  'causeBefore',
)

export const statusSchema: z.ZodMiniType<ConnectorStatus, Stored> = withExactCodes(
  withStoredNames(
    z.object({
      state,
      reason: text,
      since: instant,
      cause: optional(failureCode),
      pendingChanges: optional(z.array(stateChange)),
      tenantName: optional(text),
      acceptedAt: optional(instant),
      vendor: optional(text),
      origin: optional(text),
      lastRunAt: optional(instant),
      lastSuccessAt: optional(instant),
      lagMs: optional(z.number()),
      retentionLeftMs: optional(z.number()),
      streamsBehind: optional(count),
      lostRanges: optional(count),
      lastLost: optional(interval),
      acknowledged: optional(
        z.object({ at: instant, note: text, lostRanges: count, says: optional(text) } satisfies Shape<Acknowledgement>),
      ),
      activity: optional(z.array(asRow<keyof Activity>('from', 'requests', 'delivered'))),
      catchUp: optional(z.object({ since: instant, lagMs: z.number() } satisfies Shape<CatchUp>)),
      emptyReads: optional(z.record(text, asRow<keyof EmptyReads>('version', 'reads', 'at', 'to', 'provenTo'))),
      test: optional(z.object({ progress: text, until: instant })),
      vendorClockMs: optional(z.number()),
      oldestKeyAt: optional(instant),
      keysStoredAt: optional(z.record(text, instant)),
      lastFailure: optional(withExactCodes(z.object({ ...failureShape, at: instant, stream: optional(text) }), 'code')),
      trouble: optional(z.object({ failure, attempts: count, until: instant })),
      nextTryAt: optional(instant),
      keys: optional(z.array(text)),
      rejectedKeys: z.record(text, z.object({ at: instant, until: instant, attempts: count })),
      problems: z.array(z.object({ path: text, message: text })),
      days: z.record(text, dayCounts),
      readSteps: count,
    } satisfies Shape<ConnectorStatus>),
    { retentionLeftMs: 'horizonInMs', lostRanges: 'holes', pendingChanges: 'changes', origin: 'site', readSteps: 'turns' },
  ),
  'cause',
)

export const outageSchema: z.ZodMiniType<Outage, Stored> = withExactCodes(
  withStoredNames(
    z.object({
      vendor: text,
      origin: text,
      since: instant,
      cause: failureCode,
      reason: text,
      sent: z.boolean(),
    } satisfies Shape<Outage>),
    { origin: 'site', sent: 'told' },
  ),
  'cause',
)

const silence = z.object({
  since: instant,
  lastAt: instant,
  failure,
  keys: z.array(z.object({ key: text, failures: count } satisfies Shape<SilentKey>)),
} satisfies Shape<Silence>)

export const originSchema: z.ZodMiniType<OriginHealth, Stored> = z.object({
  version: count,
  silence: optional(silence),
  responded: optional(z.object({ key: text, at: instant } satisfies Shape<NonNullable<OriginHealth['responded']>>)),
  down: optional(
    z.object({
      since: instant,
      probeFrom: instant,
      probe: z.object({ by: text, at: instant } satisfies Shape<Probe>),
      next: optional(z.object({ connectorId: text, askedAt: instant } satisfies Shape<Turn>)),
    } satisfies Shape<NonNullable<OriginHealth['down']>>),
  ),
} satisfies Shape<OriginHealth>)

const lostRange = z.extend(interval, {
  reason: storedAs<LostRange['reason']>({ 'retention-limit': 'horizon', paused: 'paused', unreadable: 'unreadable' }, 'unreadable'),
} satisfies Shape<Omit<LostRange, keyof Interval>>)

const range = z.extend(interval, {
  kind: storedAs<RangeKind>({ tail: 'tail', provisional: 'fresh', final: 'settling', reread: 'reread' }, 'provisional'),
  readSince: optional(instant),
  nextLink: optional(text),
  page: count,
  items: count,
  key: optional(text),
} satisfies Shape<Omit<Range, keyof Interval>>)

const streamCounts = z.object({
  pages: count,
  requests: count,
  throttled: count,
  fetched: count,
  delivered: count,
  filtered: count,
  alreadySeen: count,
  malformed: count,
  late: count,
  changed: z._default(count, 0),
  redacted: z._default(count, 0),
  byFilter: z.record(text, count),
} satisfies Shape<StreamCounts>)

export const streamSchema: z.ZodMiniType<StreamState, Stored> = withStoredNames(
  z.object({
    version: count,
    lease: optional(z.object({ holder: text, until: instant })),
    since: instant,
    covered: z.array(interval),
    lostRanges: z.array(lostRange),
    lostBefore: optional(z.object({ count, ms: z.number() })),
    range: optional(range),
    readThrough: instant,
    shownThrough: optional(instant),
    jumpedTo: optional(instant),
    widthMs: z.number(),
    pagesTarget: z.number(),
    paced: z.boolean(),
    skipped: optional(interval),
    givenUp: optional(z.object({ failure, count, since: optional(instant) })),
    hard: optional(z.array(z.extend(interval, { widthMs: z.number() }))),
    setAside: z.array(z.extend(interval, { until: instant })),
    reread: optional(interval),
    nextRereadAt: instant,
    rereadForKey: optional(z.literal(true)),
    rereadAsked: optional(z.enum(['new', 'redeliver'])),
    requestedRereads: optional(
      z.array(z.object({ from: instant, to: instant, redeliver: optional(z.literal(true)) } satisfies Shape<RequestedReread>)),
    ),
    origin: optional(text),
    keys: optional(z.array(text)),
    seenClasses: z.record(text, instant),
    trouble: optional(z.object({ failure, attempts: count, until: instant, since: instant })),
    lastReadAt: optional(instant),
    changes: optional(z.object({ again: count, changed: count, fields: z.array(text), rule: optional(text) } satisfies Shape<Changes>)),
    filtersOff: optional(z.array(text)),
    refusals: optional(count),
    counts: streamCounts,
  } satisfies Shape<StreamState>),
  { lostRanges: 'holes', range: 'slice', readThrough: 'freshTo' },
)

/** A bucket with its tokens as one text: see `token-text.ts`. */
export type StoredBucket = Omit<TokenBucket, 'tokens'> & { readonly tokens: string }

export const bucketSchema: z.ZodMiniType<StoredBucket, Stored> = withStoredNames(
  z.object({
    version: count,
    limit: count,
    perDay: optional(count),
    learnedLimit: count,
    closedUntil: instant,
    cutAt: instant,
    closureMs: z.number(),
    refusedLevel: optional(count),
    probeAt: instant,
    probeAfterMs: z.number(),
    raiseAt: instant,
    tokens: text,
    hours: z.record(text, count),
  } satisfies Shape<TokenBucket>),
  { learnedLimit: 'n' },
)

export const keyUserSchema: z.ZodMiniType<KeyUser> = z.object({
  connectorId: text,
  tenantName: text,
  sharedKey: z.boolean(),
  requestsPerMinute: z.number(),
  requestsPerDay: optional(z.number()),
  until: instant,
  acceptedAt: optional(instant),
} satisfies Shape<KeyUser>)

const keyClaim = z.object({
  connectorId: text,
  tenant: text,
  sharedWith: z.array(text),
  sharedKey: z.boolean(),
  acceptedAt: instant,
} satisfies Shape<KeyClaim>)

export const keyClaimsSchema: z.ZodMiniType<KeyClaims> = z.object({
  revision: count,
  claims: z.array(keyClaim),
} satisfies Shape<KeyClaims>)

export const heldKeysSchema: z.ZodMiniType<HeldKeys> = z.object({
  revision: count,
  acceptedAt: instant,
  keys: z.array(z.object({ reference: text, fingerprint: text } satisfies Shape<HeldKey>)),
  group: optional(text),
  leaving: z.array(text),
} satisfies Shape<HeldKeys>)
