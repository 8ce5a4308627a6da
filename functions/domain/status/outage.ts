import type { FailureCode } from '../failures.ts'
import type { Instant } from '../time.ts'

/** A vendor's site that fails for reasons of its own, whatever connector asks it. */
export interface Outage {
  readonly vendor: string
  /** `https://host`. */
  readonly site: string
  readonly since: Instant
  readonly cause: FailureCode
  readonly reason: string
  /** Whether its notice is on the bus. */
  readonly told: boolean
}
