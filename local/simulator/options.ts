import * as z from 'zod'
import { isStreamName, type StreamName, serviceNames, streamNames } from './catalogue.ts'

const streamName = z.custom<StreamName>((value) => typeof value === 'string' && isStreamName(value), {
  error: ({ input }) => `${JSON.stringify(input)} is no stream; a stream is service/event, such as ${streamNames[0]}`,
})
const streamOrService = z.custom<string>(
  (value) => typeof value === 'string' && (isStreamName(value) || (serviceNames as readonly string[]).includes(value)),
  { error: ({ input }) => `${JSON.stringify(input)} is neither a service, such as sharepoint, nor a stream, such as sharepoint/dlp` },
)
const rate = z.number().min(0).max(1).default(0)
const durationMs = z.int().min(0)
const instant = z.int()
/** A token as a Bearer header can carry it. */
const apiKey = z.string().regex(/^[\x21-\x7e]+$/, 'an API key is visible ASCII without spaces')

/** What the vendor is like. Without any option it does what its documentation says, and nothing goes wrong. */
const schema = z.strictObject({
  // Who asks.
  /** The keys that are accepted, and whose they are: keys of one customer see the same events. Empty: every key, all of one customer. */
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
  /** Answered with 401. */
  revokedKeys: z.array(apiKey).default([]),
  /** Streams, or whole services, that are answered with 403. */
  forbiddenStreams: z.array(streamOrService).default([]),

  // What happens: a function of the seed and of these.
  seed: z.int().min(0).default(1),
  eventsPerHour: z.number().min(0).max(100_000_000).default(60),
  /** Streams that have a rate of their own. */
  streamEventsPerHour: z.partialRecord(streamName, z.number().min(0).max(100_000_000)).default({}),
  /** `count` events on the millisecond `at`, on one stream or on every one. */
  bursts: z.array(z.strictObject({ at: instant, count: z.int().min(1).max(100_000), stream: streamName.optional() })).default([]),
  /** There are no events before `startAt − backlogMs`; without it there always were some. */
  startAt: instant.optional(),
  backlogMs: durationMs.default(0),
  /** There are no events from here on. */
  stopAt: instant.optional(),
  /** Every event falls on a whole second: on the cut of whoever cuts there. */
  wholeSeconds: z.boolean().default(false),
  /** An event is generated up to this long after its detection … */
  detectionLagMaxMs: durationMs.default(30_000),
  /** … and a Virtual Analyzer verdict up to this long. */
  verdictLagMaxMs: durationMs.default(10 * 60_000),
  /** So much of the events is late: it can be seen only up to `lateMaxMs` after it was generated, an eighth of it exactly then. */
  lateShare: z.number().min(0).max(1).default(0.2),
  lateMaxMs: durationMs.default(0),
  /** Items that are null, a string, without message, without id or of odd types. Always the same ones, whoever asks. */
  malformedItemRate: rate,
  clockSkewMs: z.int().default(0),

  // What a query selects.
  selectBy: z.enum(['generation', 'detection']).default('generation'),
  /** `[start, end]`, `[start, end)`, `(start, end]`, `(start, end)`. */
  bounds: z.enum(['inclusive', 'half-open', 'start-exclusive', 'exclusive']).default('inclusive'),
  /** `random` mixes the items of each page, `shuffled` those of all pages of the answer. */
  order: z.enum(['ascending', 'descending', 'random', 'shuffled']).default('ascending'),
  retentionMs: z
    .int()
    .min(1)
    .max(366 * 86_400_000)
    .default(72 * 3_600_000),

  // How often it may be asked.
  /** `fixed` opens with a request and lasts 60 s; `sliding` looks at the last 60 s. */
  window: z.enum(['fixed', 'sliding']).default('fixed'),
  /** 0: as often as one likes. */
  requestsPerMinute: z.int().min(0).default(20),
  /** Refused requests count as well: in a sliding window, and against the day. */
  refusedCount: z.boolean().default(false),
  /** By UTC day; 0: as often as one likes. */
  requestsPerDay: z.int().min(0).default(0),
  retryAfter: z.enum(['none', 'seconds', 'date']).default('none'),
  /** Somebody else asks with the same keys, evenly. */
  otherRequestsPerMinute: z.number().min(0).max(60_000).default(0),

  // Pages.
  /** `no-scheme` and `path-only` exclude each other; `other-path` goes with each. */
  links: z
    .array(z.enum(['absolute', 'no-scheme', 'path-only', 'other-path']))
    .default(['absolute'])
    .refine((forms) => forms.filter((form) => form !== 'other-path').length <= 1, 'absolute, no-scheme and path-only exclude each other'),
  /** 0: page ids do not die. */
  pageIdLifeMs: durationMs.default(0),
  deadPageIdStatus: z.union([z.literal(400), z.literal(404)]).default(400),
  pageIdBoundToKey: z.boolean().default(false),
  pageIdSingleUse: z.boolean().default(false),
  /** The last so many items of a page come again on the next one. */
  duplicatesAcrossPages: z.int().min(0).max(100).default(0),
  /** `next_link` leads to `hostileOrigin`. */
  hostileLinkRate: rate,
  hostileOrigin: z.url({ protocol: /^https?$/ }).default('https://hostile.example'),

  // What goes wrong.
  /** Answered with a redirect to `hostileOrigin`. */
  redirectRate: rate,
  /** 500 as documented, and 502 and 504 as a proxy writes them. */
  errorRate5xx: rate,
  error503Rate: rate,
  /** Status 200, but not a page. */
  malformedPageRate: rate,
  /** The body breaks off. */
  truncateRate: rate,
  /** From the request's arrival to its answer. */
  delayMs: z
    .strictObject({ min: durationMs, max: durationMs })
    .default({ min: 0, max: 0 })
    .refine(({ min, max }) => min <= max, 'min is above max'),

  /** `full` remembers every request and every event shown; `totals` only numbers, so that a million events take no memory. */
  account: z.enum(['full', 'totals']).default('full'),
})

export type SimulatorOptions = z.input<typeof schema>
export type Settings = z.output<typeof schema>

/** Fills in the defaults. Throws an error that names every option that is unknown or wrong. */
export function parseOptions(options: SimulatorOptions): Settings {
  const parsed = schema.safeParse(options)
  if (parsed.success) return parsed.data
  const mistakes = parsed.error.issues.map((issue) =>
    issue.path.length === 0 ? issue.message : `${issue.path.join('.')}: ${issue.message}`,
  )
  throw new Error(`The simulator's options are wrong. ${mistakes.join('; ')}`)
}

/** These decide what happened at the vendor; they cannot change once somebody has asked. */
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
  'selectBy',
  'retentionMs',
  'account',
] as const satisfies readonly (keyof Settings)[]
