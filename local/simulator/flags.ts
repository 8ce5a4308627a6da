import { parseArgs } from 'node:util'
import type { Settings, SimulatorOptions } from './options.ts'

interface Flag {
  readonly flag: string
  /** What stands for its value in the help; absent: it takes none. */
  readonly value?: string
  readonly help: string
  /** May be given several times. */
  readonly isMany?: boolean
  /** From the texts given (one, unless it may be repeated); `now` is what a relative time counts from. Throws a sentence. */
  readonly read: (texts: readonly string[], now: number) => unknown
}

/** One flag for every option: the compiler finds the one that is missing. */
const optionFlags: { readonly [option in keyof Settings]-?: Flag } = {
  keys: {
    flag: 'key',
    value: 'KEY[:CUSTOMER]',
    isMany: true,
    help: 'an API key that is accepted, and whose it is: keys of one customer see the same events. Without any, every key is accepted',
    read: (texts) => texts.map(readKey),
  },
  revokedKeys: { flag: 'revoked-key', value: 'KEY', isMany: true, help: 'a key that is answered with 401', read: (texts) => texts },
  forbiddenStreams: {
    flag: 'forbidden',
    value: 'SERVICE[/EVENT]',
    isMany: true,
    help: 'a service or stream that is answered with 403',
    read: (texts) => texts,
  },

  seed: { flag: 'seed', value: 'N', help: 'everything is a function of it', read: one(readNumber) },
  eventsPerHour: { flag: 'events-per-hour', value: 'N', help: 'on each stream', read: one(readNumber) },
  streamEventsPerHour: {
    flag: 'stream-rate',
    value: 'STREAM=N',
    isMany: true,
    help: 'a rate of its own for one stream, as in sharepoint/dlp=600',
    read: (texts) => Object.fromEntries(texts.map(readStreamRate)),
  },
  bursts: {
    flag: 'burst',
    value: 'N@TIME[=STREAM]',
    isMany: true,
    help: 'N events on one millisecond, on one stream or on all; TIME is +30s, -5m or 2026-11-24T20:35:26.120Z',
    read: (texts, now) => texts.map((text) => readBurst(text, now)),
  },
  startAt: {
    flag: 'start-at',
    value: 'TIME',
    help: 'there are no events before it, the backlog excepted',
    read: (texts, now) => readTime(last(texts), now),
  },
  backlogMs: {
    flag: 'backlog',
    value: 'DURATION',
    help: 'there are events of that long before --start-at, or before now',
    read: one(readDuration),
  },
  stopAt: { flag: 'stop-at', value: 'TIME', help: 'there are no events from then on', read: (texts, now) => readTime(last(texts), now) },
  wholeSeconds: { flag: 'whole-seconds', help: 'every event falls on a whole second', read: () => true },
  detectionLagMaxMs: {
    flag: 'detection-lag-max',
    value: 'DURATION',
    help: 'an event is generated up to that long after its detection',
    read: one(readDuration),
  },
  verdictLagMaxMs: { flag: 'verdict-lag-max', value: 'DURATION', help: 'the same for a Virtual Analyzer verdict', read: one(readDuration) },
  lateShare: {
    flag: 'late-share',
    value: 'SHARE',
    help: 'how much of the events is late, where --late-max is given',
    read: one(readNumber),
  },
  lateMaxMs: {
    flag: 'late-max',
    value: 'DURATION',
    help: 'late events can be seen up to that long after they were generated',
    read: one(readDuration),
  },
  malformedItemRate: {
    flag: 'malformed-item-rate',
    value: 'RATE',
    help: 'items that are null, a string, without message, without id, of odd types',
    read: one(readNumber),
  },
  clockSkewMs: {
    flag: 'clock-skew',
    value: 'DURATION',
    help: "the vendor's clock is ahead by that long, or behind by -DURATION",
    read: one(readSignedDuration),
  },

  selectBy: { flag: 'select-by', value: 'generation|detection', help: 'the time that start and end mean', read: last },
  bounds: {
    flag: 'bounds',
    value: 'inclusive|half-open|start-exclusive|exclusive',
    help: 'whether an event on start or end is meant too',
    read: last,
  },
  order: {
    flag: 'order',
    value: 'ascending|descending|random|shuffled',
    help: 'of the items; random mixes each page, shuffled all pages',
    read: last,
  },
  retentionMs: { flag: 'horizon', value: 'DURATION', help: 'older events are not shown', read: one(readDuration) },

  window: { flag: 'window', value: 'fixed|sliding', help: 'fixed opens with a request, sliding is always the last 60 s', read: last },
  requestsPerMinute: { flag: 'requests-per-minute', value: 'N', help: 'of one key; 0 is as often as one likes', read: one(readNumber) },
  refusedCount: { flag: 'refused-count', help: 'refused requests count too', read: () => true },
  requestsPerDay: {
    flag: 'requests-per-day',
    value: 'N',
    help: 'of one key, by UTC day; 0 is as often as one likes',
    read: one(readNumber),
  },
  retryAfter: { flag: 'retry-after', value: 'none|seconds|date', help: 'the header of a 429', read: last },
  otherRequestsPerMinute: {
    flag: 'other-requests-per-minute',
    value: 'N',
    help: 'somebody else uses the same keys',
    read: one(readNumber),
  },

  links: {
    flag: 'links',
    value: 'FORM[,FORM]',
    help: 'absolute, no-scheme or path-only, and with each of them other-path',
    read: (texts) => last(texts).split(','),
  },
  pageIdLifeMs: { flag: 'page-id-life', value: 'DURATION', help: 'page ids die after it; 0s: never', read: one(readDuration) },
  deadPageIdStatus: { flag: 'dead-page-id-status', value: '400|404', help: 'the answer to a page id that has died', read: one(readNumber) },
  pageIdBoundToKey: { flag: 'page-id-bound-to-key', help: 'a page id is of no use with another key', read: () => true },
  pageIdSingleUse: { flag: 'page-id-single-use', help: 'a page id can be used once', read: () => true },
  duplicatesAcrossPages: {
    flag: 'duplicates-across-pages',
    value: 'N',
    help: 'the last N items of a page come again on the next',
    read: one(readNumber),
  },
  hostileLinkRate: { flag: 'hostile-link-rate', value: 'RATE', help: 'next_link leads to --hostile-origin', read: one(readNumber) },
  hostileOrigin: { flag: 'hostile-origin', value: 'URL', help: 'where hostile links and redirects lead', read: last },
  redirectRate: { flag: 'redirect-rate', value: 'RATE', help: 'redirects to --hostile-origin', read: one(readNumber) },

  errorRate5xx: { flag: 'error-rate-5xx', value: 'RATE', help: '500, 502 and 504', read: one(readNumber) },
  error503Rate: { flag: 'error-503-rate', value: 'RATE', help: '503', read: one(readNumber) },
  malformedPageRate: { flag: 'malformed-page-rate', value: 'RATE', help: 'status 200, but not a page', read: one(readNumber) },
  truncateRate: { flag: 'truncate-rate', value: 'RATE', help: 'the body breaks off', read: one(readNumber) },
  delayMs: { flag: 'delay', value: 'DURATION[..DURATION]', help: 'until the answer is sent', read: one(readRange) },

  account: { flag: 'account', value: 'full|totals', help: 'full remembers every request and event, totals only numbers', read: last },
}

