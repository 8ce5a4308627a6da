import { Account } from './account.ts'
import { partsOf, type StreamName } from './catalogue.ts'
import { History, type SimulatedEvent } from './history.ts'
import { RequestLimiter } from './limiter.ts'
import { cefOf, itemOf } from './messages.ts'
import { historyOptions, parseOptions, type Settings, type SimulatorOptions } from './options.ts'
import { PageIds } from './page-ids.ts'
import { type Cursor, readPage } from './pages.ts'
import { parseQuery, type Refusal, type Snapshot } from './query.ts'
import { between, pick, type Random, randomFrom, shuffle, unit, uuid } from './random.ts'

export interface SimulatedRequest {
  /** GET when absent. */
  readonly method?: string
  readonly path: string
  /** With or without the question mark. */
  readonly query: string
  /** The value of the Authorization header. */
  readonly authorization?: string | undefined
  /** Links begin with it, such as `http://127.0.0.1:8080`; the vendor's US origin when absent. */
  readonly origin?: string
}

export interface SimulatedResponse {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
  /** The connection breaks after this number of characters of the body. */
  readonly truncateAt?: number
  /** The time from the arrival of the request to its response (ms). */
  readonly delayMs: number
}

/** A response and the events that a complete one shows. */
interface Reply {
  readonly response: SimulatedResponse
  readonly shown: readonly SimulatedEvent[]
}

interface Caller {
  readonly key: string
  readonly customer: string
}

/** One request, and everything about its response that is decided before the request is read. */
interface Exchange {
  readonly request: SimulatedRequest
  readonly now: number
  readonly vendorNow: number
  readonly random: Random
  readonly traceId: string
  readonly delayMs: number
  /** For each kind of trouble a number in [0, 1); the trouble happens when the number is below its rate. */
  readonly chances: Readonly<Record<'redirect' | 'serverError' | 'overload' | 'hostileLink' | 'malformedPage' | 'truncation', number>>
}

const paths = ['/v1/siem/security_events', '/siem/v1/security_events']
const documentedLinkPath = '/v1/siem/security_events'
const otherLinkPath = '/siem/v1/security_events'
const usOrigin = 'https://api.tmcas.trendmicro.com'

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
 * The vendor's API as a function, with no clock and no connection of its own: the same options and the same requests at the same
 * times give the same responses. `startSimulator` puts it behind a port; a simulation calls it in its own time.
 */
export class VendorModel {
  readonly account: Account
  readonly #history: History
  #settings: Settings
  readonly #limiters = new Map<string, RequestLimiter>()
  readonly #pageIds = new PageIds()
  #requests = 0
  #lastNow = Number.NEGATIVE_INFINITY

