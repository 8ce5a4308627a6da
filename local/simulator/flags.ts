import { parseArgs } from 'node:util'
import type { Settings, SimulatorOptions } from './options.ts'

interface Flag {
  readonly flag: string
  /** The placeholder of its value in the help. Absent: it takes no value. */
  readonly value?: string
  readonly help: string
  /** The flag may be given several times. */
  readonly isMany?: boolean
  /** Reads the given texts: one, unless the flag may be repeated. A relative time counts from `now`. Throws an error with a sentence. */
  readonly read: (texts: readonly string[], now: number) => unknown
}

/** The type makes the compiler find an option without a flag. */
const optionFlags: { readonly [option in keyof Settings]-?: Flag } = {
  keys: {
    flag: 'key',
    value: 'KEY[:CUSTOMER]',
    isMany: true,
    help: 'accept this API key of this customer; keys of one customer see the same events. Without any, every key is accepted',
    read: (texts) => texts.map(readKey),
  },
  revokedKeys: { flag: 'revoked-key', value: 'KEY', isMany: true, help: 'respond with 401 to this key', read: (texts) => texts },
  forbiddenStreams: {
    flag: 'forbidden',
    value: 'SERVICE[/EVENT]',
    isMany: true,
    help: 'respond with 403 to this service or stream',
    read: (texts) => texts,
  },

  seed: { flag: 'seed', value: 'N', help: 'seed of all randomness', read: one(readNumber) },
  eventsPerHour: { flag: 'events-per-hour', value: 'N', help: 'events an hour on each stream', read: one(readNumber) },
  streamEventsPerHour: {
    flag: 'stream-rate',
    value: 'STREAM=N',
    isMany: true,
    help: 'events an hour on one stream, such as sharepoint/dlp=600',
    read: (texts) => Object.fromEntries(texts.map(readStreamRate)),
  },
  bursts: {
    flag: 'burst',
    value: 'N@TIME[=STREAM]',
    isMany: true,
    help: 'N events in one millisecond, on one stream or on all; TIME is +30s, -5m or 2026-11-24T20:35:26.120Z',
    read: (texts, now) => texts.map((text) => readBurst(text, now)),
  },
  startAt: {
    flag: 'start-at',
    value: 'TIME',
    help: 'no events before this time, except the backlog',
    read: (texts, now) => readTime(last(texts), now),
  },
  backlogMs: {
    flag: 'backlog',
    value: 'DURATION',
    help: 'events from this long before --start-at, or before now',
    read: one(readDuration),
  },
  stopAt: { flag: 'stop-at', value: 'TIME', help: 'no events from this time on', read: (texts, now) => readTime(last(texts), now) },
  wholeSeconds: { flag: 'whole-seconds', help: 'put every event on a whole second', read: () => true },
  detectionLagMaxMs: {
    flag: 'detection-lag-max',
    value: 'DURATION',
    help: 'generate an event up to this long after its detection',
    read: one(readDuration),
  },
  verdictLagMaxMs: { flag: 'verdict-lag-max', value: 'DURATION', help: 'the same for a Virtual Analyzer verdict', read: one(readDuration) },
  lateShare: {
    flag: 'late-share',
    value: 'SHARE',
    help: 'share of the events that is late, if --late-max is given',
    read: one(readNumber),
  },
  lateMaxMs: {
    flag: 'late-max',
    value: 'DURATION',
    help: 'show late events up to this long after their generation',
    read: one(readDuration),
  },
  malformedItemRate: {
    flag: 'malformed-item-rate',
    value: 'RATE',
    help: 'share of items that are null, a string, without message, without id, or of odd types',
    read: one(readNumber),
  },
  clockSkewMs: {
    flag: 'clock-skew',
    value: 'DURATION',
    help: "set the vendor's clock ahead by this long, or behind with -DURATION",
    read: one(readSignedDuration),
  },

  clockSteps: {
    flag: 'clock-step',
    value: 'DURATION@TIME',
    isMany: true,
    help: "from TIME on the vendor's clock is ahead by this long, or behind with -DURATION",
    read: (texts, now) => texts.map((text) => readClockStep(text, now)),
  },
  updateShare: {
    flag: 'update-share',
    value: 'SHARE',
    help: 'share of the events that change later, under the same id',
    read: one(readNumber),
  },
  updateAfterMs: { flag: 'update-after', value: 'DURATION', help: 'how long after they were first shown', read: one(readDuration) },
  sharedIdRate: {
    flag: 'shared-id-rate',
    value: 'RATE',
    help: 'share of the events that have the id of another one',
    read: one(readNumber),
  },

  selectBy: { flag: 'select-by', value: 'generation|detection', help: 'the time of an event that start and end refer to', read: last },
  bounds: {
    flag: 'bounds',
    value: 'inclusive|half-open|start-exclusive|exclusive',
    help: 'whether a range includes an event exactly at start or end',
    read: last,
  },
  order: {
    flag: 'order',
    value: 'ascending|descending|random|shuffled',
    help: 'order of the items; random mixes each page, shuffled mixes all pages',
    read: last,
  },
  retentionMs: { flag: 'retention', value: 'DURATION', help: 'do not show events older than this', read: one(readDuration) },

  window: { flag: 'window', value: 'fixed|sliding', help: 'fixed opens with a request, sliding is always the last 60 s', read: last },
  requestsPerMinute: { flag: 'requests-per-minute', value: 'N', help: 'limit of one key; 0 means no limit', read: one(readNumber) },
  refusedCount: { flag: 'refused-count', help: 'count refused requests too', read: () => true },
  requestsPerDay: {
    flag: 'requests-per-day',
    value: 'N',
    help: 'limit of one key by UTC day; 0 means no limit',
    read: one(readNumber),
  },
  retryAfter: { flag: 'retry-after', value: 'none|seconds|date', help: 'header of a response with 429', read: last },
  otherRequestsPerMinute: {
    flag: 'other-requests-per-minute',
    value: 'N',
    help: 'requests of other consumers of the same keys',
    read: one(readNumber),
  },

  throttledStatus: { flag: 'throttled-status', value: '429|200', help: 'status of a refused request', read: one(readNumber) },

  paging: {
    flag: 'paging',
    value: 'snapshot|offset',
    help: 'whether the pages of a range belong together, or each begins after so many items of what is shown then',
    read: last,
  },
  emptyPages: { flag: 'empty-pages', value: 'list|null|no-content', help: 'the form of a page without events', read: last },
  endlessStreams: {
    flag: 'endless',
    value: 'STREAM',
    isMany: true,
    help: 'every page of this stream is empty and links to another one',
    read: (texts) => texts,
  },
  cachedAgeMaxMs: {
    flag: 'cached-age-max',
    value: 'DURATION',
    help: 'first pages may come from a cache and be this old',
    read: one(readDuration),
  },
  links: {
    flag: 'links',
    value: 'FORM[,FORM]',
    help: 'absolute, no-scheme or path-only, each alone or with other-path',
    read: (texts) => last(texts).split(','),
  },
  pageIdLifeMs: { flag: 'page-id-life', value: 'DURATION', help: 'page ids die after this time; 0s means never', read: one(readDuration) },
  deadPageIdStatus: { flag: 'dead-page-id-status', value: '400|404', help: 'status for a dead page id', read: one(readNumber) },
  pageIdBoundToKey: { flag: 'page-id-bound-to-key', help: 'refuse a page id with another key', read: () => true },
  pageIdSingleUse: { flag: 'page-id-single-use', help: 'accept a page id only once', read: () => true },
  duplicatesAcrossPages: {
    flag: 'duplicates-across-pages',
    value: 'N',
    help: 'repeat the last N items of a page on the next page',
    read: one(readNumber),
  },
  hostileLinkRate: {
    flag: 'hostile-link-rate',
    value: 'RATE',
    help: 'share of pages whose next_link leads to --hostile-origin',
    read: one(readNumber),
  },
  hostileOrigin: { flag: 'hostile-origin', value: 'URL', help: 'origin of hostile links and redirects', read: last },
  redirectRate: { flag: 'redirect-rate', value: 'RATE', help: 'share of redirects to --hostile-origin', read: one(readNumber) },

  errorRate5xx: { flag: 'error-rate-5xx', value: 'RATE', help: 'share of responses with 500, 502 or 504', read: one(readNumber) },
  error503Rate: { flag: 'error-503-rate', value: 'RATE', help: 'share of responses with 503', read: one(readNumber) },
  malformedPageRate: {
    flag: 'malformed-page-rate',
    value: 'RATE',
    help: 'share of responses with 200 and a body that is not a page',
    read: one(readNumber),
  },
  truncateRate: { flag: 'truncate-rate', value: 'RATE', help: 'share of responses whose body breaks off', read: one(readNumber) },
  delayMs: { flag: 'delay', value: 'DURATION[..DURATION]', help: 'time until the response is sent', read: one(readRange) },

  account: { flag: 'account', value: 'full|totals', help: 'full remembers every request and event, totals only numbers', read: last },
}

