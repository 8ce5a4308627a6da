import { isDeepStrictEqual } from 'node:util'
import type { AttributeValue } from '@aws-sdk/client-dynamodb'

/** The part of DynamoDB's expressions that the state table uses. https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Expressions.OperatorsAndFunctions.html */

export type Item = Readonly<Record<string, AttributeValue>>

/** The names and values of a request. */
export interface Bound {
  readonly names: Readonly<Record<string, string>>
  readonly values: Readonly<Record<string, AttributeValue>>
}

type Condition = (item: Item, bound: Bound) => boolean
type Operand = (item: Item, bound: Bound) => AttributeValue | undefined

const conditions = new Map<string, Condition>()
const updates = new Map<string, Update>()

interface Update {
  readonly sets: readonly { readonly name: string; readonly operand: Operand }[]
  readonly removes: readonly string[]
}

/** Compiled once for each text, because a simulation evaluates the same few a million times. */
export function conditionOf(text: string): Condition {
  return computed(conditions, text, () => new Parser(text).wholeCondition())
}

/** The item after the update. */
export function updated(item: Item, text: string, bound: Bound): Item {
  const { sets, removes } = computed(updates, text, () => new Parser(text).wholeUpdate())
  const next: Record<string, AttributeValue> = { ...item }
  for (const { name, operand } of sets) {
    const value = operand(item, bound)
    if (value !== undefined) next[nameIn(bound, name)] = value
  }
  for (const name of removes) delete next[nameIn(bound, name)]
  return next
}

class Parser {
  private readonly tokens: readonly string[]
  private at = 0

  constructor(text: string) {
    this.tokens = text.match(/[#:]\w+|\w+|<=|>=|<>|[=<>(),+-]/g) ?? []
  }

  wholeCondition(): Condition {
    const condition = this.disjunction()
    if (this.at < this.tokens.length) throw new Error(`The fake does not know the rest of ${this.tokens.join(' ')}`)
    return condition
  }

  wholeUpdate(): Update {
    const sets: Update['sets'][number][] = []
    const removes: string[] = []
    if (this.take('SET')) {
      do {
        const name = this.next()
        this.expect('=')
        sets.push({ name, operand: this.sum() })
      } while (this.take(','))
    }
    if (this.take('REMOVE')) {
      do removes.push(this.next())
      while (this.take(','))
    }
    return { sets, removes }
  }

  private disjunction(): Condition {
    const first = this.conjunction()
    if (!this.take('OR')) return first
    const second = this.disjunction()
    return (item, bound) => first(item, bound) || second(item, bound)
  }

  private conjunction(): Condition {
    const first = this.comparison()
    if (!this.take('AND')) return first
    const second = this.conjunction()
    return (item, bound) => first(item, bound) && second(item, bound)
  }

  private comparison(): Condition {
    if (this.take('(')) {
      const inner = this.disjunction()
      this.expect(')')
      return inner
    }
    const token = this.next()
    if (token === 'attribute_exists' || token === 'attribute_not_exists') {
      const [operand] = this.arguments()
      const wanted = token === 'attribute_exists'
      return (item, bound) => (operand?.(item, bound) !== undefined) === wanted
    }
    if (token === 'begins_with') {
      const [of, prefix] = this.arguments()
      return (item, bound) => of?.(item, bound)?.S?.startsWith(prefix?.(item, bound)?.S ?? '') === true
    }
    return this.comparisonOf(operandOf(token))
  }

  private comparisonOf(left: Operand): Condition {
    const operator = this.next()
    const right = operandOf(this.next())
    if (operator === 'BETWEEN') {
      this.expect('AND')
      const last = operandOf(this.next())
      return (item, bound) => {
        const value = left(item, bound)
        return order(value, right(item, bound)) >= 0 && order(value, last(item, bound)) <= 0
      }
    }
    const holds = comparisons[operator]
    if (holds === undefined) throw new Error(`The fake does not know ${operator} in ${this.tokens.join(' ')}`)
    return (item, bound) => holds(left(item, bound), right(item, bound))
  }

  private sum(): Operand {
    const first = this.operand()
    if (!this.take('+')) return first
    const second = this.operand()
    return (item, bound) => ({ N: String(Number(first(item, bound)?.N) + Number(second(item, bound)?.N)) })
  }

  private operand(): Operand {
    if (!this.take('if_not_exists')) return operandOf(this.next())
    const [first, second] = this.arguments()
    return (item, bound) => first?.(item, bound) ?? second?.(item, bound)
  }

  private arguments(): Operand[] {
    const operands: Operand[] = []
    this.expect('(')
    do operands.push(operandOf(this.next()))
    while (this.take(','))
    this.expect(')')
    return operands
  }

  private next(): string {
    const token = this.tokens[this.at]
    if (token === undefined) throw new Error(`${this.tokens.join(' ')} ends too early`)
    this.at += 1
    return token
  }

  private take(token: string): boolean {
    if (this.tokens[this.at] !== token) return false
    this.at += 1
    return true
  }

  private expect(token: string): void {
    if (!this.take(token)) throw new Error(`The fake misses ${token} in ${this.tokens.join(' ')}`)
  }
}

function operandOf(token: string): Operand {
  return token.startsWith(':') ? (_, { values }) => values[token] : (item, bound) => item[nameIn(bound, token)]
}

function nameIn({ names }: Bound, token: string): string {
  return names[token] ?? token
}

type Compare = (a: AttributeValue | undefined, b: AttributeValue | undefined) => boolean

const comparisons: Readonly<Record<string, Compare>> = {
  '=': (a, b) => a !== undefined && b !== undefined && isSame(a, b),
  '<': (a, b) => order(a, b) < 0,
  '<=': (a, b) => order(a, b) <= 0,
  '>': (a, b) => order(a, b) > 0,
  '>=': (a, b) => order(a, b) >= 0,
}

function isSame(a: AttributeValue, b: AttributeValue): boolean {
  if (a.S !== undefined) return a.S === b.S
  return a.N === undefined ? isDeepStrictEqual(a, b) : b.N !== undefined && Number(a.N) === Number(b.N)
}

/** NaN, which makes every comparison false, for values of different types. */
export function order(a: AttributeValue | undefined, b: AttributeValue | undefined): number {
  if (a?.N !== undefined && b?.N !== undefined) return Number(a.N) - Number(b.N)
  if (a?.S === undefined || b?.S === undefined) return Number.NaN
  return a.S < b.S ? -1 : a.S > b.S ? 1 : 0
}

function computed<T>(cache: Map<string, T>, text: string, compute: () => T): T {
  const there = cache.get(text)
  if (there !== undefined) return there
  const made = compute()
  cache.set(text, made)
  return made
}
