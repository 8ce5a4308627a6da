import { Account } from './account.ts'
import { eventTypeNames, isEventType, isService, partsOf, type StreamName, serviceNames } from './catalogue.ts'
import { History, type SimulatedEvent } from './history.ts'
import { RequestLimiter } from './limiter.ts'
import { cefOf, itemOf } from './messages.ts'
import { historyOptions, parseOptions, type Settings, type SimulatorOptions } from './options.ts'
import { between, pick, type Random, randomFrom, shuffle, unit, uuid } from './random.ts'

export interface SimulatedRequest {
  /** GET when absent. */
  readonly method?: string
  readonly path: string
  /** With or without the question mark. */
  readonly query: string
  /** The header's value. */
  readonly authorization?: string | undefined
  /** What links begin with, `http://127.0.0.1:8080`; the vendor's US site when absent. */
  readonly origin?: string
}

export interface SimulatedResponse {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
  /** Only so many characters of the body arrive, then the connection breaks. */
  readonly truncateAt?: number
  /** From the request's arrival until the answer is sent (ms). */
  readonly delayMs: number
}

/** What a query asks for, as it was when its first page was answered; times on the vendor's clock. */
interface Snapshot {
  readonly customer: string
  readonly stream: StreamName
  readonly start: number
  readonly end: number
  readonly startText: string
  readonly endText: string
  readonly limit: number
  readonly format: 'json' | 'cef'
  /** What could be seen at this moment is in the answer. */
  readonly takenAt: number
  /** Of the order, where it is random. */
  readonly seed: number
}

/** Where in a snapshot the next page begins. */
interface Cursor {
  readonly bucket: number
  /** In the order of reading. */
  readonly index: number
  /** The end of the page before, which comes again. */
  readonly repeated: readonly SimulatedEvent[]
}

interface PageId {
  readonly snapshot: Snapshot
  readonly cursor: Cursor
  readonly key: string
  readonly bornAt: number
}

const paths = ['/v1/siem/security_events', '/siem/v1/security_events']
const documentedLinkPath = '/v1/siem/security_events'
const otherLinkPath = '/siem/v1/security_events'
const usSite = 'https://api.tmcas.trendmicro.com'
const defaultRangeMs = 5 * 60_000
const limitMax = 500
/** Older ones die, whatever `pageIdLifeMs` says. */
const pageIdsMax = 20_000

const errorCodes: Readonly<Record<number, number>> = {
  400: -4000001,
  401: -4010001,
  403: -4030001,
  404: -4040001,
  405: -4050001,
  429: -4290001,
  500: -5000001,
  503: -5030001,
}

/**
 * The vendor's API as a function: deterministic (same options and same requests at the same times, same answers), with no
 * clock and no connection of its own. `startSimulator` puts it behind a port; a simulation calls it in its own time.
 */
export class VendorModel {
  readonly account: Account
  readonly #history: History
  #settings: Settings
  readonly #limiters = new Map<string, RequestLimiter>()
  readonly #pageIds = new Map<string, PageId>()
  #requests = 0
  #lastNow = Number.NEGATIVE_INFINITY

