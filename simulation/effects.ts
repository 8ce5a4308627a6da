import { type Instant, iso } from '../functions/domain/time.ts'

/** One step of a process, or one event that happened to it, in one line of text. */
export interface Effect {
  readonly at: Instant
  /** The name of a process, or `queue` or `simulation`. */
  readonly by: string
  readonly text: string
}

/** Wraps a port: each call of a method goes through `around`. */
export function intercepted<T extends object>(
  port: T,
  around: (method: string, args: readonly unknown[], call: () => unknown) => unknown,
): T {
  return new Proxy(port, {
    get: (target, name) => {
      const method: unknown = Reflect.get(target, name)
      if (typeof method !== 'function') return method
      return (...args: unknown[]) => around(String(name), args, () => Reflect.apply(method, target, args))
    },
  })
}

export function effectLine({ at, by, text }: Effect): string {
  return `${iso(at)} ${by.padEnd(byWidth)} ${text}`
}

/** The width of the column `by`: its longest name (characters). */
const byWidth = 'simulation'.length

/** A longer value is cut (characters). */
const valueLengthMax = 200
/** A longer list is shown as its length only (items). */
const itemsShownMax = 3
/** A long digest is shown by its first 8 characters. */
const digestPattern = /^([0-9a-f]{8})[0-9a-f]{24,}$/
/** A number between these two is an instant: no other number of a run is nearly as large. */
const instantMin: Instant = Date.UTC(2020)
const instantMax: Instant = Date.UTC(2040)

/** Formats a value so that its line stays readable: objects and lists to a depth of two, instants as times. */
export function brief(value: unknown): string {
  const text = briefTo(value, 2)
  return text.length <= valueLengthMax ? text : `${text.slice(0, valueLengthMax - 1)}…`
}

function briefTo(value: unknown, depth: number): string {
  if (typeof value === 'number') return value > instantMin && value < instantMax ? iso(value) : String(value)
  if (typeof value === 'string') return value.replace(digestPattern, '$1…')
  if (typeof value === 'function') return 'function'
  if (typeof value !== 'object' || value === null || value instanceof Error) return String(value)
  if (value instanceof Map || value instanceof Set) return `[${value.size} items]`
  if (Array.isArray(value)) return briefList(value, depth)
  if (depth === 0) return '{…}'
  const parts = Object.entries(value).flatMap(([name, part]) => (part === undefined ? [] : [`${name}: ${briefTo(part, depth - 1)}`]))
  return `{${parts.join(', ')}}`
}

function briefList(items: readonly unknown[], depth: number): string {
  if (items.length > itemsShownMax || (depth === 0 && items.length > 0)) return `[${items.length} items]`
  return `[${items.map((item) => briefTo(item, depth - 1)).join(', ')}]`
}

/** A call of a port in a trace, without the key of a request. */
export function callText(portName: string, method: string, args: readonly unknown[]): string {
  const shown = portName === 'source' ? args.slice(0, 1) : args
  return `${portName}.${method}(${shown.map(brief).join(', ')})`
}

export function resultText(portName: string, result: unknown): string {
  if (result === undefined) return ''
  const isOk = portName !== 'state' && typeof result === 'object' && result !== null && 'ok' in result && result.ok === true
  return ` → ${isOk ? 'ok' : brief(result)}`
}
