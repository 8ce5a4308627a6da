import type { ConnectorItem } from '../functions/flows/item-digest.ts'
import type { FaultKind } from './faults.ts'

/**
 * Claims that the code does not keep yet after a fault. A claim that a run breaks after its fault is reported as expected. A test shows
 * each of them; if it cannot any more, the entry must go.
 */
export interface ExpectedFailure {
  readonly claims: readonly string[]
  readonly fault: FaultKind
  readonly reason: string
  /** If given, each problem must be about a connector whose id begins so. */
  readonly connectors?: string
}

/** How the ids of the connectors begin that have such a key. */
export const prefixes = { crowded: 'crowded-', contested: 'contested-' } as const

export const expectedFailures: Readonly<Record<string, ExpectedFailure>> = {}

export type ExpectedFailureName = string

const all = Object.entries(expectedFailures)

/** The expected failure that explains why a claim is broken with these problems after these faults, if there is one. */
export function expectedBy(
  claim: string,
  problems: readonly string[],
  happened: ReadonlyMap<FaultKind, number>,
): ExpectedFailureName | undefined {
  const explains = ({ claims, fault, connectors = '' }: ExpectedFailure) =>
    claims.includes(claim) && happened.has(fault) && problems.every((problem) => hasPrefix(problem, connectors))
  return all.find(([, failure]) => explains(failure))?.[0]
}

/** Whether the connector has such a key. */
export function isOf(kind: 'overloaded key' | 'contested key', { connectorId }: ConnectorItem): boolean {
  return hasPrefix(String(connectorId), kind === 'overloaded key' ? prefixes.crowded : prefixes.contested)
}

/** Whether the name after the tenant begins with it. */
function hasPrefix(connectorId: string, prefix: string): boolean {
  return prefix === '' || /^[a-z0-9-]+\.(.*)$/s.exec(connectorId)?.[1]?.startsWith(prefix) === true
}