  constructor(options: SimulatorOptions = {}) {
    this.#settings = parseOptions(options)
    this.#history = new History(this.#settings)
    this.account = new Account(this.#settings.account === 'full')
  }

  /** All options, with their defaults filled in. */
  get settings(): Settings {
    return this.#settings
  }

  /** Changes how the vendor behaves from now on: an outage begins, a key is revoked. The events of the past and the future cannot change. */
  change(options: SimulatorOptions): void {
    const fixed = historyOptions.filter((name) => name in options)
    if (fixed.length > 0) throw new Error(`${fixed.join(', ')} cannot change while the simulator runs. Give it at the start.`)
    this.#settings = parseOptions({ ...this.#settings, ...options })
  }

  /** Responds to a request that arrives at `now` (epoch ms). Throws when `now` is before that of an earlier call. */
  respond(request: SimulatedRequest, now: number): SimulatedResponse {
    if (now < this.#lastNow)
      throw new Error(`A request at ${now} came after a request at ${this.#lastNow}. Send requests in the order of their arrival.`)
    this.#lastNow = now
    this.#requests += 1
    // The seed contains the time, so that a restarted simulator never repeats a page id from before.
    const random = randomFrom(this.#settings.seed, this.#requests, now | 0, Math.floor(now / 0x1_0000_0000))
    const key = /^Bearer (\S+)$/i.exec(request.authorization ?? '')?.[1]
    const customer = key === undefined ? undefined : this.#customerOf(key)
    const caller = key === undefined || customer === undefined ? undefined : { key, customer }
    const { response, shown } = this.#reply(this.#exchange(request, now, random), caller)
    if (key !== undefined) this.account.request(key, customer ?? 'unknown', { at: now, status: response.status })
    this.account.show(shown)
    return response.status === 429 ? { ...response, status: this.#settings.throttledStatus } : response
  }

  /**
   * Yields all events of a stream with `selected` in `[from, to)` (the vendor's clock), in ascending order, that a response at `until`
   * (the caller's clock; any time when absent) would show. With `lateMaxMs`, only events that could be seen so soon after `selected`.
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
      if (event.visibleAt <= until + this.skewMs(until) && event.visibleAt - event.selected <= lateMaxMs) yield event
    }
  }

  /** How far the vendor's clock is ahead at `now`, the caller's clock (ms). */
  skewMs(now: number): number {
    const { clockSteps, clockSkewMs } = this.#settings
    return clockSteps.findLast(({ at }) => at <= now)?.skewMs ?? clockSkewMs
  }

  /** Whether somebody else uses the keys, so that requests may be refused although the limit was kept. */
  get hasOtherConsumer(): boolean {
    return this.#settings.otherRequestsPerMinute > 0
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

  /** Draws random numbers in the same order for every request, so that an option changes only the responses that it is about. */
  #exchange(request: SimulatedRequest, now: number, random: Random): Exchange {
    const { cachedAgeMaxMs, delayMs } = this.#settings
    const isFirstPage = !request.query.includes('page_id=')
    const ageMs = isFirstPage && cachedAgeMaxMs > 0 ? between(random, 0, cachedAgeMaxMs) : 0
    return {
      request,
      now,
      vendorNow: now + this.skewMs(now) - ageMs,
      random,
      traceId: uuid(random),
      delayMs: between(random, delayMs.min, delayMs.max),
      chances: {
        redirect: unit(random),
        serverError: unit(random),
        overload: unit(random),
        hostileLink: unit(random),
        malformedPage: unit(random),
        truncation: unit(random),
      },
    }
  }

  #reply(exchange: Exchange, caller: Caller | undefined): Reply {
    const { request, now, vendorNow, random } = exchange
    const { method = 'GET', path, query } = request
    const settings = this.#settings
    if (!paths.includes(path)) return refuse(exchange, 404, `No such API: ${path}`)
    if (method !== 'GET') return refuse(exchange, 405, `Method ${method} is not supported`)
    if (caller === undefined) return refuse(exchange, 401, 'Authentication failed: the token is missing, wrong or has expired')
    const admission = this.#limiterOf(caller.key).admit(now, settings)
    if (!admission.ok) {
      const headers = retryAfter(settings, admission.retryAt - now, vendorNow)
      return refuse(exchange, 429, 'Maximum allowed requests exceeded', headers)
    }
    const trouble = this.#trouble(exchange)
    if (trouble !== undefined) return trouble

    const parameters = new URLSearchParams(query)
    const pageId = parameters.get('page_id')
    const wanted = pageId === null ? parseQuery(parameters, caller.customer, vendorNow, random) : this.#continueFrom(pageId, caller, now)
    if ('problem' in wanted) return refuse(exchange, wanted.status, wanted.problem)
    const { stream } = wanted.snapshot
    if (settings.forbiddenStreams.includes(partsOf(stream).service) || settings.forbiddenStreams.includes(stream)) {
      return refuse(exchange, 403, `No permission for ${stream}`)
    }
    return this.#page(exchange, caller, wanted, pageId ?? undefined)
  }

  #trouble(exchange: Exchange): Reply | undefined {
    const { request, chances, random } = exchange
    const { redirectRate, hostileOrigin, errorRate5xx, error503Rate } = this.#settings
    if (chances.redirect < redirectRate) {
      return refuse(exchange, 302, 'Moved', { location: `${hostileOrigin}${request.path}?${request.query.replace(/^\?/, '')}` })
    }
    if (chances.serverError < errorRate5xx) {
      const status = pick(random, [500, 502, 504])
      if (status === 500) return refuse(exchange, 500, 'An unexpected situation occurred')
      return refuseAsProxy(exchange, status, status === 502 ? 'Bad Gateway' : 'Gateway Time-out')
    }
    if (chances.overload < error503Rate) return refuse(exchange, 503, 'The service is overloaded or in maintenance')
    return undefined
  }

  #page(
    exchange: Exchange,
    { key }: Caller,
    { snapshot, cursor }: { readonly snapshot: Snapshot; readonly cursor?: Cursor },
    pageId: string | undefined,
  ): Reply {
    const { request, now, vendorNow, random, traceId, delayMs, chances } = exchange
    const { origin = usOrigin } = request
    const settings = this.#settings
    const repeated = cursor?.repeated ?? []
    const count = snapshot.limit - repeated.length
    const isEndless = settings.endlessStreams.includes(snapshot.stream)
    const { found, next } = isEndless
      ? { found: [], next: { bucket: 0, index: 0 } }
      : readPage(this.#history, settings, {
          snapshot,
          cursor,
          count,
          oldest: vendorNow - settings.retentionMs,
          vendorNow,
        })
    const inOrder = [...repeated, ...found]
    const events = settings.order === 'random' ? shuffle(random, inOrder) : inOrder
    let nextLink = ''
    if (next !== undefined) {
      const nextId = Buffer.from(uuid(random)).toString('base64')
      const repeatedCount = Math.min(settings.duplicatesAcrossPages, snapshot.limit - 1, inOrder.length)
      const nextCursor = { ...next, repeated: inOrder.slice(inOrder.length - repeatedCount) }
      this.#pageIds.add(nextId, { snapshot, cursor: nextCursor, key, bornAt: now }, settings)
      nextLink = linkTo(chances.hostileLink < settings.hostileLinkRate ? settings.hostileOrigin : origin, snapshot, nextId, settings)
    }
    if (events.length === 0 && next === undefined && settings.emptyPages === 'no-content') {
      return { response: { status: 204, headers: headersOf(exchange), body: '', delayMs }, shown: [] }
    }
    const last = events.at(-1)
    const page = {
      current_link: linkTo(origin, snapshot, pageId, settings),
      next_link: nextLink,
      last_log_item_generation_time: last === undefined ? '' : new Date(last.generation).toISOString(),
      security_events:
        events.length === 0 && settings.emptyPages === 'null' ? null : events.map(snapshot.format === 'cef' ? cefOf : itemOf),
      traceId,
    }
    const head = { status: 200, headers: headersOf(exchange), delayMs }
    if (chances.malformedPage < settings.malformedPageRate) return { response: { ...head, body: malformedPage(page, random) }, shown: [] }
    const body = JSON.stringify(page)
    if (chances.truncation < settings.truncateRate) {
      return { response: { ...head, body, truncateAt: between(random, 0, body.length - 1) }, shown: [] }
    }
    return { response: { ...head, body }, shown: events }
  }

