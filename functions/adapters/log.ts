import type { Clock, Log } from '../domain/ports.ts'
import { Redactor } from '../domain/redaction/redactor.ts'
import { cutText } from '../domain/text.ts'
import { hour, type Instant, iso } from '../domain/time.ts'

/** The limits of one line. CloudWatch Logs takes 256 KiB at least, and a reader much less. */
const depthMax = 8
const entriesMax = 100
const textLengthMax = 8_192
/** A secret is known so long after it was last read (ms). A run reads its keys when it begins, and ends within minutes. */
const secretKnownMs = hour

export interface JsonLog {
  /** Writes one JSON object on one line, with the `time`. Writes nothing for `debug`, because those lines would cost more than all others. Never throws. */
  readonly log: Log
  /** For an hour from now every line has `[redacted]` in place of this secret, in each form that `Redactor` finds. */
  addRedaction(secret: string): void
}

/** `write` gets each line without its newline. By default it writes to stdout. */
export function jsonLog(options: { readonly clock: Clock; readonly write?: (line: string) => void }): JsonLog {
  const { clock, write = (line) => process.stdout.write(`${line}\n`) } = options
  const redactor = new Redactor()
  /** When each secret was last read, the oldest first. */
  const readAt = new Map<string, Instant>()

  return {
    log(entry) {
      if (entry.level === 'debug') return
      try {
        write(lineOf({ time: iso(clock.now()), ...entry }, redactor))
      } catch {
        // Without a log there is no place to report this, and the work must go on.
      }
    },
    addRedaction(secret) {
      const now = clock.now()
      readAt.delete(secret)
      readAt.set(secret, now)
      redactor.add(secret)
      for (const [old, at] of readAt) {
        if (at >= now - secretKnownMs) break
        readAt.delete(old)
        redactor.remove(old)
      }
    },
  }
}

/** A getter of a logged object may throw. Then the line reports that instead. */
function lineOf(entry: { readonly time: string }, redactor: Redactor): string {
  try {
    return JSON.stringify(plain(entry, (text) => redactor.redact(text)))
  } catch (error) {
    const message = `A log entry could not be serialised: ${error instanceof Error ? error.name : typeof error}`
    return JSON.stringify({ time: entry.time, level: 'error', event: 'log-failed', message })
  }
}

/** The value in a form that JSON can hold. Each text, property names included, is cleaned before it is cut, so that no part of a secret is left. */
function plain(value: unknown, clean: (text: string) => string, above: readonly object[] = []): unknown {
  if (typeof value === 'string') return cut(clean(value))
  if (typeof value === 'number') return cleanNumber(value, clean)
  if (value === null || value === undefined || typeof value === 'boolean') return value
  if (typeof value !== 'object') return cut(clean(String(value)))
  if (above.includes(value)) return '[circular]'
  if (above.length >= depthMax) return '[too deep]'
  const within = [...above, value]
  if (value instanceof Error) return plainObject(errorEntries(value), clean, within)
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? null : value.toISOString()
  if (value instanceof Map)
    return plainObject(
      [...value].map(([key, item]) => [String(key), item]),
      clean,
      within,
    )
  if (value instanceof Set) return plain([...value], clean, above)
  if (ArrayBuffer.isView(value)) return `[${value.byteLength} bytes]`
  if (Array.isArray(value)) {
    const items = value.slice(0, entriesMax).map((item) => plain(item, clean, within))
    return value.length > entriesMax ? [...items, `[${value.length - entriesMax} more]`] : items
  }
  return plainObject(Object.entries(value), clean, within)
}

function plainObject(entries: readonly (readonly [string, unknown])[], clean: (text: string) => string, within: readonly object[]): object {
  const kept = entries.slice(0, entriesMax).map(([key, item]) => [cut(clean(key)), plain(item, clean, within)])
  return Object.fromEntries(kept)
}

/** The standard properties of an error, and those that were added to it, such as `code`, `$metadata` and `errors`. */
function errorEntries(error: Error): [string, unknown][] {
  const { name, message, stack, cause } = error
  const own = Object.entries(error).filter(([key]) => !['name', 'message', 'stack', 'cause'].includes(key))
  return [
    ['name', name],
    ['message', message],
    ['stack', stack],
    ...(cause === undefined ? [] : [['cause', cause] as [string, unknown]]),
    ...own,
  ]
}

/** Numbers are cleaned too, because an API key may consist of digits only. */
function cleanNumber(value: number, clean: (text: string) => string): unknown {
  const text = String(value)
  const cleaned = clean(text)
  return cleaned === text ? value : cleaned
}

function cut(text: string): string {
  return cutText(text, textLengthMax)
}