export interface CommandLine {
  readonly options: SimulatorOptions
  readonly port: number
  readonly host: string
  readonly isHelp: boolean
}

/** Reads the command line; times count from `now`. Throws an error whose message says what is wrong and what is allowed. */
export function readCommandLine(args: readonly string[], now: number): CommandLine {
  const flags = Object.values(optionFlags)
  const { values } = parseArgs({
    args: [...args],
    strict: true,
    options: {
      help: { type: 'boolean', short: 'h' },
      port: { type: 'string' },
      host: { type: 'string' },
      ...Object.fromEntries(
        flags.map(({ flag, value }) => [
          flag,
          value === undefined ? { type: 'boolean' as const } : { type: 'string' as const, multiple: true },
        ]),
      ),
    },
  })
  const options: Record<string, unknown> = {}
  for (const [option, { flag, isMany, read }] of Object.entries(optionFlags)) {
    const given = (values as Record<string, unknown>)[flag]
    if (given === undefined) continue
    const texts = Array.isArray(given) ? given.map(String) : []
    if (texts.length > 1 && isMany !== true) throw new Error(`--${flag} was given ${texts.length} times, and may be given once.`)
    try {
      options[option] = read(texts, now)
    } catch (error) {
      throw new Error(`--${flag} ${texts.join(' ')}: ${error instanceof Error ? error.message : error}`)
    }
  }
  const port = Number(values.port ?? 8080)
  if (!Number.isInteger(port) || port < 0 || port > 65_535)
    throw new Error(`--port ${values.port}: a port is a number from 0 (any that is free) to 65535.`)
  return { options: options as SimulatorOptions, port, host: values.host ?? '127.0.0.1', isHelp: values.help ?? false }
}

