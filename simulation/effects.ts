import { type Instant, iso } from '../functions/domain/time.ts'

/** One thing that a process did or that happened to it, in one line of text. */
export interface Effect {
  readonly at: Instant
  /** Whoever did it: a process by its name, the dispatcher, the test. */
  readonly by: string
  readonly text: string
}

/** The port, with `around` called in place of each of its methods. */
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

/** The longest name of whoever does something (characters). */
const byWidth = 'dispatcher'.length

/** A value takes no more of a line than this (characters). */
const valueLengthMax = 200
/** A list is shown item by item up to this length (items). */
const itemsShownMax = 3
/** A digest of this length or more is known by its first characters. */
const digestPattern = /^([0-9a-f]{8})[0-9a-f]{24,}$/
/** Numbers in this range are instants: no other number of a run is nearly as large. */
const instantMin: Instant = Date.UTC(2020)
const instantMax: Instant = Date.UTC(2040)

/** A value in so few characters that its line stays readable: objects and lists to a depth of two, instants as times. */
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
