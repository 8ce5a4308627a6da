import type { SimulatedEvent } from './history.ts'

/** One request of a key; a refused one is recorded too. */
export interface AccountedRequest {
  /** The time of its arrival, on the caller's clock. */
  readonly at: number
  readonly status: number
}

interface KeyTotals {
  /** A key is a secret, so it is named by its number in the order of first use. */
  readonly name: string
  readonly customer: string
  readonly requests: number
  /** Requests that got status 429. */
  readonly refused: number
  readonly maxRequestsInAnyMinute: number
  readonly byStatus: Readonly<Record<string, number>>
}

export interface Totals {
  readonly requests: number
  readonly refused: number
  /** Items in complete responses with status 200. */
  readonly itemsShown: number
  /** Different events among these items; absent in an account of kind `totals`. */
  readonly eventsShown?: number
  readonly keys: readonly KeyTotals[]
}

const minuteMs = 60_000

class KeyAccount {
  readonly customer: string
  readonly requests: AccountedRequest[] = []
  readonly byStatus: Record<string, number> = {}
  count = 0
  maxInAnyMinute = 0
  /** Times of arrival. Those from the index `#oldest` on lie within the last minute. */
  #arrivals: number[] = []
  #oldest = 0

  constructor(customer: string) {
    this.customer = customer
  }

  add(request: AccountedRequest, isKept: boolean): void {
    this.count += 1
    this.byStatus[request.status] = (this.byStatus[request.status] ?? 0) + 1
    if (isKept) this.requests.push(request)
    this.#arrivals.push(request.at)
    while ((this.#arrivals[this.#oldest] ?? request.at) <= request.at - minuteMs) this.#oldest += 1
    this.maxInAnyMinute = Math.max(this.maxInAnyMinute, this.#arrivals.length - this.#oldest)
    if (this.#oldest > 1_000) {
      this.#arrivals = this.#arrivals.slice(this.#oldest)
      this.#oldest = 0
    }
  }
}

/** Records every request and every event shown, so that a test can compare them with what a collector delivered. */
export class Account {
  readonly #isFull: boolean
  readonly #keys = new Map<string, KeyAccount>()
  readonly #shown = new Map<string, SimulatedEvent>()
  #itemsShown = 0

  constructor(isFull: boolean) {
    this.#isFull = isFull
  }

  request(key: string, customer: string, request: AccountedRequest): void {
    let account = this.#keys.get(key)
    if (account === undefined) {
      account = new KeyAccount(customer)
      this.#keys.set(key, account)
    }
    account.add(request, this.#isFull)
  }

  show(events: readonly SimulatedEvent[]): void {
    this.#itemsShown += events.length
    if (this.#isFull) for (const event of events) this.#shown.set(event.id, event)
  }

  /** Returns every request of the key in the order of arrival; an account of kind `totals` has none. */
  requests(key: string): readonly AccountedRequest[] {
    return this.#keys.get(key)?.requests ?? []
  }

  /** Returns the largest number of requests, refused ones included, in any `[t, t + 60 s)`, not only in the vendor's own windows. */
  maxRequestsInAnyMinute(key: string): number {
    return this.#keys.get(key)?.maxInAnyMinute ?? 0
  }

  /** Returns how many requests of the key got status 429. */
  refused(key: string): number {
    return this.#keys.get(key)?.byStatus['429'] ?? 0
  }

  /** Every event of a complete response with status 200, by `log_item_id`; empty in an account of kind `totals`. */
  get shown(): ReadonlyMap<string, SimulatedEvent> {
    return this.#shown
  }

  totals(): Totals {
    const keys = [...this.#keys.values()].map((account, index) => ({
      name: `key ${index + 1}`,
      customer: account.customer,
      requests: account.count,
      refused: account.byStatus['429'] ?? 0,
      maxRequestsInAnyMinute: account.maxInAnyMinute,
      byStatus: { ...account.byStatus },
    }))
    return {
      requests: keys.reduce((sum, { requests }) => sum + requests, 0),
      refused: keys.reduce((sum, { refused }) => sum + refused, 0),
      itemsShown: this.#itemsShown,
      ...(this.#isFull ? { eventsShown: this.#shown.size } : {}),
      keys,
    }
  }
}
