import * as z from 'zod/mini'
import type { OnSeenId, SeenIdStore } from '../../domain/ports.ts'
import { StateUnavailable } from '../../domain/state-errors.ts'
import { type SeenHash, type SeenMark, type SeenPage, seenClassWidth } from '../../domain/stream/seen-ids.ts'
import type { Interval, StreamId } from '../../domain/stream/stream.ts'
import { isAbsent } from './expressions.ts'
import { parseItem } from './item.ts'
import { connectorPk, seenFrom, seenKey } from './item-keys.ts'
import type { Store } from './store.ts'

/** The most ids of one item (count): 340 KB of the 400 KB that DynamoDB allows. A larger page takes several items. */
const idsMax = 20_000
const hashBytes = 8
const idBytes = hashBytes + 1
const markBytes = { delivered: 1, filtered: 2 } as const satisfies Record<SeenMark, number>

const optionalBytes = z.exactOptional(z.instanceof(Uint8Array))

/** Releases before 0.4.0 read and write `ids` only, so the contents are beside them. */
const seenItem = z.object({
  stream: z.string(),
  from: z.number(),
  to: z.number(),
  /** 9 bytes for each item: the hash of its id, and its mark. */
  ids: z.instanceof(Uint8Array),
  /** 8 bytes for each item of `ids`, in the same order: the hash of its content. */
  contents: optionalBytes,
  /** The rule of the contents; absent if all fields belong to the identity. */
  rule: z.exactOptional(z.string()),
  /** The hash of one of the ids, and then the fingerprints of that item's fields. */
  fields: optionalBytes,
})

type SeenItem = z.output<typeof seenItem>

export function seenItems(store: Store): SeenIdStore {
  return {
    async readSeen(connectorId, stream, range, classes, into) {
      const found = await Promise.all(classes.map((widthClass) => overlapping(connectorId, stream, range, widthClass)))
      for (const page of found.flat()) unpack(page, into)
    },

    /** No other page is read at the same version of the stream. So an item that is there already holds this very page. */
    async writeSeen(connectorId, stream, page) {
      const { range, version, ids, expiresAt } = page
      for (let part = 0; part * idsMax < ids.length; part++) {
        const attributes = { stream, from: range.from, to: range.to, ...pack(ids.slice(part * idsMax, (part + 1) * idsMax)) }
        await store.put(seenKey(connectorId, stream, range, version, part), attributes, { condition: { holds: isAbsent }, expiresAt })
      }
    },
  }

  /** A range of class k is at most 4^k ms wide, so one that overlaps `range` begins less than 4^k ms before it. */
  async function overlapping(connectorId: string, stream: StreamId, range: Interval, widthClass: number): Promise<SeenItem[]> {
    const pages: SeenItem[] = []
    const values = {
      pk: connectorPk(connectorId),
      first: seenFrom(stream, widthClass, range.from - seenClassWidth(widthClass) + 1),
      end: seenFrom(stream, widthClass, range.to),
    }
    for await (const item of store.query({ where: '#pk = :pk AND #sk BETWEEN :first AND :end', values })) {
      const page = parseItem(item, seenItem)
      if (page.stream === stream && page.from < range.to && page.to > range.from) pages.push(page)
    }
    return pages
  }
}

function pack(ids: SeenPage['ids']): Pick<SeenItem, 'ids' | 'contents' | 'rule' | 'fields'> {
  const packed = Buffer.alloc(ids.length * idBytes)
  for (const [i, { hash, mark }] of ids.entries()) {
    writeHash(packed, hash, i * idBytes)
    packed[i * idBytes + hashBytes] = markBytes[mark]
  }
  return { ids: packed, ...packContents(ids) }
}

/** Nothing if an item has no content: a former release made the page. */
function packContents(ids: SeenPage['ids']): Pick<SeenItem, 'contents' | 'rule' | 'fields'> {
  const contents = Buffer.alloc(ids.length * hashBytes)
  for (const [i, { content }] of ids.entries()) {
    if (content === undefined) return {}
    writeHash(contents, content.hash, i * hashBytes)
  }
  const rule = ids[0]?.content?.rule ?? ''
  const sample = ids.find(({ content }) => content?.fields !== undefined)
  const fields =
    sample?.content?.fields === undefined ? {} : { fields: Buffer.concat([Buffer.from(sample.hash, 'hex'), sample.content.fields]) }
  return { contents, ...(rule === '' ? {} : { rule }), ...fields }
}

function writeHash(bytes: Buffer, hash: SeenHash, at: number): void {
  if (bytes.write(hash, at, hashBytes, 'hex') !== hashBytes)
    throw new Error(`A seen id must be ${hashBytes * 2} hex digits, and this one is ${hash}.`)
}

function unpack({ ids, contents, rule = '', fields }: SeenItem, into: OnSeenId): void {
  const packed = bufferOf(ids)
  const count = packed.length / idBytes
  if (!Number.isInteger(count) || (contents !== undefined && contents.length !== count * hashBytes)) {
    const sizes = `${packed.length} bytes of ids and ${contents?.length ?? 0} of contents`
    throw new StateUnavailable(`A page of seen ids has ${sizes}, which is not ${idBytes} and ${hashBytes} for each.`)
  }
  const packedContents = contents === undefined ? undefined : bufferOf(contents)
  const sample = fields === undefined ? '' : bufferOf(fields).toString('hex', 0, hashBytes)
  for (let i = 0; i < count; i++) {
    const hash = packed.toString('hex', i * idBytes, i * idBytes + hashBytes)
    const mark = packed[i * idBytes + hashBytes] === markBytes.filtered ? 'filtered' : 'delivered'
    const content = packedContents?.toString('hex', i * hashBytes, (i + 1) * hashBytes)
    const prints = hash === sample && fields !== undefined ? { fields: fields.subarray(hashBytes) } : {}
    into(hash, mark, content === undefined ? undefined : { hash: content, rule, ...prints })
  }
}

function bufferOf({ buffer, byteOffset, byteLength }: Uint8Array): Buffer {
  return Buffer.from(buffer, byteOffset, byteLength)
}
