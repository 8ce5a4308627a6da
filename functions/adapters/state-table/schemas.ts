import * as z from 'zod/mini'
import type { Connector, SecretReference } from '../../domain/connector/connector.ts'
import type { LogFilter } from '../../domain/connector/log-filters.ts'
import { type Failure, type FailureCode, failureCodes } from '../../domain/failures.ts'
import type { AcceptedConnector, Due, KeyUser } from '../../domain/ports.ts'
import { connectorStates, type StateChange } from '../../domain/status/connector-state.ts'
import type { Outage } from '../../domain/status/outage.ts'
import type { ConnectorStatus, DayCounts } from '../../domain/status/status.ts'
import type { Interval, LostRange, Range, StreamCounts, StreamState } from '../../domain/stream/stream.ts'
import type { TokenBucket } from '../../domain/token-bucket.ts'

/**
 * The schemas of the stored items. An attribute that a schema does not name is dropped when the item is read.
 *
 * Some stored names and values are older than the names in the code. They stay, because an earlier release may read and write the
 * same items during a deploy and after a rollback. Each schema maps them both ways: parse to read, `z.encode` to write.
 */

/** Every attribute of a type, optional ones too. A schema that forgets one would lose it without a word, so it must not compile. */
type Shape<T> = { [K in keyof Required<T>]: z.ZodMiniType }

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

/** `storedValues`: the stored value of each value here. */
function storedAs<T extends string>(storedValues: Readonly<Record<T, string>>) {
  const values = Object.keys(storedValues) as T[]
  const valuesHere = new Map(values.map((value) => [storedValues[value], value]))
  return z.codec(z.enum([...valuesHere.keys()]), z.enum(values), {
    decode: (value) => (valuesHere.get(value) ?? value) as T,
    encode: (value) => storedValues[value as T],
  })
}

const instant = z.number()
const text = z.string()
const count = z.number()
const optional = z.exactOptional

const interval = z.object({ from: instant, to: instant } satisfies Shape<Interval>)

const failureCode = storedAs<FailureCode>({
  ...(Object.fromEntries(failureCodes.map((code) => [code, code])) as Record<FailureCode, FailureCode>),
  'malformed-response': 'malformed-answer',
})

const failure = z.object({
  code: failureCode,
  detail: text,
  status: optional(z.number()),
  traceId: optional(text),
  retryAfterMs: optional(z.number()),
} satisfies Shape<Failure>)

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
} satisfies Shape<Connector>)

export const acceptedSchema: z.ZodMiniType<AcceptedConnector> = z.object({
  connector,
  itemDigest: text,
  acceptedAt: instant,
  streamsSince: z.record(text, instant),
  lastPause: optional(z.object({ from: instant, to: optional(instant) })),
  retiredAt: optional(instant),
} satisfies Shape<AcceptedConnector>)

export const dueSchema: z.ZodMiniType<Due> = z.object({ nextDueAt: instant, wantedTo: instant } satisfies Shape<Due>)

const dayCounts = z.object({ delivered: count, filtered: count, requests: count, throttled: count } satisfies Shape<DayCounts>)

const state = z.enum(connectorStates)

const stateChange = z.object({
  from: state,
  to: state,
  reason: text,
  since: instant,
  cause: optional(failureCode),
  causeBefore: optional(failureCode),
  refusedEdit: optional(z.literal(true)),
} satisfies Shape<StateChange>)

export const statusSchema: z.ZodMiniType<ConnectorStatus, Stored> = withStoredNames(
  z.object({
    state,
    reason: text,
    since: instant,
    cause: optional(failureCode),
    pendingChanges: optional(z.array(stateChange)),
    tenantName: optional(text),
    vendor: optional(text),
    origin: optional(text),
    lastRunAt: optional(instant),
    lastSuccessAt: optional(instant),
    lagMs: optional(z.number()),
    retentionLeftMs: optional(z.number()),
    streamsBehind: optional(count),
    lostRanges: optional(count),
    oldestKeyAt: optional(instant),
    lastFailure: optional(z.extend(failure, { at: instant, stream: optional(text) })),
    trouble: optional(z.object({ failure, attempts: count, until: instant })),
    keys: optional(z.array(text)),
    rejectedKeys: z.record(text, z.object({ at: instant, until: instant, attempts: count })),
    problems: z.array(z.object({ path: text, message: text })),
    days: z.record(text, dayCounts),
    readSteps: count,
  } satisfies Shape<ConnectorStatus>),
  { retentionLeftMs: 'horizonInMs', lostRanges: 'holes', pendingChanges: 'changes', origin: 'site', readSteps: 'turns' },
)

export const outageSchema: z.ZodMiniType<Outage, Stored> = withStoredNames(
  z.object({
    vendor: text,
    origin: text,
    since: instant,
    cause: failureCode,
    reason: text,
    sent: z.boolean(),
  } satisfies Shape<Outage>),
  { origin: 'site', sent: 'told' },
)

const lostRange = z.extend(interval, {
  reason: storedAs({ 'retention-limit': 'horizon', paused: 'paused', unreadable: 'unreadable' }),
} satisfies Shape<Omit<LostRange, keyof Interval>>)

const range = z.extend(interval, {
  kind: storedAs({ tail: 'tail', provisional: 'fresh', final: 'settling', reread: 'reread' }),
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
  byFilter: z.record(text, count),
} satisfies Shape<StreamCounts>)

export const streamSchema: z.ZodMiniType<StreamState, Stored> = withStoredNames(
  z.object({
    version: count,
    lease: optional(z.object({ holder: text, until: instant })),
    since: instant,
    covered: z.array(interval),
    lostRanges: z.array(lostRange),
    range: optional(range),
    readThrough: instant,
    widthMs: z.number(),
    pagesTarget: z.number(),
    paced: z.boolean(),
    hard: optional(z.array(z.extend(interval, { widthMs: z.number() }))),
    setAside: z.array(z.extend(interval, { until: instant })),
    reread: optional(interval),
    nextRereadAt: instant,
    seenClasses: z.record(text, instant),
    trouble: optional(z.object({ failure, attempts: count, until: instant, since: instant })),
    lastReadAt: optional(instant),
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
} satisfies Shape<KeyUser>)