  #limiterOf(key: string): RequestLimiter {
    let limiter = this.#limiters.get(key)
    if (limiter === undefined) {
      limiter = new RequestLimiter()
      this.#limiters.set(key, limiter)
    }
    return limiter
  }

  #continueFrom(pageId: string, caller: Caller, now: number): { readonly snapshot: Snapshot; readonly cursor: Cursor } | Refusal {
    const page = this.#pageIds.use(pageId, caller, now, this.#settings)
    return page ?? { status: this.#settings.deadPageIdStatus, problem: 'page_id is not valid or has expired' }
  }
}

function headersOf({ vendorNow }: Exchange): Readonly<Record<string, string>> {
  return { 'content-type': 'application/json;charset=utf-8', date: new Date(vendorNow).toUTCString() }
}

function refuse(exchange: Exchange, status: number, msg: string, headers: Readonly<Record<string, string>> = {}): Reply {
  const { traceId, delayMs } = exchange
  const body = JSON.stringify({ code: errorCodes[status] ?? -status, traceId, msg })
  return { response: { status, headers: { ...headersOf(exchange), ...headers }, body, delayMs }, shown: [] }
}

function refuseAsProxy(exchange: Exchange, status: number, title: string): Reply {
  const headers = { ...headersOf(exchange), 'content-type': 'text/html' }
  const body = `<html><head><title>${status} ${title}</title></head><body>${title}</body></html>`
  return { response: { status, headers, body, delayMs: exchange.delayMs }, shown: [] }
}

function linkTo(origin: string, snapshot: Snapshot, pageId: string | undefined, { links }: Settings): string {
  const path = links.includes('other-path') ? otherLinkPath : documentedLinkPath
  const prefix = links.includes('path-only') ? '' : links.includes('no-scheme') ? origin.replace(/^https?:\/\//, '') : origin
  const { service, event } = partsOf(snapshot.stream)
  const page = pageId === undefined ? '' : `&page_id=${encodeURIComponent(pageId)}`
  const format = snapshot.format === 'cef' ? '&format=cef' : ''
  return `${prefix}${path}?service=${service}&event=${event}&start=${snapshot.startText}&end=${snapshot.endText}&limit=${snapshot.limit}${page}${format}`
}

function retryAfter({ retryAfter: form }: Settings, waitMs: number, vendorNow: number): Readonly<Record<string, string>> {
  if (form === 'none') return {}
  const seconds = Math.max(1, Math.ceil(waitMs / 1_000))
  // A date has no milliseconds. It is rounded up to a whole second, so that it is never too early.
  return { 'retry-after': form === 'seconds' ? String(seconds) : new Date(vendorNow + waitMs + 999).toUTCString() }
}

function malformedPage(page: { readonly security_events: unknown; readonly traceId: string }, random: Random): string {
  return pick(random, [
    () => '',
    () => '<html><body>Please sign in</body></html>',
    () => JSON.stringify([page]),
    () => 'null',
    () => JSON.stringify({ ...page, security_events: { 0: 'not a list' } }),
    () => JSON.stringify({ ...page, next_link: 7 }),
    () => JSON.stringify({ traceId: page.traceId }),
    () => `${JSON.stringify(page)}}`,
  ])()
}
