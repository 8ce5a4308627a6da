import { failures } from '../../failures.ts'
import { type ConnectorStatus, formatRefusedEdit, withState } from '../../status/status.ts'
import type { StreamState } from '../../stream/stream.ts'
import { day, type Instant } from '../../time.ts'
import { timeText } from './test-answer.ts'

/** Unread events are nearer to the retention limit than this (ms): the connector is losing data, whatever its Test says. */
const losingMs = day

/**
 * The status after a Test in which every step passed: the connector is no longer failing. Undefined if it was not: a refusal, a pause and a
 * loss stay. `accepted`: the fingerprints of the keys that the vendor has just accepted; only their rejections end.
 */
export function statusAfterTest(status: ConnectorStatus, accepted: readonly string[], now: Instant): ConnectorStatus | undefined {
  if (status.state !== 'failing') return undefined
  const { trouble: _, ...rest } = status
  const rejectedKeys = Object.fromEntries(Object.entries(rest.rejectedKeys).filter(([fingerprint]) => !accepted.includes(fingerprint)))
  const { lastRunAt = now, retentionLeftMs = Number.POSITIVE_INFINITY, streamsBehind = 0, problems } = rest
  const isBehind = streamsBehind > 0
  const isLosing = isBehind && retentionLeftMs - (now - lastRunAt) < losingMs
  const reason = [`A Test passed at ${timeText(now)}. The next run shows whether the fault is gone.`, ...formatRefusedEdit(problems)].join(
    ' ',
  )
  return withState({ ...rest, rejectedKeys }, { state: isLosing ? 'losing-data' : isBehind ? 'catching-up' : 'ok', reason }, now)
}

/**
 * A stream after such a Test: its wait ends, and one more failure makes its trouble last again, so that a fault which is still there is
 * seen with the next run. Undefined if it has no trouble.
 */
export function streamAfterTest(stream: StreamState, now: Instant): StreamState | undefined {
  const { trouble, version } = stream
  if (trouble === undefined) return undefined
  const attempts = Math.min(trouble.attempts, failures[trouble.failure.code].lastsFrom - 1)
  return { ...stream, version: version + 1, trouble: { ...trouble, attempts, until: Math.min(trouble.until, now) } }
}
