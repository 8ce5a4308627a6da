import * as z from 'zod'
import { isStreamName, type StreamName, serviceNames, streamNames } from './catalogue.ts'

const streamName = z.custom<StreamName>((value) => typeof value === 'string' && isStreamName(value), {
  error: ({ input }) => `${JSON.stringify(input)} is not a stream. Give SERVICE/EVENT, such as ${streamNames[0]}`,
})
const streamOrService = z.custom<string>(
  (value) => typeof value === 'string' && (isStreamName(value) || (serviceNames as readonly string[]).includes(value)),
  { error: ({ input }) => `${JSON.stringify(input)} is neither a service, such as sharepoint, nor a stream, such as sharepoint/dlp` },
)
const rate = z.number().min(0).max(1).default(0)
const durationMs = z.int().min(0)
const instant = z.int()
/** A text that a Bearer header can carry. */
const apiKey = z.string().regex(/^[\x21-\x7e]+$/, 'an API key is visible ASCII without spaces')

/** How the vendor behaves. By default it does what its documentation says, and nothing goes wrong. */
const schema = z.strictObject({
  // Callers.
  /** The keys that are accepted, each with its customer. Keys of one customer see the same events. Without any, every key of one customer is accepted. */
  keys: z
    .array(
      z.strictObject({
        key: apiKey,
        customer: z
          .string()
          .regex(/^[a-z0-9-]+$/, 'a customer is lower-case letters, digits and -')
          .default('customer'),
      }),
    )
    .default([]),
  /** Keys that get status 401. */
  revokedKeys: z.array(apiKey).default([]),
  /** Streams, or whole services, that get status 403. */
  forbiddenStreams: z.array(streamOrService).default([]),

  // Events: a function of the seed and of these options.
  seed: z.int().min(0).default(1),
  eventsPerHour: z.number().min(0).max(100_000_000).default(60),
  /** Streams with their own rate. */
  streamEventsPerHour: z.partialRecord(streamName, z.number().min(0).max(100_000_000)).default({}),
  /** `count` events in the millisecond `at`, on one stream or on every stream. */
  bursts: z.array(z.strictObject({ at: instant, count: z.int().min(1).max(100_000), stream: streamName.optional() })).default([]),
  /** There are no events before `startAt − backlogMs`. Without `startAt` events go back for ever. */
  startAt: instant.optional(),
  backlogMs: durationMs.default(0),
  /** There are no events from this time on. */
  stopAt: instant.optional(),
  /** Every event falls on a whole second, where a collector is likely to cut its ranges. */
  wholeSeconds: z.boolean().default(false),
  /** An event is generated up to this long after its detection. */
  detectionLagMaxMs: durationMs.default(30_000),
  /** A Virtual Analyzer verdict is generated up to this long after its detection. */
  verdictLagMaxMs: durationMs.default(10 * 60_000),
  /** This share of the events is late: it can be seen only up to `lateMaxMs` after generation. An eighth of these is late by exactly `lateMaxMs`. */
  lateShare: z.number().min(0).max(1).default(0.2),
  lateMaxMs: durationMs.default(0),
  /** Items that are null, a string, without message, without id or of odd types. Every caller gets the same ones. */
  malformedItemRate: rate,
  clockSkewMs: z.int().default(0),
  /** From each of these times on (the caller's clock) the vendor's clock is ahead by `skewMs`, in place of `clockSkewMs`. */
  clockSteps: z.array(z.strictObject({ at: instant, skewMs: z.int() })).default([]),
  /** This share of the events changes `updateAfterMs` after it was first shown: the same id, another message. */
  updateShare: rate,
  updateAfterMs: durationMs.default(20 * 60_000),
  /** This share of the events has the id of another event. */
  sharedIdRate: rate,

  // Queries.
  selectBy: z.enum(['generation', 'detection']).default('generation'),
  /** `[start, end]`, `[start, end)`, `(start, end]`, `(start, end)`. */
  bounds: z.enum(['inclusive', 'half-open', 'start-exclusive', 'exclusive']).default('inclusive'),
  /** `random` mixes the items of each page, `shuffled` the items of all pages together. */
  order: z.enum(['ascending', 'descending', 'random', 'shuffled']).default('ascending'),
  /** Events older than this are no longer shown. */
  retentionMs: z
    .int()
    .min(1)
    .max(366 * 86_400_000)
    .default(72 * 3_600_000),

  // Request limits.
  /** `fixed` opens with a request and lasts 60 s; `sliding` looks at the last 60 s. */
  window: z.enum(['fixed', 'sliding']).default('fixed'),
  /** 0 means no limit. */
  requestsPerMinute: z.int().min(0).default(20),
  /** Refused requests count too: in a sliding window, and for the day. */
  refusedCount: z.boolean().default(false),
  /** By UTC day; 0 means no limit. */
  requestsPerDay: z.int().min(0).default(0),
  retryAfter: z.enum(['none', 'seconds', 'date']).default('none'),
  /** The status of a refused request; its body is the same. */
  throttledStatus: z.union([z.literal(429), z.literal(200)]).default(429),
  /** Other consumers of the same keys send this many requests, evenly spaced. */
  otherRequestsPerMinute: z.number().min(0).max(60_000).default(0),

  // Pages.
  /** `offset`: a page begins after so many items of what is shown now, so items that appear or disappear shift the pages. */
  paging: z.enum(['snapshot', 'offset']).default('snapshot'),
  /** The form of a page without events: an empty list, `null` for the list, or status 204 without a body. */
  emptyPages: z.enum(['list', 'null', 'no-content']).default('list'),
  /** Every page of these streams is empty and links to another one. */
  endlessStreams: z.array(streamName).default([]),
  /** A first page may come from a cache: it is up to this old, and so are its events and its `Date`. */
  cachedAgeMaxMs: durationMs.default(0),
  /** `absolute`, `no-scheme` and `path-only` exclude each other; `other-path` can be added to each. */
  links: z
    .array(z.enum(['absolute', 'no-scheme', 'path-only', 'other-path']))
    .default(['absolute'])
    .refine((forms) => forms.filter((form) => form !== 'other-path').length <= 1, 'absolute, no-scheme and path-only exclude each other'),
  /** 0 means that page ids do not die. */
  pageIdLifeMs: durationMs.default(0),
  deadPageIdStatus: z.union([z.literal(400), z.literal(404)]).default(400),
  pageIdBoundToKey: z.boolean().default(false),
  pageIdSingleUse: z.boolean().default(false),
  /** This many items at the end of a page come again on the next page. */
  duplicatesAcrossPages: z.int().min(0).max(100).default(0),
  /** The `next_link` of a page leads to `hostileOrigin`. */
  hostileLinkRate: rate,
  hostileOrigin: z.url({ protocol: /^https?$/ }).default('https://hostile.example'),

  // Trouble.
  /** The response is a redirect to `hostileOrigin`. */
  redirectRate: rate,
  /** The status is 500 as documented, or 502 or 504 as a proxy sends them. */
  errorRate5xx: rate,
  error503Rate: rate,
  /** The status is 200, but the body is not a page. */
  malformedPageRate: rate,
  /** The body breaks off. */
  truncateRate: rate,
  /** The time from the arrival of a request to its response. */
  delayMs: z
    .strictObject({ min: durationMs, max: durationMs })
    .default({ min: 0, max: 0 })
    .refine(({ min, max }) => min <= max, 'min is above max'),

  /** `full` remembers every request and every event shown. `totals` remembers only numbers, so that a million events take no memory. */
  account: z.enum(['full', 'totals']).default('full'),
})

export type SimulatorOptions = z.input<typeof schema>
export type Settings = z.output<typeof schema>

/** Fills in the defaults. Throws an error that names every unknown or wrong option. */
export function parseOptions(options: SimulatorOptions): Settings {
  const parsed = schema.safeParse(options)
  if (parsed.success) return parsed.data
  const mistakes = parsed.error.issues.map((issue) =>
    issue.path.length === 0 ? issue.message : `${issue.path.join('.')}: ${issue.message}`,
  )
  throw new Error(`The simulator's options are wrong. ${mistakes.join('; ')}`)
}

/** These options decide the events or the account, so they cannot change while the simulator runs. */
export const historyOptions = [
  'seed',
  'eventsPerHour',
  'streamEventsPerHour',
  'bursts',
  'startAt',
  'backlogMs',
  'stopAt',
  'wholeSeconds',
  'detectionLagMaxMs',
  'verdictLagMaxMs',
  'lateShare',
  'lateMaxMs',
  'malformedItemRate',
  'clockSkewMs',
  'clockSteps',
  'updateShare',
  'updateAfterMs',
  'sharedIdRate',
  'selectBy',
  'retentionMs',
  'account',
] as const satisfies readonly (keyof Settings)[]
