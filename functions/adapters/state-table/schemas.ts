import * as z from 'zod'
import type { Connector, SecretReference } from '../../domain/connector/connector.ts'
import type { LogFilter } from '../../domain/connector/log-filters.ts'
import { type Failure, type FailureCode, failureKinds } from '../../domain/failures.ts'
import type { AcceptedConnector, Due, KeyUser } from '../../domain/ports.ts'
import { connectorStates, type StateChange } from '../../domain/status/connector-state.ts'
import type { Outage } from '../../domain/status/outage.ts'
import type { ConnectorStatus, DayCounts } from '../../domain/status/status.ts'
import type { Hole, Interval, Slice, StreamCounts, StreamState } from '../../domain/stream/stream.ts'
import type { TokenBucket } from '../../domain/token-bucket.ts'

/** Items as they are stored, parsed at the border; what a schema does not name is dropped. */

/** All that a type may hold, optional or not: an attribute forgotten here would be lost in silence, so it does not compile. */
type Shape<T> = { [K in keyof Required<T>]: z.ZodType }

const instant = z.number()
const text = z.string()
const count = z.number()
const optional = z.exactOptional

const interval = z.object({ from: instant, to: instant } satisfies Shape<Interval>)

const failureCode = z.enum(Object.keys(failureKinds) as FailureCode[])

const failure = z.object({
  code: failureCode,
  detail: text,
  status: optional(z.number()),
  traceId: optional(text),
  retryAfterMs: optional(z.number()),
} satisfies Shape<Failure>)

const secretReference = z.object({ secretName: text, jsonKey: optional(text) } satisfies Shape<SecretReference>)

/** Checked in full when it was accepted. */
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

export const acceptedSchema: z.ZodType<AcceptedConnector> = z.object({
  connector,
  itemDigest: text,
  acceptedAt: instant,
  streamsSince: z.record(text, instant),
  lastPause: optional(z.object({ from: instant, to: optional(instant) })),
  retiredAt: optional(instant),
} satisfies Shape<AcceptedConnector>)

export const dueSchema: z.ZodType<Due> = z.object({ nextDueAt: instant, wantedTo: instant } satisfies Shape<Due>)

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

export const statusSchema: z.ZodType<ConnectorStatus> = z.object({
  state,
  reason: text,
  since: instant,
  cause: optional(failureCode),
  changes: optional(z.array(stateChange)),
  tenantName: optional(text),
  vendor: optional(text),
  site: optional(text),
  lastRunAt: optional(instant),
  lastSuccessAt: optional(instant),
  lagMs: optional(z.number()),
  horizonInMs: optional(z.number()),
  streamsBehind: optional(count),
  holes: optional(count),
  oldestKeyAt: optional(instant),
  lastFailure: optional(failure.extend({ at: instant, stream: optional(text) })),
  trouble: optional(z.object({ failure, attempts: count, until: instant })),
  keys: z.array(text).exactOptional(),
  rejectedKeys: z.record(text, z.object({ at: instant, until: instant, attempts: count })),
  problems: z.array(z.object({ path: text, message: text })),
  days: z.record(text, dayCounts),
  turns: count,
} satisfies Shape<ConnectorStatus>)

export const outageSchema: z.ZodType<Outage> = z.object({
  vendor: text,
  site: text,
  since: instant,
  cause: failureCode,
  reason: text,
  told: z.boolean(),
} satisfies Shape<Outage>)

const hole = interval.extend({ reason: z.enum(['horizon', 'paused', 'unreadable']) } satisfies Shape<Omit<Hole, keyof Interval>>)

const slice = interval.extend({
  kind: z.enum(['tail', 'fresh', 'settling', 'reread']),
  readSince: optional(instant),
  nextLink: optional(text),
  page: count,
  items: count,
  key: optional(text),
} satisfies Shape<Omit<Slice, keyof Interval>>)

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

export const streamSchema: z.ZodType<StreamState> = z.object({
  version: count,
  lease: optional(z.object({ holder: text, until: instant })),
  since: instant,
  covered: z.array(interval),
  holes: z.array(hole),
  slice: optional(slice),
  freshTo: instant,
  widthMs: z.number(),
  pagesTarget: z.number(),
  paced: z.boolean(),
  hard: optional(z.array(interval.extend({ widthMs: z.number() }))),
  setAside: z.array(interval.extend({ until: instant })),
  reread: optional(interval),
  nextRereadAt: instant,
  seenClasses: z.record(text, instant),
  trouble: optional(z.object({ failure, attempts: count, until: instant, since: instant })),
  lastReadAt: optional(instant),
  counts: streamCounts,
} satisfies Shape<StreamState>)

/** The tokens themselves are one text: see `token-text.ts`. */
export type StoredBucket = Omit<TokenBucket, 'tokens'> & { readonly tokens: string }

export const bucketSchema: z.ZodType<StoredBucket> = z.object({
  version: count,
  limit: count,
  n: count,
  closedUntil: instant,
  cutAt: instant,
  closureMs: z.number(),
  refusedLevel: optional(count),
  probeAt: instant,
  probeAfterMs: z.number(),
  raiseAt: instant,
  tokens: text,
  hours: z.record(text, count),
} satisfies Shape<TokenBucket>)

export const keyUserSchema: z.ZodType<KeyUser> = z.object({
  connectorId: text,
  tenantName: text,
  sharedKey: z.boolean(),
  requestsPerMinute: z.number(),
  requestsPerDay: optional(z.number()),
  until: instant,
} satisfies Shape<KeyUser>)
