import type { Clock } from '../functions/domain/ports.ts'
import { VendorClocks } from '../functions/domain/vendor-clock.ts'

/** One process of the pool: its clock, its random numbers, and what it has seen of the vendors' clocks. */
export class Process {
  readonly name: string
  readonly clock: Clock
  readonly vendorClocks = new VendorClocks()
  /** How far its clock is off (ms). */
  offMs: number
  private seed: number
  private number = 0

  constructor(name: string, clock: Clock, offMs: number, seed: number) {
    this.name = name
    this.offMs = offMs
    this.clock = { now: () => clock.now() + this.offMs, sleepUntil: (at) => clock.sleepUntil(at - this.offMs) }
    this.seed = seed
  }

  readonly random = () => {
    this.seed = (this.seed * 1_103_515_245 + 12_345) % 2 ** 31
    return this.seed / 2 ** 31
  }

  readonly nextNumber = () => {
    this.number += 1
    return this.number
  }
}
