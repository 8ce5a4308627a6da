import type { Connector } from './connector.ts'
import { type Problem, quote } from './problems.ts'

/** The changes of an accepted connector that an edit may not make. */

const immutable = ['connectorId', 'type', 'name', 'tenantName'] as const

/** Reports changes to attributes that are fixed at acceptance, because they identify the events or name their owner. */
export function immutableProblems(before: Connector, after: Connector): Problem[] {
  return immutable
    .filter((name) => before[name] !== after[name])
    .map((path) => ({
      path,
      message: `It is ${quote(after[path])} and was ${quote(before[path])} when the connector was accepted; it cannot change. Set it back, or make a connector with another connectorId.`,
    }))
}

/** The name of each secret that the item has, once: references to several members of one secret are one secret. */
export function secretNamesOf({ apiKeySecrets }: Connector): readonly string[] {
  return [...new Set(apiKeySecrets.map(({ secretName }) => secretName))]
}

/** The secrets that the item would newly send to its origin. One that the last accepted version sends there already stays. */
export function newlySent(before: Connector | undefined, after: Connector): readonly string[] {
  const stay = new Set(before?.baseUrl === after.baseUrl ? secretNamesOf(before) : [])
  return secretNamesOf(after).filter((name) => !stay.has(name))
}

/**
 * Reports secrets that would be sent to another origin than the one they were accepted for: whoever may write an item could otherwise send
 * a key, which only the functions may read, to a host of their own choice. `bound`: the origin of each secret that is bound to one.
 */
export function movedKeyProblems(before: Connector | undefined, after: Connector, bound: ReadonlyMap<string, string>): Problem[] {
  const had = new Set(before === undefined ? [] : secretNamesOf(before))
  const moved = newlySent(before, after).flatMap((name) => {
    const origin = had.has(name) ? before?.baseUrl : bound.get(name)
    return origin === undefined || origin === after.baseUrl ? [] : [{ name, origin }]
  })
  const [first] = moved
  if (first === undefined) return []
  const names = moved.map(({ name }) => name).join(', ')
  const message = `It is ${quote(after.baseUrl)} and was ${quote(first.origin)} when ${first.name} was accepted, but a key goes only to the address that it was accepted for. Store the key for the new address in a secret of another name, and give that in apiKeySecrets in place of: ${names}.`
  return [{ path: 'baseUrl', message }]
}