export interface CommandLine {
  readonly options: SimulatorOptions
  readonly port: number
  readonly host: string
  readonly isHelp: boolean
}

/** Reads the command line. Relative times count from `now`. Throws an error whose message names the mistake and the allowed values. */
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
    if (texts.length > 1 && isMany !== true) throw new Error(`--${flag} was given ${texts.length} times. Give it once.`)
    try {
      options[option] = read(texts, now)
    } catch (error) {
      throw new Error(`--${flag} ${texts.join(' ')}: ${error instanceof Error ? error.message : error}`)
    }
  }
  const port = Number(values.port ?? 8080)
  if (!Number.isInteger(port) || port < 0 || port > 65_535)
    throw new Error(`--port ${values.port}: give a number from 0 (any free port) to 65535.`)
  return { options: options as SimulatorOptions, port, host: values.host ?? '127.0.0.1', isHelp: values.help ?? false }
}

/** Returns the text that `--help` prints, with the default of each flag. */
export function helpPage(defaults: Settings): string {
  const line = (left: string, help: string) => `  ${left.length < 40 ? left.padEnd(40) : `${left}\n${' '.repeat(42)}`}${help}`
  const lines = Object.entries(optionFlags).map(([option, { flag, value, help, isMany }]) => {
    const defaultText = formatDefault(defaults[option as keyof Settings], option)
    return line(
      `--${flag}${value === undefined ? '' : ` ${value}`}`,
      `${help}${isMany === true ? '; may be repeated' : ''}${defaultText === '' ? '' : ` (${defaultText})`}`,
    )
  })
  return `Simulates the vendor's Log Retrieval API: an HTTP server with made-up events, and an account of every event that it showed.

npm run simulator -- [options]
${line('--port N', 'listen on this port; 0 means any free one (8080)')}
${line('--host ADDRESS', 'listen on this address (127.0.0.1)')}
${line('--help', 'print this text')}

How the vendor behaves. Without these options it does what its documentation says, and nothing goes wrong:
${lines.join('\n')}

STREAM is SERVICE/EVENT, as in sharepoint/dlp. DURATION is 500ms, 90s, 10m or 72h. RATE and SHARE are from 0 to 1.
Give a value that begins with - after =, as in --clock-skew=-5s.
The requests and the events shown:  GET /simulator/account  and  GET /simulator/events?from=TIME&to=TIME
`
}

