/** Renames the values that pass between a former release and this one. A name that is in no table stays as it is. */
export interface Translation {
  toPresent(value: unknown): unknown
  toFormer(value: unknown): unknown
}

/** Former name → present name. */
export type Names = Readonly<Record<string, string>>

export const same: Translation = { toPresent: (value) => value, toFormer: (value) => value }

/** One of the values of a union, such as a failure code. */
export function word(names: Names): Translation {
  const back = inverse(names)
  const rename = (value: unknown, by: Names) => (typeof value === 'string' ? (by[value] ?? value) : value)
  return { toPresent: (value) => rename(value, names), toFormer: (value) => rename(value, back) }
}

/** An object with the names of its attributes. `inside` translates the values, by the former names of their attributes. */
export function object(names: Names, inside: Readonly<Record<string, Translation>> = {}): Translation {
  const back = inverse(names)
  return {
    toPresent: (value) => mapEntries(value, (name, inner) => [names[name] ?? name, (inside[name] ?? same).toPresent(inner)]),
    toFormer: (value) =>
      mapEntries(value, (name, inner) => {
        const former = back[name] ?? name
        return [former, (inside[former] ?? same).toFormer(inner)]
      }),
  }
}

export function list(of: Translation): Translation {
  const each = (value: unknown, translate: (item: unknown) => unknown) => (Array.isArray(value) ? value.map(translate) : value)
  return { toPresent: (value) => each(value, of.toPresent), toFormer: (value) => each(value, of.toFormer) }
}

/** The values of an object that has no names of its own, such as counts by day. */
export function record(of: Translation): Translation {
  return {
    toPresent: (value) => mapEntries(value, (name, inner) => [name, of.toPresent(inner)]),
    toFormer: (value) => mapEntries(value, (name, inner) => [name, of.toFormer(inner)]),
  }
}

/** The values of a Map. */
export function map(of: Translation): Translation {
  const each = (value: unknown, translate: (item: unknown) => unknown) =>
    value instanceof Map ? new Map([...value].map(([key, item]) => [key, translate(item)])) : value
  return { toPresent: (value) => each(value, of.toPresent), toFormer: (value) => each(value, of.toFormer) }
}

/** A listing that is read item by item. */
export function listing(of: Translation): Translation {
  async function* each(value: unknown, translate: (item: unknown) => unknown) {
    for await (const item of value as AsyncIterable<unknown>) yield translate(item)
  }
  return { toPresent: (value) => each(value, of.toPresent), toFormer: (value) => each(value, of.toFormer) }
}

type Callable = (...args: unknown[]) => unknown

/** A function. Its caller is of the other release, so its arguments are translated in the other direction. */
export function call(args: readonly Translation[], result: Translation = same): Translation {
  const wrap = (inner: Callable, argsBy: keyof Translation, resultBy: keyof Translation): Callable => {
    const translated = (value: unknown) => result[resultBy](value)
    return (...given) => {
      const value = inner(...given.map((arg, i) => (args[i] ?? same)[argsBy](arg)))
      return value instanceof Promise ? value.then(translated) : translated(value)
    }
  }
  return {
    toPresent: (value) => wrap(value as Callable, 'toFormer', 'toPresent'),
    toFormer: (value) => wrap(value as Callable, 'toPresent', 'toFormer'),
  }
}

/** Translated port → the port itself, which is returned when the translated port comes back. */
const originals = new WeakMap<object, object>()

/** An object of methods. It has only the methods in `methods`, which has their former names. */
export function port(names: Names, methods: Readonly<Record<string, Translation>>): Translation {
  const make = (value: unknown, direction: keyof Translation): unknown => {
    const target = value as Readonly<Record<string, Callable | undefined>>
    const original = originals.get(target)
    if (original !== undefined) return original
    const made: Record<string, unknown> = {}
    for (const [former, method] of Object.entries(methods)) {
      const present = names[former] ?? former
      const [from, to] = direction === 'toPresent' ? [former, present] : [present, former]
      const inner = target[from]
      if (inner !== undefined) made[to] = method[direction](inner.bind(target))
    }
    originals.set(made, target)
    return made
  }
  return { toPresent: (value) => make(value, 'toPresent'), toFormer: (value) => make(value, 'toFormer') }
}

function mapEntries(value: unknown, change: (name: string, inner: unknown) => [string, unknown]): unknown {
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => change(name, inner)))
}

function inverse(names: Names): Names {
  return Object.fromEntries(Object.entries(names).map(([former, present]) => [present, former]))
}