  constructor(options: SimulatorOptions = {}) {
    this.#settings = parseOptions(options)
    this.#history = new History(this.#settings)
    this.account = new Account(this.#settings.account === 'full')
  }

  /** With every default filled in. */
  get settings(): Settings {
    return this.#settings
  }

  /** Changes how the vendor behaves from now on: an outage begins, a key is revoked. What has happened there (the events) cannot change. */
  change(options: SimulatorOptions): void {
    const fixed = historyOptions.filter((name) => name in options)
    if (fixed.length > 0) throw new Error(`${fixed.join(', ')} cannot change once the simulator runs: give it at the start.`)
    this.#settings = parseOptions({ ...this.#settings, ...options })
  }

  /** Answers a request that arrives at `now` (epoch ms). Throws when `now` is before that of an earlier call. */
  answer(request: SimulatedRequest, now: number): SimulatedResponse {
    if (now < this.#lastNow)
      throw new Error(`A request at ${now} after one at ${this.#lastNow}: requests are answered in the order of their arrival.`)
    this.#lastNow = now
    this.#requests += 1
    // The time is in it so that a simulator that is started anew never gives out a page id of its former life.
    const random = randomFrom(this.#settings.seed, this.#requests, now | 0, Math.floor(now / 0x1_0000_0000))
    const key = /^Bearer (\S+)$/i.exec(request.authorization ?? '')?.[1]
    const customer = key === undefined ? undefined : this.#customerOf(key)
    const { answer, shown } = this.#decide(request, key, customer, now, random)
    if (key !== undefined) this.account.request(key, customer ?? 'unknown', { at: now, status: answer.status })
    this.account.show(shown)
    return answer
  }

  /**
   * All events of a stream with `selected` in `[from, to)` (the vendor's clock) that an answer at `until` (the caller's clock;
   * absent: ever) would show, in ascending order. With `lateMaxMs`, only those that could be seen so soon after `selected`.
   */
  *eventsVisible(
    stream: StreamName,
    from: number,
    to: number,
    until = Number.POSITIVE_INFINITY,
    {
      lateMaxMs = Number.POSITIVE_INFINITY,
      customer = this.customers[0] ?? 'customer',
    }: { readonly lateMaxMs?: number; readonly customer?: string } = {},
  ): Iterable<SimulatedEvent> {
    for (const event of this.#history.between(customer, stream, from, to)) {
      if (event.visibleAt <= until + this.#settings.clockSkewMs && event.visibleAt - event.selected <= lateMaxMs) yield event
    }
  }

  get customers(): readonly string[] {
    const { keys } = this.#settings
    return keys.length === 0 ? ['customer'] : [...new Set(keys.map(({ customer }) => customer))]
  }

  #customerOf(key: string): string | undefined {
    const { keys, revokedKeys } = this.#settings
    if (revokedKeys.includes(key)) return undefined
    return keys.length === 0 ? 'customer' : keys.find((known) => known.key === key)?.customer
  }

  #decide(
    { method = 'GET', path, query, origin = usSite }: SimulatedRequest,
    key: string | undefined,
    customer: string | undefined,
    now: number,
    random: Random,
  ): { readonly answer: SimulatedResponse; readonly shown: readonly SimulatedEvent[] } {
    const settings = this.#settings
    const traceId = uuid(random)
    const delayMs = between(random, settings.delayMs.min, settings.delayMs.max)
    const chances = Array.from({ length: 6 }, () => unit(random))
    const happens = (chance: number, rate: number) => (chances[chance] ?? 1) < rate
    const vendorNow = now + settings.clockSkewMs
    const headers = { 'content-type': 'application/json;charset=utf-8', date: new Date(vendorNow).toUTCString() }
    const refuse = (status: number, msg: string, more: Readonly<Record<string, string>> = {}) => ({
      answer: {
        status,
        headers: { ...headers, ...more },
        body: JSON.stringify({ code: errorCodes[status] ?? -status, traceId, msg }),
        delayMs,
      },
      shown: [],
    })
    const refuseAsProxy = (status: number, title: string) => ({
      answer: {
        status,
        headers: { ...headers, 'content-type': 'text/html' },
        body: `<html><head><title>${status} ${title}</title></head><body>${title}</body></html>`,
        delayMs,
      },
      shown: [],
    })

    if (!paths.includes(path)) return refuse(404, `No such API: ${path}`)
    if (method !== 'GET') return refuse(405, `Method ${method} is not supported`)
    if (key === undefined || customer === undefined) return refuse(401, 'Authentication failed: the token is missing, wrong or has expired')
    const admission = this.#limiterOf(key).admit(now, settings)
    if (!admission.ok) return refuse(429, 'Maximum allowed requests exceeded', retryAfter(settings, admission.retryAt - now, vendorNow))
    if (happens(0, settings.redirectRate))
      return refuse(302, 'Moved', { location: `${settings.hostileOrigin}${path}?${query.replace(/^\?/, '')}` })
    if (happens(1, settings.errorRate5xx)) {
      const status = pick(random, [500, 502, 504])
      return status === 500
        ? refuse(500, 'An unexpected situation occurred')
        : refuseAsProxy(status, status === 502 ? 'Bad Gateway' : 'Gateway Time-out')
    }
    if (happens(2, settings.error503Rate)) return refuse(503, 'The service is overloaded or in maintenance')

    const parameters = new URLSearchParams(query)
    const pageId = parameters.get('page_id')
    const asked = pageId === null ? this.#parse(parameters, customer, vendorNow, random) : this.#continue(pageId, key, now)
    if ('problem' in asked) return refuse(asked.status, asked.problem)
    const { snapshot, cursor } = asked
    const { service } = partsOf(snapshot.stream)
    if (settings.forbiddenStreams.includes(service) || settings.forbiddenStreams.includes(snapshot.stream)) {
      return refuse(403, `No permission for ${snapshot.stream}`)
    }

    const oldest = vendorNow - settings.retentionMs
    const fresh = snapshot.limit - (cursor?.repeated.length ?? 0)
    const { found, next } =
      settings.order === 'shuffled'
        ? this.#readShuffled(snapshot, cursor, fresh, oldest)
        : this.#readInOrder(snapshot, cursor, fresh, oldest)
    const inOrder = [...(cursor?.repeated ?? []), ...found]
    const events = settings.order === 'random' ? shuffle(random, inOrder) : inOrder
    let nextLink = ''
    if (next !== undefined) {
      const repeated = inOrder.slice(inOrder.length - Math.min(settings.duplicatesAcrossPages, snapshot.limit - 1, inOrder.length))
      const linkOrigin = happens(3, settings.hostileLinkRate) ? settings.hostileOrigin : origin
      nextLink = this.#link(
        linkOrigin,
        snapshot,
        this.#remember({ snapshot, cursor: { ...next, repeated }, key, bornAt: now }, random),
        settings,
      )
    }
    const last = events.at(-1)
    const page = {
      current_link: this.#link(origin, snapshot, pageId ?? undefined, settings),
      next_link: nextLink,
      last_log_item_generation_time: last === undefined ? '' : new Date(last.generation).toISOString(),
      security_events: events.map(snapshot.format === 'cef' ? cefOf : itemOf),
      traceId,
    }
    if (happens(4, settings.malformedPageRate))
      return { answer: { status: 200, headers, body: malformedPage(page, random), delayMs }, shown: [] }
    const body = JSON.stringify(page)
    if (happens(5, settings.truncateRate))
      return { answer: { status: 200, headers, body, truncateAt: between(random, 0, body.length - 1), delayMs }, shown: [] }
    return { answer: { status: 200, headers, body, delayMs }, shown: events }
  }

  #limiterOf(key: string): RequestLimiter {
    let limiter = this.#limiters.get(key)
    if (limiter === undefined) {
      limiter = new RequestLimiter()
      this.#limiters.set(key, limiter)
    }
    return limiter
  }

