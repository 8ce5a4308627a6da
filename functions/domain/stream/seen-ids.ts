import type { Instant } from '../time.ts'
import type { Interval } from './stream.ts'

/** The fate of an event, by its id. */
export type SeenMark = 'delivered' | 'filtered'

/** A stored id: the first 8 bytes of its SHA-256, as 16 lower-case hex digits. */
export type SeenHash = string

/** The new ids of one page: one item of the state table. */
export interface SeenPage {
  /** The range that the page belongs to. */
  readonly range: Interval
  /** Makes the key unique for good: the stream's version when the page was read. */
  readonly version: number
  readonly ids: readonly { readonly hash: SeenHash; readonly mark: SeenMark }[]
  readonly expiresAt: Instant
}

/**
 * The class of a range's width: the smallest k with width ≤ 4^k ms. Seen ids are stored by class, so that one wide range in the past
 * does not make every narrow range load days of ids.
 */
export function seenClass(range: Interval): number {
  let k = 0
  for (let width = 1; width < range.to - range.from; width *= 4) k += 1
  return k
}

/** The widest range of a class (ms). */
export function seenClassWidth(k: number): number {
  return 4 ** k
}
