import type { Instant } from '../time.ts'
import type { Interval } from './stream.ts'

/** The fate of an event, by its id. */
export type SeenMark = 'delivered' | 'filtered'

/** A stored id or content: the first 8 bytes of its SHA-256, as 16 lower-case hex digits. */
export type SeenHash = string

/** `digest`: in hex. */
export function seenHash(digest: string): SeenHash {
  return digest.slice(0, 16)
}

/** The content of a seen item. By it an update under the same id is told from the same item. */
export interface SeenContent {
  readonly hash: SeenHash
  /** Names the fields that were left out of the identity. Contents are compared only if it is the same. */
  readonly rule: string
  /** Fingerprints of the fields (`field-prints`), for one item of a page. */
  readonly fields?: Uint8Array
}

export interface SeenId {
  readonly hash: SeenHash
  readonly mark: SeenMark
  /** Absent if a release before 0.4.0 stored the id: then the id alone decides. */
  readonly content?: SeenContent
}

/** The new ids of one page: one item of the state table. */
export interface SeenPage {
  /** The range that the page belongs to. */
  readonly range: Interval
  /** Makes the key unique for good: the stream's version when the page was read. */
  readonly version: number
  readonly ids: readonly SeenId[]
  readonly expiresAt: Instant
}

/**
 * - `new`: the id was never seen.
 * - `changed`: the id was seen, with other content.
 * - `seen`: the id was seen with this content, or by a release that did not keep the content.
 */
export type SeenVerdict = 'new' | 'changed' | 'seen'

/** The items of a range that were seen. */
export class SeenItems {
  /** The contents of each id; none if the id alone decides. */
  private readonly contents = new Map<SeenHash, readonly SeenHash[]>()
  private readonly fields = new Map<SeenHash, Uint8Array>()
  /** Names the fields that are left out of the identity now. */
  readonly rule: string

  constructor(rule: string) {
    this.rule = rule
  }

  add(hash: SeenHash, content: SeenContent | undefined): void {
    const before = this.contents.get(hash)
    const isComparable = content !== undefined && content.rule === this.rule
    if (!isComparable || before?.length === 0) this.contents.set(hash, [])
    else this.contents.set(hash, before === undefined ? [content.hash] : [...before, content.hash])
    if (isComparable && content.fields !== undefined) this.fields.set(hash, content.fields)
  }

  verdict(hash: SeenHash, content: SeenHash): SeenVerdict {
    const contents = this.contents.get(hash)
    if (contents === undefined) return 'new'
    return contents.length === 0 || contents.includes(content) ? 'seen' : 'changed'
  }

  fieldsOf(hash: SeenHash): Uint8Array | undefined {
    return this.fields.get(hash)
  }
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
