import type { Clock } from '../functions/domain/ports.ts'
import { VendorClocks } from '../functions/domain/vendor-clock.ts'

/** One process of the pool: its clock, its random numbers, and what it has seen of the vendors' clocks. */
export class Process {
  readonly name: string
  readonly clock: Clock
  readonly vendorClocks = new VendorClocks()
  /** How far its clock is off (ms). */
  private offMs: number
  private steps = 0
  private seed: number
  private number = 0

  constructor(name: string, clock: Clock, offMs: number, seed: number) {
    this.name = name
    this.offMs = offMs
    this.clock = { now: () => clock.now() + this.offMs, sleepUntil: (at) => clock.sleepUntil(at - this.offMs) }
    this.seed = seed
  }

  /** Somebody sets the clock of the process. */
  setClock(offMs: number): void {
    this.offMs = offMs
    this.steps += 1
  }

  readonly clockSteps = () => this.steps

  readonly random = () => {
    this.seed = (this.seed * 1_103_515_245 + 12_345) % 2 ** 31
    return this.seed / 2 ** 31
  }

  readonly nextNumber = () => {
    this.number += 1
    return this.number
  }
}
