import { durationText, minute } from '../../time.ts'

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

function rateText(perMinute: number): string {
  return `${perMinute < 10 ? Math.round(perMinute * 10) / 10 : Math.round(perMinute)} a minute`
}
