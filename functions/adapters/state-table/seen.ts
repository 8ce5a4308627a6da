import * as z from 'zod/mini'
import type { SeenIdStore } from '../../domain/ports.ts'
import { StateUnavailable } from '../../domain/state-errors.ts'
import { type SeenMark, type SeenPage, seenClassWidth } from '../../domain/stream/seen-ids.ts'
import type { Interval, StreamId } from '../../domain/stream/stream.ts'
import { isAbsent } from './expressions.ts'
import { parseItem } from './item.ts'
import { connectorPk, seenFrom, seenKey } from './item-keys.ts'
import type { Store } from './store.ts'

/** The most ids of one item (count): 180 KB of the 400 KB that DynamoDB allows. A larger page takes several items. */
const idsMax = 20_000
const hashBytes = 8
const idBytes = hashBytes + 1
const markBytes = { delivered: 1, filtered: 2 } as const satisfies Record<SeenMark, number>

const seenItem = z.object({ stream: z.string(), from: z.number(), to: z.number(), ids: z.instanceof(Uint8Array) })

export function seenItems(store: Store): SeenIdStore {
  return {
    async readSeen(connectorId, stream, range, classes, into) {
      const found = await Promise.all(classes.map((widthClass) => overlapping(connectorId, stream, range, widthClass)))
      for (const ids of found.flat()) unpack(ids, into)
    },

    /** No other page is read at the same version of the stream. So an item that is there already holds this very page. */
    async writeSeen(connectorId, stream, page) {
      const { range, version, ids, expiresAt } = page
      for (let part = 0; part * idsMax < ids.length; part++) {
        const packed = pack(ids.slice(part * idsMax, (part + 1) * idsMax))
        const attributes = { stream, from: range.from, to: range.to, ids: packed }
        await store.put(seenKey(connectorId, stream, range, version, part), attributes, { condition: { holds: isAbsent }, expiresAt })
      }
    },
  }

  /** A range of class k is at most 4^k ms wide, so one that overlaps `range` begins less than 4^k ms before it. */
  async function overlapping(connectorId: string, stream: StreamId, range: Interval, widthClass: number): Promise<Uint8Array[]> {
    const pages: Uint8Array[] = []
    const values = {
      pk: connectorPk(connectorId),
      first: seenFrom(stream, widthClass, range.from - seenClassWidth(widthClass) + 1),
      end: seenFrom(stream, widthClass, range.to),
    }
    for await (const item of store.query({ where: '#pk = :pk AND #sk BETWEEN :first AND :end', values })) {
      const page = parseItem(item, seenItem)
      if (page.stream === stream && page.from < range.to && page.to > range.from) pages.push(page.ids)
    }
    return pages
  }
}

function pack(ids: SeenPage['ids']): Uint8Array {
  const packed = Buffer.alloc(ids.length * idBytes)
  ids.forEach(({ hash, mark }, i) => {
    if (packed.write(hash, i * idBytes, hashBytes, 'hex') !== hashBytes)
      throw new Error(`A seen id must be ${hashBytes * 2} hex digits, and this one is ${hash}.`)
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
