/** The values at the paths of a record, as log filters read them. All work is paid for in steps before it is done. */

/** Takes steps (count). Returns false if they may not be taken: the work must be left undone. */
export type Pay = (steps: number) => boolean

/** The steps of a comparison (count): for each value, and for each character of the texts among them (UTF-16 units). */
export interface Price {
  readonly perValue: number
  readonly perCharacter: number
}

/** One of the ways in which operators read a value. */
export interface Reading<T> {
  /** Returns undefined if no value of this kind is there. */
  read(value: unknown): T | undefined
  /** The steps of `read` (count). It looks at no character. */
  price(value: unknown): number
}

/** The values that one reading has found at a path. */
export interface Found<T> {
  readonly values: readonly T[]
  /** The length of all texts together (UTF-16 units). */
  readonly characters: number
}

/** Following one name of a path takes up to 80 ns, the growth of the list of values included (steps). */
const visitSteps = 6

/** All values at a path, with lists flattened. It follows own properties only, so that `constructor` is a name like any other. */
export function valuesAt(value: unknown, path: readonly string[]): readonly unknown[] {
  const found: unknown[] = []
  collect(value, path, 0, () => true, found)
  return found
}

/** Adds the values at a path to `found`. The elements of a list are counted and paid for before one is looked at. Returns false if they may not be. */
function collect(value: unknown, path: readonly string[], at: number, pay: Pay, found: unknown[]): boolean {
  if (value === undefined || value === null) return true
  if (Array.isArray(value)) {
    const names = path.length - at + 1
    if (!pay(value.length * names * visitSteps)) return false
    for (const element of value) if (!collect(element, path, at, pay, found)) return false
    return true
  }
  const name = path[at]
  if (name !== undefined) return !(isObject(value) && Object.hasOwn(value, name)) || collect(value[name], path, at + 1, pay, found)
  found.push(value)
  return true
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null
}

/** The values at one path. Each reading is done once, whatever the number of conditions. */
export class FieldValues {
  readonly all: readonly unknown[]
  private readonly readings = new Map<Reading<unknown>, Found<unknown>>()

  constructor(all: readonly unknown[]) {
    this.all = all
  }

  /** Returns undefined if the steps may not be taken. */
  as<T>(reading: Reading<T>, pay: Pay): Found<T> | undefined {
    const known = this.readings.get(reading)
    if (known !== undefined) return known as Found<T>
    let steps = 0
    for (const value of this.all) steps += reading.price(value)
    if (!pay(steps)) return undefined
    const values: T[] = []
    let characters = 0
    for (const one of this.all) {
      const value = reading.read(one)
      if (value === undefined) continue
      values.push(value)
      if (typeof value === 'string') characters += value.length
    }
    const found = { values, characters }
    this.readings.set(reading, found)
    return found
  }
}

/** The values of one record. Those of a path are collected once, whatever the number of conditions. */
export class RecordValues {
  private readonly record: Readonly<Record<string, unknown>>
  private readonly fields = new Map<string, FieldValues>()

  constructor(record: Readonly<Record<string, unknown>>) {
    this.record = record
  }

  /** `path`: the names of `field`. Returns undefined if the steps may not be taken. */
  at(field: string, path: readonly string[], pay: Pay): FieldValues | undefined {
    const known = this.fields.get(field)
    if (known !== undefined) return known
    const found: unknown[] = []
    if (!pay(path.length * visitSteps) || !collect(this.record, path, 0, pay, found)) return undefined
    const values = new FieldValues(found)
    this.fields.set(field, values)
    return values
  }
}
