import { TextDecoder } from 'node:util'
import type { Span } from '../../domain/record/json-text.ts'

/** A body as text. */
export interface BodyText {
  /** A byte that is not of the charset is a lone surrogate, U+DC00 and the byte. No charset has one, so such bytes stay apart. */
  readonly text: string
  /**
   * The bytes of a part of the text in base64, if some of them are not of the charset; undefined if all are. Absent if every byte of the
   * body is of the charset.
   */
  readonly undecodable?: (part: Span) => string | undefined
}

/** Decodes a body by its byte order mark, else by the charset that the answer names, else as UTF-8. https://encoding.spec.whatwg.org/#decode */
export function bodyText(bytes: Uint8Array, contentType: string | undefined): BodyText {
  const [markedCharset, mark = []] = marks.find(([, each]) => each.every((byte, index) => bytes[index] === byte)) ?? []
  const charset = markedCharset ?? charsetNamed(contentType) ?? 'utf-8'
  const content = bytes.subarray(mark.length)
  const text = exactText(content, charset)
  return text === undefined ? inexactText(content, charset) : { text }
}

const marks: readonly (readonly [charset: string, mark: readonly number[]])[] = [
  ['utf-8', [0xef, 0xbb, 0xbf]],
  ['utf-16le', [0xff, 0xfe]],
  ['utf-16be', [0xfe, 0xff]],
]

/** Nothing if the name is not one that TextDecoder knows. */
function charsetNamed(contentType = ''): string | undefined {
  const name = /;\s*charset\s*=\s*"?([\w:.-]{1,40})/i.exec(contentType)?.[1]
  try {
    return name && new TextDecoder(name).encoding
  } catch {
    return undefined
  }
}