function formatDefault(value: unknown, option: string): string {
  if (typeof value === 'number') return option.endsWith('Ms') ? formatDuration(value) : String(value)
  if (typeof value === 'string') return value
  if (option === 'links') return 'absolute'
  return ''
}

function formatDuration(ms: number): string {
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
  if (text.trim() === '' || Number.isNaN(number)) throw new Error('this is not a number.')
  return number
}

const unitsMs: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 }

function readDuration(text: string): number {
  const [, amount, unit] = /^(\d+(?:\.\d+)?)(ms|s|m|h)$/.exec(text) ?? []
  const unitMs = unitsMs[unit ?? '']
  if (amount === undefined || unitMs === undefined) throw new Error('this is not a duration. Give one such as 500ms, 90s, 10m or 72h.')
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
  if (Number.isNaN(at)) throw new Error('this is not a time. Give one such as +30s, -5m or 2026-11-24T20:35:26.120Z.')
  return at
}

function readClockStep(text: string, now: number): { at: number; skewMs: number } {
  const [skew = '', time = ''] = text.split('@')
  return { at: readTime(time, now), skewMs: readSignedDuration(skew) }
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
  if (count === undefined || time === undefined)
    throw new Error('give a burst as N@TIME or N@TIME=STREAM, such as 3000@+30s=sharepoint/dlp.')
  return { count: Number(count), at: readTime(time, now), ...(stream === undefined ? {} : { stream }) }
}
