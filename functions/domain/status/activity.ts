import { hour, type Instant, minute } from '../time.ts'

/** The requests and the events of the last hour: they tell a quiet connector from a broken one. */

/** Counts of ten minutes. */
export interface Activity {
  readonly from: Instant
  readonly requests: number
  readonly delivered: number
}

const partMs = 10 * minute

/** Adds counts of now, and forgets those of more than an hour ago. */
export function addActivity(
  before: readonly Activity[],
  more: { readonly requests: number; readonly delivered: number },
  now: Instant,
): readonly Activity[] {
  const from = Math.floor(now / partMs) * partMs
  const { requests, delivered } = before.find((part) => part.from === from) ?? { requests: 0, delivered: 0 }
  const current = { from, requests: requests + more.requests, delivered: delivered + more.delivered }
  return [...before.filter((part) => part.from !== from && isRecent(part, now)), current]
}

function isRecent({ from }: Activity, now: Instant): boolean {
  return from > now - hour - partMs && from <= now
}

/** A sentence about the last hour: it delivers, or it is quiet. Empty if nothing was asked. */
export function activityText(parts: readonly Activity[], now: Instant): string {
  const recent = parts.filter((part) => isRecent(part, now))
  const sum = (of: (part: Activity) => number) => recent.reduce((total, part) => total + of(part), 0)
  const [requests, delivered] = [sum((part) => part.requests), sum((part) => part.delivered)]
  if (requests === 0) return ''
  if (delivered > 0) return `Delivering: ${countText(delivered, 'event')} in the last hour.`
  return `Quiet: ${countText(requests, 'request')} in the last hour, and nothing new.`
}

function countText(count: number, what: string): string {
  return `${count.toLocaleString('en-US')} ${what}${count === 1 ? '' : 's'}`
}
