import { type Consequence, effects, type Failure, failures } from '../../domain/failures.ts'
import type { StreamId, StreamState } from '../../domain/stream/stream.ts'
import { type Instant, minute } from '../../domain/time.ts'

/** A key that has read a page this long ago still counts as working (ms): a few runs of most connectors. */
const worksMs = 15 * minute

/** A step of a run, with the streams of its connector. */
interface Step {
  readonly stream: StreamId
  /** The fingerprint of the key. */
  readonly key: string
  readonly streams: ReadonlyMap<StreamId, StreamState>
}

/** The failures of one run: it knows which of them came in a row, and so are not their stream's alone. */
export class RunFailures {
  /** The fingerprints of the keys that have read a page in this run. */
  private readonly working = new Set<string>()
  /** Refusals of each key since it last worked, by fingerprint. */
  private readonly refusals = new Map<string, number>()
  /** The streams whose requests have failed since the origin last responded. */
  private readonly unanswered = new Set<StreamId>()

  pageRead(key: string): void {
    this.working.add(key)
    this.refusals.delete(key)
    this.unanswered.clear()
  }

  /** Whether the key works for another stream: in this run, or, if the connector has no other key, lately. */
  keyWorks({ stream, key, streams }: Step, isOnlyKey: boolean, now: Instant): boolean {
    if (this.working.has(key)) return true
    const worked = ([id, { trouble, lastReadAt = 0 }]: readonly [StreamId, StreamState]) =>
      id !== stream && trouble === undefined && lastReadAt > now - worksMs
    return isOnlyKey && !this.refusals.has(key) && [...streams].some(worked)
  }

  /** The consequence of a failed step for the rest of the run. `keyWorks`: as it was before the step. */
  stepFailed({ stream, key, streams }: Step, why: Failure, keyWorks: boolean): Consequence {
    const { scope } = failures[why.code]
    if (scope !== 'origin') this.unanswered.clear()
    const { once, again } = effects[scope]
    return this.isRepeated({ stream, key, streams }, scope, keyWorks) ? again : once
  }

  private isRepeated({ stream, key, streams }: Step, scope: keyof typeof effects, keyWorks: boolean): boolean {
    if (scope === 'key') {
      if (keyWorks) return false
      const refusals = (this.refusals.get(key) ?? 0) + 1
      this.refusals.set(key, refusals)
      return refusals > 1 || streams.size === 1
    }
    if (scope !== 'origin') return false
    this.unanswered.add(stream)
    return this.unanswered.size > 1 || (streams.size === 1 && (streams.get(stream)?.trouble?.attempts ?? 0) > 1)
  }
}