  #parse(
    parameters: URLSearchParams,
    customer: string,
    vendorNow: number,
    random: Random,
  ): { readonly snapshot: Snapshot; readonly cursor?: Cursor } | Refusal {
    const service = parameters.get('service')
    const event = parameters.get('event')
    const startText = parameters.get('start')
    const endText = parameters.get('end')
    const limitText = parameters.get('limit')
    const format = parameters.get('format') ?? 'json'
    if (service === null) return badRequest('The mandatory parameter service is missing')
    if (!isService(service)) return badRequest(`service ${service} is not one of ${serviceNames.join(', ')}`)
    if (event === null) return badRequest('The mandatory parameter event is missing')
    if (!isEventType(event)) return badRequest(`event ${event} is not one of ${eventTypeNames.join(', ')}`)
    const givenStart = startText === null ? undefined : timeOf(startText)
    const givenEnd = endText === null ? undefined : timeOf(endText)
    if (Number.isNaN(givenStart)) return badRequest(`start ${startText} is not a time such as 2020-07-19T22:51:40.000Z`)
    if (Number.isNaN(givenEnd)) return badRequest(`end ${endText} is not a time such as 2020-07-19T22:51:40.000Z`)
    if (limitText !== null && !/^[1-9]\d{0,2}$/.test(limitText)) return badRequest(`limit ${limitText} is not from 1 to ${limitMax}`)
    const limit = limitText === null ? limitMax : Number(limitText)
    if (limit > limitMax) return badRequest(`limit ${limit} is not from 1 to ${limitMax}`)
    if (format !== 'json' && format !== 'cef') return badRequest(`format ${format} is not cef`)
    const end = givenEnd ?? (givenStart === undefined ? vendorNow : givenStart + defaultRangeMs)
    const start = givenStart ?? end - defaultRangeMs
    if (end < start) return badRequest(`end ${endText} is earlier than start ${startText}`)
    const stream: StreamName = `${service}/${event}`
    return {
      snapshot: {
        customer,
        stream,
        start,
        end,
        startText: startText ?? new Date(start).toISOString(),
        endText: endText ?? new Date(end).toISOString(),
        limit,
        format,
        takenAt: vendorNow,
        seed: random(),
      },
    }
  }

  #continue(pageId: string, key: string, now: number): { readonly snapshot: Snapshot; readonly cursor: Cursor } | Refusal {
    const { pageIdLifeMs, pageIdBoundToKey, pageIdSingleUse, deadPageIdStatus } = this.#settings
    const known = this.#pageIds.get(pageId)
    const isAlive =
      known !== undefined &&
      (pageIdLifeMs === 0 || now - known.bornAt <= pageIdLifeMs) &&
      (pageIdBoundToKey ? known.key === key : this.#customerOf(key) === known.snapshot.customer)
    if (!isAlive) return { status: deadPageIdStatus, problem: 'page_id is not valid or has expired' }
    if (pageIdSingleUse) this.#pageIds.delete(pageId)
    return known
  }

  #remember(page: PageId, random: Random): string {
    const pageId = Buffer.from(uuid(random)).toString('base64')
    this.#pageIds.set(pageId, page)
    const { pageIdLifeMs } = this.#settings
    for (const [oldest, { bornAt }] of this.#pageIds) {
      const isDead = pageIdLifeMs > 0 && page.bornAt - bornAt > pageIdLifeMs
      if (!isDead && this.#pageIds.size <= pageIdsMax) break
      this.#pageIds.delete(oldest)
    }
    return pageId
  }

  #link(origin: string, snapshot: Snapshot, pageId: string | undefined, { links }: Settings): string {
    const path = links.includes('other-path') ? otherLinkPath : documentedLinkPath
    const prefix = links.includes('path-only') ? '' : links.includes('no-scheme') ? origin.replace(/^https?:\/\//, '') : origin
    const { service, event } = partsOf(snapshot.stream)
    const page = pageId === undefined ? '' : `&page_id=${encodeURIComponent(pageId)}`
    const format = snapshot.format === 'cef' ? '&format=cef' : ''
    return `${prefix}${path}?service=${service}&event=${event}&start=${snapshot.startText}&end=${snapshot.endText}&limit=${snapshot.limit}${page}${format}`
  }

  #matches(snapshot: Snapshot, event: SimulatedEvent, oldest: number): boolean {
    const { bounds } = this.#settings
    const isStartOpen = bounds === 'exclusive' || bounds === 'start-exclusive'
    const isEndOpen = bounds === 'exclusive' || bounds === 'half-open'
    return (
      event.visibleAt <= snapshot.takenAt &&
      event.selected >= oldest &&
      (isStartOpen ? event.selected > snapshot.start : event.selected >= snapshot.start) &&
      (isEndOpen ? event.selected < snapshot.end : event.selected <= snapshot.end)
    )
  }

  /** `count` events from the cursor on, and where the next one is, if there is one. */
  #readInOrder(
    snapshot: Snapshot,
    cursor: Cursor | undefined,
    count: number,
    oldest: number,
  ): { readonly found: SimulatedEvent[]; readonly next?: Omit<Cursor, 'repeated'> } {
    const { customer, stream } = snapshot
    const width = this.#history.bucketMs(stream)
    const isDescending = this.#settings.order === 'descending'
    const first = Math.floor(Math.max(snapshot.start, oldest) / width)
    const last = Math.floor(Math.min(snapshot.end, snapshot.takenAt) / width)
    const found: SimulatedEvent[] = []
    let bucket = cursor?.bucket ?? (isDescending ? last : first)
    let index = cursor?.index ?? 0
    if (bucket < first && !isDescending) {
      bucket = first
      index = 0
    }
    for (; bucket >= first && bucket <= last; bucket += isDescending ? -1 : 1) {
      const events = this.#history.bucket(customer, stream, bucket)
      for (; index < events.length; index += 1) {
        const event = events[isDescending ? events.length - 1 - index : index]
        if (event === undefined || !this.#matches(snapshot, event, oldest)) continue
        if (found.length === count) return { found, next: { bucket, index } }
        found.push(event)
      }
      index = 0
    }
    return { found }
  }

  /** Makes the whole order anew for each page, so that no page id has to hold it. */
  #readShuffled(
    snapshot: Snapshot,
    cursor: Cursor | undefined,
    count: number,
    oldest: number,
  ): { readonly found: SimulatedEvent[]; readonly next?: Omit<Cursor, 'repeated'> } {
    const everything = Number.MAX_SAFE_INTEGER
    const { found: all } = this.#readInOrder(snapshot, undefined, everything, snapshot.takenAt - this.#settings.retentionMs)
    const mixed = shuffle(randomFrom(snapshot.seed, 1, 1), all)
    const found: SimulatedEvent[] = []
    for (let index = cursor?.index ?? 0; index < mixed.length; index += 1) {
      const event = mixed[index]
      if (event === undefined || event.selected < oldest) continue
      if (found.length === count) return { found, next: { bucket: 0, index } }
      found.push(event)
    }
    return { found }
  }
}

