import type { Span } from '../../domain/record/json-text.ts'

/** A body as text. */
export interface BodyText {
  readonly text: string
  /**
   * The bytes of a part of the text in base64, if some of them are not of the charset; undefined if all are. Absent if every byte of the
   * body is of the charset.
   */
  readonly undecodable?: (part: Span) => string | undefined
}

/**
 * Decodes a body by its byte order mark, else by the charset that the answer names, else as UTF-8. A byte that is not of the charset
 * becomes U+FFFD. The byte order mark is left out. https://encoding.spec.whatwg.org/#decode
 */
export function bodyText(bytes: Uint8Array, contentType: string | undefined): BodyText {
  const charset = charsetByMark(bytes) ?? charsetNamed(contentType) ?? 'utf-8'
  try {
    return { text: new TextDecoder(charset, { fatal: true }).decode(bytes) }
  } catch {
    return inexactText(bytes, charset)
  }
}

const marks: readonly (readonly [charset: string, mark: readonly number[]])[] = [
  ['utf-8', [0xef, 0xbb, 0xbf]],
  ['utf-16le', [0xff, 0xfe]],
  ['utf-16be', [0xfe, 0xff]],
]

function charsetByMark(bytes: Uint8Array): string | undefined {
  return marks.find(([, mark]) => mark.every((byte, index) => bytes[index] === byte))?.[0]
}

/** Nothing if the name is not one that TextDecoder knows. */
function charsetNamed(contentType = ''): string | undefined {
  const name = /;\s*charset\s*=\s*"?([\w:.-]{1,40})/i.exec(contentType)?.[1]
  try {
    return name && new TextDecoder(name).encoding
  } catch {
    return undefined
  }
}

/** Decodes byte by byte, to know which bytes each part of the text came from. It takes a hundred times as long, so only where it must. */
function inexactText(bytes: Uint8Array, charset: string): BodyText {
  const decoder = new TextDecoder(charset)
  const parts: string[] = []
  // The number of bytes that were read when a UTF-16 unit of the text was complete. No byte makes more than two units.
  const ends = new Uint32Array(2 * bytes.length + 2)
  let units = 0
  const add = (part: string, end: number) => {
    parts.push(part)
    ends.fill(end, units, units + part.length)
    units += part.length
  }
  for (let at = 0; at < bytes.length; at++) add(decoder.decode(bytes.subarray(at, at + 1), { stream: true }), at + 1)
  add(decoder.decode(), bytes.length)
  const strict = new TextDecoder(charset, { fatal: true })
  return {
    text: parts.join(''),
    undecodable({ from, to }) {
      const part = bytes.subarray(from === 0 ? 0 : ends[from - 1], ends[to - 1])
      try {
        strict.decode(part)
        return undefined
      } catch {
        return Buffer.from(part).toString('base64')
      }
    },
  }
}
