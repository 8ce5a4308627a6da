import type { FailureCode } from '../failures.ts'
import type { Instant } from '../time.ts'

/** An outage: a vendor's origin that fails for reasons of its own, for every connector. */
export interface Outage {
  readonly vendor: string
  /** `https://host`. */
  readonly origin: string
  readonly since: Instant
  readonly cause: FailureCode
  readonly reason: string
  /** Whether its notification is on the bus. */
  readonly sent: boolean
}