interface Refusal {
  readonly status: number
  readonly problem: string
}

function badRequest(problem: string): Refusal {
  return { status: 400, problem }
}

/** NaN for what is no time as the vendor documents it. */
function timeOf(text: string): number {
  return /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{3})?Z$/.test(text) ? Date.parse(text) : Number.NaN
}

function retryAfter({ retryAfter: form }: Settings, waitMs: number, vendorNow: number): Readonly<Record<string, string>> {
  if (form === 'none') return {}
  const seconds = Math.max(1, Math.ceil(waitMs / 1_000))
  // A date has no milliseconds: a whole second later, so that it is never too early.
  return { 'retry-after': form === 'seconds' ? String(seconds) : new Date(vendorNow + waitMs + 999).toUTCString() }
}

function malformedPage(page: { readonly security_events: unknown; readonly traceId: string }, random: Random): string {
  return pick(random, [
    () => '',
    () => '<html><body>Please sign in</body></html>',
    () => JSON.stringify([page]),
    () => 'null',
    () => JSON.stringify({ ...page, security_events: { 0: 'not a list' } }),
    () => JSON.stringify({ ...page, security_events: null }),
    () => JSON.stringify({ ...page, next_link: 7 }),
    () => JSON.stringify({ traceId: page.traceId }),
    () => `${JSON.stringify(page)}}`,
  ])()
}