/** Nothing if some bytes are not of the charset. */
function exactText(bytes: Uint8Array, charset: string): string | undefined {
  try {
    return new TextDecoder(charset, { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch {
    return undefined
  }
}

/** A part of the body that can be decoded by itself. */
interface Piece {
  readonly bytes: Uint8Array
  /** Its start in the body (bytes). */
  readonly from: number
  /** Its start in the text (UTF-16 units). */
  readonly textFrom: number
  /** For each unit of its text the end of the bytes that it was made of, once somebody asks. */
  ends?: readonly number[]
}

/**
 * Decodes piece by piece. To know which bytes each character came from takes a hundred times as long, so only a piece with a byte that is
 * not of the charset is decoded so, or one at the border of an item with such a byte.
 */
function inexactText(bytes: Uint8Array, charset: string): BodyText {
  const pieces: Piece[] = []
  const texts: string[] = []
  for (let from = 0, textFrom = 0; from < bytes.length; ) {
    const piece = { bytes: bytes.subarray(from, pieceEnd(bytes, from, charset)), from, textFrom }
    const text = exactText(piece.bytes, charset) ?? faithfulText(piece.bytes, charset)
    pieces.push(piece)
    texts.push(text)
    from += piece.bytes.length
    textFrom += text.length
  }
  const text = texts.join('')

  /** The end of the bytes of the text before `unit`. */
  function byteAt(unit: number): number {
    const piece = pieces[lastAtMost(pieces, unit)]
    if (piece === undefined || piece.textFrom === unit) return piece?.from ?? 0
    piece.ends ??= endsOf(piece.bytes, charset)
    return piece.from + (piece.ends[unit - piece.textFrom - 1] ?? piece.bytes.length)
  }

  return {
    text,
    undecodable: ({ from, to }) =>
      text.slice(from, to).isWellFormed() ? undefined : Buffer.from(bytes.subarray(byteAt(from), byteAt(to))).toString('base64'),
  }
}

/** The index of the last piece that begins at `unit` of the text or before. */
function lastAtMost(pieces: readonly Piece[], unit: number): number {
  let [low, high] = [0, pieces.length]
  while (high - low > 1) {
    const middle = (low + high) >> 1
    if ((pieces[middle]?.textFrom ?? 0) <= unit) low = middle
    else high = middle
  }
  return low
}

/** Shorter pieces take more calls, and longer ones more time when they have a byte that is not of the charset (bytes). */
const pieceBytesMin = 256
const comma = 0x2c
const shiftStart = 0x1b

/** A piece ends after a comma. No charset has that byte in another character, but for UTF-16 and ISO-2022-JP. */
function pieceEnd(bytes: Uint8Array, from: number, charset: string): number {
  let at = from + pieceBytesMin - 1
  do at = bytes.indexOf(comma, at + 1)
  while (at !== -1 && !isComma(bytes, from, at, charset))
  if (at === -1) return bytes.length
  return charset === 'utf-16le' ? at + 2 : at + 1
}

/** The piece begins at `from`, in ASCII if the charset has states. */
function isComma(bytes: Uint8Array, from: number, at: number, charset: string): boolean {
  if (charset === 'utf-16le') return at % 2 === 0 && bytes[at + 1] === 0
  if (charset === 'utf-16be') return at % 2 === 1 && bytes[at - 1] === 0
  if (charset !== 'iso-2022-jp') return true
  const shift = bytes.lastIndexOf(shiftStart, at)
  return shift < from || (bytes[shift + 1] === 0x28 && bytes[shift + 2] === 0x42)
}

/** A part of a text, and the end of the bytes that it was made of. */
interface Part {
  readonly text: string
  readonly end: number
}

function faithfulText(bytes: Uint8Array, charset: string): string {
  const texts: string[] = []
  for (const { text } of parts(bytes, charset)) texts.push(text)
  return texts.join('')
}

function endsOf(bytes: Uint8Array, charset: string): readonly number[] {
  const ends: number[] = []
  for (const { text, end } of parts(bytes, charset)) for (let unit = 0; unit < text.length; unit++) ends.push(end)
  return ends
}

/** Decodes byte by byte. */
function* parts(bytes: Uint8Array, charset: string): Iterable<Part> {
  let decoder = new TextDecoder(charset, { ignoreBOM: true })
  let from = 0
  for (let at = 0; at < bytes.length; at++) {
    const byte = bytes.subarray(at, at + 1)
    let text = nextText(decoder, byte)
    if (text === undefined) {
      // A decoder that has thrown is of no more use.
      decoder = new TextDecoder(charset, { ignoreBOM: true })
      if (at > from) yield { text: escaped(bytes.subarray(from, at)), end: at }
      from = at
      text = nextText(decoder, byte) ?? replacement
    }
    if (text === '') continue
    yield { text: faithful(text, bytes.subarray(from, at + 1), charset), end: at + 1 }
    from = at + 1
  }
  const rest = nextText(decoder) ?? replacement
  if (rest !== '') yield { text: faithful(rest, bytes.subarray(from), charset), end: bytes.length }
}

/** ICU throws for some bytes that are not of the charset (GB 18030, EUC-JP, ISO-2022-JP) if they come one by one. */
function nextText(decoder: TextDecoder, byte?: Uint8Array): string | undefined {
  try {
    return byte === undefined ? decoder.decode() : decoder.decode(byte, { stream: true })
  } catch {
    return undefined
  }
}

const replacement = '\ufffd'
/** The bytes that stand for this very character in some charset, in hex. */
const realReplacements = ['efbfbd', 'fdff', 'fffd', '8431a437']

/** A text with its bytes in place of a replacement, unless the bytes stand for that very character. */
function faithful(text: string, bytes: Uint8Array, charset: string): string {
  if (!text.includes(replacement)) return text
  const isReal = realReplacements.includes(Buffer.from(bytes).toString('hex')) && exactText(bytes, charset) === text
  return isReal ? text : `${escaped(bytes)}${text.replaceAll(replacement, '')}`
}

function escaped(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => String.fromCharCode(0xdc00 + byte)).join('')
}
