import { day, durationText, minute } from '../../time.ts'

/** The requests that a connector asks of its keys, and the age that its events have in the lake because of the limit. */

/** A connector that uses API keys. */
export interface Asking {
  readonly connectorId: string
  /** Pairs of a content type and an event type (count). */
  readonly streams: number
  readonly intervalMinutes: number
  /** Keys that it has (count). */
  readonly keys: number
}

export interface Budget {
  /** Requests of one interval over all streams (count). */
  readonly ofPass: number
  /** Requests a minute that it asks for, on average. */
  readonly perMinute: number
  /** Requests a minute that all of its keys have, and the others ask of them. */
  readonly limit: number
  readonly othersPerMinute: number
  /** The age that an event has in the lake at most, while nothing is behind (ms). */
  readonly ageMs: number
  readonly fits: boolean
}

/** A stream is read twice in each interval: early, and again when late events have come (requests). */
const readsOfInterval = 2
/** The lake has a record within this time after it was delivered (ms). */
const lakeMs = minute

/** `limitOfKey`: requests a minute. `others`: for each key of the connector, the other connectors that use it. */
export function budgetOf(asking: Asking, limitOfKey: number, others: readonly Asking[]): Budget {
  const perMinute = perMinuteOf(asking)
  // A connector with several keys asks each of them for its part.
  const othersPerMinute = others.reduce((sum, other) => sum + perMinuteOf(other) / Math.max(1, other.keys), 0)
  const limit = limitOfKey * Math.max(1, asking.keys)
  // A limiter shares a key that is overbooked among all who ask, so something is always left.
  const left = Math.max(limit - othersPerMinute, limit / (others.length + 1))
  const ofPass = readsOfInterval * asking.streams
  const passMs = (ofPass / left) * minute
  const ageMs = Math.max(asking.intervalMinutes * minute, passMs) + passMs + lakeMs
  return { ofPass, perMinute, limit, othersPerMinute, ageMs, fits: perMinute + othersPerMinute <= limit }
}

function perMinuteOf({ streams, intervalMinutes }: Asking): number {
  return (readsOfInterval * streams) / intervalMinutes
}

/** One or two sentences. `others`: their names, as far as the reader may know them. */
export function budgetText({ ofPass, perMinute, limit, othersPerMinute, ageMs }: Budget, others: readonly string[]): string {
  const users = others.length === 0 ? 'Nobody else uses its keys.' : `${others.join(', ')} ask for ${rateText(othersPerMinute)} more.`
  return `A pass needs ${ofPass} requests, on average ${rateText(perMinute)} of ${rateText(limit)}. ${users} An event is at most about ${durationText(ageMs)} old when the lake has it.`
}

/** Requests a minute that limits of a minute and of a day allow together. */
export function limitPerMinute(perMinute: number, perDay: number | undefined): number {
  return perDay === undefined ? perMinute : Math.min(perMinute, (perDay * minute) / day)
}

/** A connector with the keys that it names. */
export interface KeyUser {
  readonly connectorId: string
  readonly streams: number
  readonly intervalMinutes: number
  /** Names of what has a limit of its own at the vendor: a secret, or a rate group, whose keys share one. At least one. */
  readonly keys: readonly string[]
  /** Requests a minute that each of them has. The lowest value of all users counts. */
  readonly limitPerMinute: number
}

/** The budget of connectors that name the same keys. */
export interface KeyBudget {
  readonly keys: readonly string[]
  readonly connectorIds: readonly string[]
  readonly streams: number
  /** Requests of one interval over all streams (count). */
  readonly ofPass: number
  /** Requests a minute that everybody asks of the keys, on average, and that the keys have. */
  readonly perMinute: number
  readonly limit: number
  /** The highest age of an event, of all connectors (ms). */
  readonly ageMs: number
  readonly fits: boolean
}

/** A budget for each set of keys that connectors name, the scarcest first. */
export function keyBudgets(users: readonly KeyUser[]): readonly KeyBudget[] {
  const byKey = new Map<string, KeyUser[]>()
  for (const user of users) for (const key of user.keys) byKey.set(key, [...(byKey.get(key) ?? []), user])
  const bySet = Map.groupBy(users, ({ keys }) => JSON.stringify([...keys].sort()))
  return [...bySet.values()].map((same) => keyBudget(same, byKey)).sort((a, b) => b.perMinute / b.limit - a.perMinute / a.limit)
}

function keyBudget(same: readonly KeyUser[], byKey: ReadonlyMap<string, readonly KeyUser[]>): KeyBudget {
  const keys = [...(same[0]?.keys ?? [])].sort()
  const usersOfKeys = keys.flatMap((key) => byKey.get(key) ?? [])
  const limitOfKey = Math.min(...usersOfKeys.map((user) => user.limitPerMinute))
  const askings = usersOfKeys.map((user) => ({ ...user, keys: user.keys.length }))
  const budgets = same.map((user) => {
    const others = askings.filter(({ connectorId }) => connectorId !== user.connectorId)
    return budgetOf({ ...user, keys: keys.length }, limitOfKey, others)
  })
  const [first] = budgets
  return {
    keys,
    connectorIds: same.map(({ connectorId }) => connectorId),
    streams: same.reduce((sum, { streams }) => sum + streams, 0),
    ofPass: budgets.reduce((sum, { ofPass }) => sum + ofPass, 0),
    // Its own requests and those of all others: the same sum for each of them.
    perMinute: first === undefined ? 0 : first.perMinute + first.othersPerMinute,
    limit: first?.limit ?? 0,
    ageMs: Math.max(...budgets.map(({ ageMs }) => ageMs)),
    fits: budgets.every(({ fits }) => fits),
  }
}

function rateText(perMinute: number): string {
  return `${perMinute < 10 ? Math.round(perMinute * 10) / 10 : Math.round(perMinute)} a minute`
}
