import * as z from 'zod'
import type { SeenIdStore } from '../../domain/ports.ts'
import { StateUnavailable } from '../../domain/state-errors.ts'
import { type SeenMark, type SeenPage, seenClass, seenClassWidth } from '../../domain/stream/seen-ids.ts'
import type { Interval, StreamId } from '../../domain/stream/stream.ts'
import { isAbsent, type Key, type Store } from './store.ts'

/** Ids of one item (count): 180 KB of the 400 that it may have. A page of more takes several. */
const idsMax = 20_000
const hashBytes = 8
const idBytes = hashBytes + 1
const markBytes = { delivered: 1, filtered: 2 } as const satisfies Record<SeenMark, number>

const seenItem = z.object({ stream: z.string(), from: z.number(), to: z.number(), ids: z.instanceof(Uint8Array) })

export function seenItems(store: Store): SeenIdStore {
  return {
    async readSeen(connectorId, stream, range, classes, into) {
      const found = await Promise.all(classes.map((k) => overlapping(connectorId, stream, range, k)))
      for (const ids of found.flat()) unpack(ids, into)
    },

    /** The version in the key is one that no other page is ever read at; what is there already is this very page. */
    async writeSeen(connectorId, stream, page) {
      const { range, version, ids, expiresAt } = page
      for (let n = 0; n * idsMax < ids.length; n++) {
        const packed = pack(ids.slice(n * idsMax, (n + 1) * idsMax))
        const attributes = { stream, from: range.from, to: range.to, ids: packed }
        await store.put(seenKey(connectorId, stream, range, version, n), attributes, { condition: { holds: isAbsent }, expiresAt })
      }
    },
  }

  /** A range of class `k` is at most 4^k ms wide, so one that overlaps begins less than that before. */
  async function overlapping(connectorId: string, stream: StreamId, range: Interval, k: number): Promise<Uint8Array[]> {
    const pages: Uint8Array[] = []
    const values = {
      pk: `CONNECTOR#${connectorId}`,
      first: seenPrefix(stream, k, range.from - seenClassWidth(k) + 1),
      // Without what follows the start in a key, this sorts before every range that begins there.
      end: seenPrefix(stream, k, range.to),
    }
    for await (const item of store.query({ where: '#pk = :pk AND #sk BETWEEN :first AND :end', values })) {
      const page = store.parse(item, seenItem)
      if (page.stream === stream && page.from < range.to && page.to > range.from) pages.push(page.ids)
    }
    return pages
  }
}

function seenKey(connectorId: string, stream: StreamId, range: Interval, version: number, n: number): Key {
  return { pk: `CONNECTOR#${connectorId}`, sk: `${seenPrefix(stream, seenClass(range), range.from)}#${digits(version, 12)}.${n}` }
}

function seenPrefix(stream: StreamId, k: number, from: number): string {
  return `SEEN#${stream}#${k}.${digits(Math.max(0, Math.floor(from)), 15)}`
}

function digits(whole: number, width: number): string {
  return String(whole).padStart(width, '0')
}

function pack(ids: SeenPage['ids']): Uint8Array {
  const packed = Buffer.alloc(ids.length * idBytes)
  ids.forEach(({ hash, mark }, i) => {
    if (packed.write(hash, i * idBytes, hashBytes, 'hex') !== hashBytes)
      throw new Error(`A seen id is ${hashBytes * 2} hex digits, not ${hash}.`)
    packed[i * idBytes + hashBytes] = markBytes[mark]
  })
  return packed
}

function unpack(ids: Uint8Array, into: (hash: string, mark: SeenMark) => void): void {
  const packed = Buffer.from(ids.buffer, ids.byteOffset, ids.byteLength)
  if (packed.length % idBytes !== 0)
    throw new StateUnavailable(`A page of seen ids has ${packed.length} bytes, which is no multiple of ${idBytes}.`)
  for (let i = 0; i < packed.length; i += idBytes) {
    const mark = packed[i + hashBytes] === markBytes.filtered ? 'filtered' : 'delivered'
    into(packed.toString('hex', i, i + hashBytes), mark)
  }
}