/** The page that `--help` prints; `defaults` are shown beside the flags. */
export function helpPage(defaults: Settings): string {
  const line = (left: string, help: string) => `  ${left.length < 40 ? left.padEnd(40) : `${left}\n${' '.repeat(42)}`}${help}`
  const lines = Object.entries(optionFlags).map(([option, { flag, value, help, isMany }]) => {
    const common = sayDefault(defaults[option as keyof Settings], option)
    return line(
      `--${flag}${value === undefined ? '' : ` ${value}`}`,
      `${help}${isMany === true ? '; may be repeated' : ''}${common === '' ? '' : ` (${common})`}`,
    )
  })
  return `The simulator of the vendor's Log Retrieval API: a real HTTP server with made-up events, and an account of all that it showed.

npm run simulator -- [options]
${line('--port N', '0 is any that is free (8080)')}
${line('--host ADDRESS', '(127.0.0.1)')}
${line('--help', 'this page')}

How the vendor is; without these it does what its documentation says, and nothing goes wrong:
${lines.join('\n')}

STREAM is SERVICE/EVENT, as in sharepoint/dlp. DURATION is 500ms, 90s, 10m or 72h. RATE and SHARE are from 0 to 1.
A value that begins with - is given with =, as in --clock-skew=-5s.
What was asked and shown:  GET /simulator/account  and  GET /simulator/events?from=TIME&to=TIME
`
}

function sayDefault(value: unknown, option: string): string {
  if (typeof value === 'number') return option.endsWith('Ms') ? sayDuration(value) : String(value)
  if (typeof value === 'string') return value
  if (option === 'links') return 'absolute'
  return ''
}

function sayDuration(ms: number): string {
  if (ms > 0 && ms % 3_600_000 === 0) return `${ms / 3_600_000}h`
  if (ms > 0 && ms % 60_000 === 0) return `${ms / 60_000}m`
  return ms % 1_000 === 0 ? `${ms / 1_000}s` : `${ms}ms`
}

function last(texts: readonly string[]): string {
  return texts.at(-1) ?? ''
}

function one(read: (text: string) => unknown): Flag['read'] {
  return (texts) => read(last(texts))
}

function readNumber(text: string): number {
  const number = Number(text)
  if (text.trim() === '' || Number.isNaN(number)) throw new Error('this is no number.')
  return number
}

const unitsMs: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 }

function readDuration(text: string): number {
  const [, amount, unit] = /^(\d+(?:\.\d+)?)(ms|s|m|h)$/.exec(text) ?? []
  const unitMs = unitsMs[unit ?? '']
  if (amount === undefined || unitMs === undefined) throw new Error('this is no duration; one is 500ms, 90s, 10m or 72h.')
  return Math.round(Number(amount) * unitMs)
}

function readSignedDuration(text: string): number {
  return text.startsWith('-') ? -readDuration(text.slice(1)) : readDuration(text.replace(/^\+/, ''))
}

function readRange(text: string): { min: number; max: number } {
  const [min = '', max = min] = text.split('..')
  return { min: readDuration(min), max: readDuration(max) }
}

function readTime(text: string, now: number): number {
  if (/^[+-]/.test(text)) return now + readSignedDuration(text)
  const at = Date.parse(text)
  if (Number.isNaN(at)) throw new Error('this is no time; one is +30s, -5m or 2026-11-24T20:35:26.120Z.')
  return at
}

function readKey(text: string): { key: string; customer?: string } {
  const colon = text.lastIndexOf(':')
  return colon === -1 ? { key: text } : { key: text.slice(0, colon), customer: text.slice(colon + 1) }
}

function readStreamRate(text: string): [string, number] {
  const [stream = '', perHour = ''] = text.split('=')
  return [stream, readNumber(perHour)]
}

function readBurst(text: string, now: number): { at: number; count: number; stream?: string } {
  const [, count, time, stream] = /^(\d+)@([^=]+)(?:=(.+))?$/.exec(text) ?? []
  if (count === undefined || time === undefined) throw new Error('a burst is N@TIME or N@TIME=STREAM, as in 3000@+30s=sharepoint/dlp.')
  return { count: Number(count), at: readTime(time, now), ...(stream === undefined ? {} : { stream }) }
}
