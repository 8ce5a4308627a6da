import type { Clock, Log } from '../domain/ports.ts'
import { iso } from '../domain/time.ts'
import { redact, secretPattern } from './redact.ts'

/** Bounds of one line: CloudWatch takes 256 KiB, and a reader much less. */
const depthMax = 8
const entriesMax = 100
const textLengthMax = 8_192

export interface JsonLog {
  /** Writes one JSON object on one line, with the `time`; nothing for `debug`, which would cost a quiet connector more than all else it says. Never throws. */
  readonly log: Log
  /** From now on this secret is `[redacted]` wherever it would stand in a line, in any of the forms that `secretPattern` knows. */
  addRedaction(secret: string): void
}

/** `write` gets each line without its newline; by default it goes to stdout. */
export function jsonLog(options: { readonly clock: Clock; readonly write?: (line: string) => void }): JsonLog {
  const { clock, write = (line) => process.stdout.write(`${line}\n`) } = options
  const secrets = new Set<string>()
  let pattern: RegExp | undefined

  return {
    log(entry) {
      if (entry.level === 'debug') return
      try {
        write(lineOf({ time: iso(clock.now()), ...entry }, pattern))
      } catch {
        // Where the log cannot be written there is nobody left to tell, and the work goes on.
      }
    },
    addRedaction(secret) {
      if (secrets.has(secret)) return
      secrets.add(secret)
      pattern = secretPattern(secrets)
    },
  }
}

/** A getter of a logged object may throw; then the line says so instead. */
function lineOf(entry: { readonly time: string }, pattern: RegExp | undefined): string {
  try {
    return JSON.stringify(plain(entry, (text) => redact(text, pattern)))
  } catch (error) {
    const message = `A log entry could not be serialised: ${error instanceof Error ? error.name : typeof error}`
    return JSON.stringify({ time: entry.time, level: 'error', event: 'log-failed', message })
  }
}

/** The value as JSON can hold it. Every text in it, property names included, is cleaned before it is cut, so that no half of a secret is left. */
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

/** What an error says of itself, and what else was put on it: `code`, `$metadata`, `errors`. */
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

/** A key that is all digits can stand in a number. */
function cleanNumber(value: number, clean: (text: string) => string): unknown {
  const text = String(value)
  const cleaned = clean(text)
  return cleaned === text ? value : cleaned
}

function cut(text: string): string {
  return text.length > textLengthMax ? `${text.slice(0, textLengthMax).toWellFormed()}…` : text
}
