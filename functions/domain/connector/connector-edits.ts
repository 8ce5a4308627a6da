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

/**
 * Reports secrets that would be sent to another origin than the one they were accepted for: whoever may write an item could otherwise send
 * a key, which only the functions may read, to a host of their own choice.
 */
export function movedKeyProblems(before: Connector, after: Connector): Problem[] {
  if (before.baseUrl === after.baseUrl) return []
  const had = new Set(before.apiKeySecrets.map(({ secretName }) => secretName))
  const kept = [...new Set(after.apiKeySecrets.map(({ secretName }) => secretName).filter((name) => had.has(name)))]
  if (kept.length === 0) return []
  const message = `It is ${quote(after.baseUrl)} and was ${quote(before.baseUrl)}, but a key goes only to the address that it was accepted for. Store the key for the new address in a secret of another name, and give that in apiKeySecrets in place of: ${kept.join(', ')}.`
  return [{ path: 'baseUrl', message }]
}
