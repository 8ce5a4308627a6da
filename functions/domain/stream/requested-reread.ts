import type { Problem } from '../connector/problems.ts'
import { type Instant, iso, minute } from '../time.ts'
import type { Interval, RequestedReread, StreamState } from './stream.ts'

/** Requests that wait for their turn (count). */
const requestsMax = 10
/** The retention limit moves while a request waits (ms). */
const retentionMarginMs = 10 * minute

/** The problem of an interval that cannot be read again. `retentionMs`: how long the vendor keeps events. */
export function rereadProblem({ from, to }: Interval, now: Instant, retentionMs: number): Problem | undefined {
  if (from >= to) return { path: 'to', message: 'It is not after from. Give a later time.' }
  if (to > now) return { path: 'to', message: `It is in the future. Give a time up to ${iso(now)}.` }
  const limit = now - retentionMs + retentionMarginMs
  if (from >= limit) return undefined
  return { path: 'from', message: `The vendor no longer keeps events from before ${iso(limit)}. Give that time or a later one.` }
}

/** The stream with the request in line. The same one twice is one. A stream with too many of them joins the last two. */
export function requestReread(stream: StreamState, request: RequestedReread, now: Instant): StreamState {
  const { requestedRereads: waiting = [] } = stream
  const wanted = { ...request, from: Math.max(request.from, stream.since), to: Math.min(request.to, now) }
  const isThere = waiting.some(({ from, to, redeliver }) => from === wanted.from && to === wanted.to && redeliver === wanted.redeliver)
  if (isThere || wanted.from >= wanted.to) return stream
  const last = waiting.at(-1)
  if (last === undefined || waiting.length < requestsMax) return { ...stream, requestedRereads: [...waiting, wanted] }
  const joined = {
    from: Math.min(last.from, wanted.from),
    to: Math.max(last.to, wanted.to),
    ...(last.redeliver === true || wanted.redeliver === true ? { redeliver: true as const } : {}),
  }
  return { ...stream, requestedRereads: [...waiting.slice(0, -1), joined] }
}
