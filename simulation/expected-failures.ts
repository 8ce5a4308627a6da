import type { FaultKind } from './faults.ts'

/**
 * Claims that the code does not keep yet after a fault. A claim that a run breaks after its fault is reported as expected. A test shows
 * each of them; if it cannot any more, the entry must go.
 */
export interface ExpectedFailure {
  readonly claims: readonly string[]
  readonly fault: FaultKind
  readonly reason: string
}

const ofTheLimit = [
  'The vendor never sees more requests of a key in any 60 s than it allows',
  'The vendor refuses no request, unless another consumer uses the key',
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
} as const satisfies Readonly<Record<string, ExpectedFailure>>

/** Whether a broken claim is one that is expected after these faults. */
export function isExpected(claim: string, faults: ReadonlyMap<FaultKind, number>): boolean {
  return Object.values(expectedFailures).some(({ claims, fault }) => claims.includes(claim) && faults.has(fault))
}
