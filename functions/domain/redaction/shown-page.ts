import type { Failure } from '../failures.ts'
import { failed, ok, type Result } from '../result.ts'
import { Redactor, replacement } from './redactor.ts'

/** A key that was cut off at the end of a message is recognised by this many of its first characters. */
const keyPrefixLengthMin = 4
/** A link is decoded so often (count), because the vendor may have encoded the address that it was asked for. */
const decodingsMax = 3

/** The parts of a page that are stored or shown. */
interface Shown {
  readonly nextLink?: string
  readonly traceId?: string
}

/** In place of a link that holds a key, which can be neither stored nor followed. */
export const linkWithKey = replacement

/**
 * The response of a vendor, without the keys: `linkWithKey` in place of a link that holds one, no trace id that holds one, and a failure
 * without them. Items are as they were. `apiKeys`: all of the connector, because a vendor may name another one than it was sent.
 */
export function withoutEchoes<P extends Shown>(page: Result<P>, apiKeys: ReadonlySet<string>): Result<P> {
  const redactor = new Redactor(...apiKeys)
  if (!page.ok) return failed(withoutEchoesIn(page.failure, redactor, apiKeys))
  const { nextLink } = page.value
  const shown = withoutTrace(page.value, redactor)
  return ok(nextLink !== undefined && holdsKey(nextLink, redactor) ? { ...shown, nextLink: linkWithKey } : shown)
}

function withoutEchoesIn(why: Failure, redactor: Redactor, apiKeys: ReadonlySet<string>): Failure {
  const detail = redactor.redact(why.detail).replaceAll(/"[^"]*"/g, (message) => {
    const holds = message.includes(replacement) || endsWithKey(message.slice(0, -1), apiKeys)
    return holds ? 'a message that was left out because it may hold a key' : message
  })
  return { ...withoutTrace(why, redactor), detail }
}

function withoutTrace<T extends { readonly traceId?: string }>(shown: T, redactor: Redactor): T {
  const { traceId, ...others } = shown
  // The parts are those of `shown`, but for one that may be absent.
  return traceId !== undefined && holdsKey(traceId, redactor) ? (others as T) : shown
}

function holdsKey(text: string, redactor: Redactor): boolean {
  let decoded = text
  for (let count = 0; count < decodingsMax; count++) {
    if (redactor.redact(decoded) !== decoded) return true
    decoded = decoded.replaceAll(/%([0-9a-f]{2})/gi, (_, hex) => String.fromCharCode(Number.parseInt(hex, 16)))
  }
  return redactor.redact(decoded) !== decoded
}

/** The key may be cut off at the end of the text. */
function endsWithKey(text: string, apiKeys: ReadonlySet<string>): boolean {
  return [...apiKeys].some((key) => {
    for (let length = Math.min(key.length, text.length); length >= keyPrefixLengthMin; length--) {
      if (text.endsWith(key.slice(0, length))) return true
    }
    return false
  })
}
