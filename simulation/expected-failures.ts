import type { FaultKind } from './faults.ts'

/**
 * Problems that the simulation shows and the code does not mend yet. Each is expected only in a run with its fault. A problem that no
 * run shows any more must leave this list: a test keeps one seed for each.
 */
export interface ExpectedFailure {
  readonly claim: string
  readonly fault: FaultKind
  readonly reason: string
  /** A seed of `everything`, 12 hours and 4 connectors, that shows it. */
  readonly seed: number
}

const limitKept = 'The vendor never sees more requests of a key in any 60 s than it allows'
const nothingRefused = 'The vendor refuses no request, unless another consumer uses the key'
const sentLate =
  'A process that freezes between its last look at the clock and its request sends it when it wakes, on a token that is free again.'
const stepped = 'The limiter allows for clocks that are off by half a second, and not for one that steps while a run holds a token.'

export const expectedFailures: readonly ExpectedFailure[] = [
  { claim: limitKept, fault: 'freeze before a call', reason: sentLate, seed: 1_023 },
  { claim: nothingRefused, fault: 'freeze before a call', reason: sentLate, seed: 1_023 },
  { claim: limitKept, fault: 'clock step of a process', reason: stepped, seed: 1_015 },
  { claim: nothingRefused, fault: 'clock step of a process', reason: stepped, seed: 1_015 },
]

/** Whether a broken claim is one that is expected after these faults. */
export function isExpected(claim: string, faults: ReadonlyMap<FaultKind, number>): boolean {
  return expectedFailures.some((expected) => expected.claim === claim && faults.has(expected.fault))
}
