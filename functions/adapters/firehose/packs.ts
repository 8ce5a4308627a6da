import { recordBytesMax } from './fitting-line.ts'

/** Firehose takes apart a record with at most this many lines (count). https://docs.aws.amazon.com/firehose/latest/dev/dynamic-partitioning-multirecord-deaggergation.html */
const linesMax = 500
/** Most pages of a quiet stream fit in so much, and a larger one takes the room of a whole record at once (bytes). */
const firstBytes = 16 * 1024

/** The lines of one Firehose record. */
export interface Pack {
  /** In UTF-8, each with its newline. */
  readonly data: Buffer
  /** The number of its first line among all lines, and of how many there are. */
  readonly first: number
  readonly count: number
}

/**
 * Packs texts into Firehose records, in their order, each as a line: with its newline it has at most `recordBytesMax` bytes. A text is written
 * when it is made, so that it need not be kept.
 */
export function packed(texts: Iterable<string>): readonly Pack[] {
  const packs: Pack[] = []
  let room = Buffer.alloc(0)
  let first = 0
  let count = 0
  let used = 0
  const close = () => {
    if (count > 0) packs.push({ data: room.subarray(0, used), first, count })
    first += count
    count = 0
    used = 0
    room = Buffer.alloc(0)
  }
  for (const text of texts) {
    const bytes = Buffer.byteLength(text) + 1
    if (count === linesMax || used + bytes > recordBytesMax) close()
    if (used + bytes > room.length) {
      const larger = Buffer.allocUnsafe(used + bytes > firstBytes ? Math.max(recordBytesMax, used + bytes) : firstBytes)
      room.copy(larger, 0, 0, used)
      room = larger
    }
    room.write(text, used)
    used += bytes
    room[used - 1] = newline
    count += 1
  }
  close()
  return packs
}

/** Each line as a pack of its own. */
export function linesOf({ data, first, count }: Pack): readonly Pack[] {
  let from = 0
  return Array.from({ length: count }, (_, index) => {
    const to = data.indexOf(newline, from) + 1
    const line = { data: data.subarray(from, to), first: first + index, count: 1 }
    from = to
    return line
  })
}

const newline = 0x0a
