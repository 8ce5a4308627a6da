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

const ofTheLimit = [
  'The vendor never sees more requests of a key in any 60 s than it allows',
  'The vendor refuses no request, unless another consumer uses the key',
]
const ofProgress = [
  'Live events are in the lake in time, from an hour after the last fault on',
  'Every stream is covered past the last fault',
]

export const expectedFailures = {
  frozen: {
    claims: ofTheLimit,
    fault: 'freeze before a call',
    reason:
      'A process that freezes between its last look at the clock and its request sends it when it wakes, on a token that is free again.',
  },
  clockStepped: {
    claims: ofTheLimit,
    fault: 'clock step of a process',
    reason: 'The limiter allows for clocks that are off by half a second, and not for one that steps while a run holds a token.',
  },
  overloaded: {
    claims: ofProgress,
    fault: 'overloaded key',
    connectors: prefixes.crowded,
    reason: 'A read step that got no token counts as one that read, so the streams and the gaps of an overloaded key miss their turns.',
  },
  contested: {
    claims: [...ofProgress, 'No range is lost', 'No key is used by two tenants, unless both allow it'],
    fault: 'contested key',
    connectors: prefixes.contested,
    reason:
      'A connector counts as a user of its keys before it is accepted. A check that breaks off leaves it there, and the run of the rightful user then withdraws.',
  },
} as const satisfies Readonly<Record<string, ExpectedFailure>>

const all: readonly ExpectedFailure[] = Object.values(expectedFailures)

/** Whether a broken claim with these problems is one that is expected after these faults. */
export function isExpected(claim: string, problems: readonly string[], faults: ReadonlyMap<FaultKind, number>): boolean {
  return all.some(
    ({ claims, fault, connectors = '' }) =>
      claims.includes(claim) && faults.has(fault) && problems.every((problem) => problem.startsWith(connectors)),
  )
}

/** Whether the connector has such a key. */
export function isOf(kind: 'overloaded key' | 'contested key', { connectorId }: ConnectorItem): boolean {
  return String(connectorId).startsWith(kind === 'overloaded key' ? prefixes.crowded : prefixes.contested)
}
