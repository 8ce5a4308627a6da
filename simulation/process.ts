import type { Clock } from '../functions/domain/ports.ts'
import type { Instant } from '../functions/domain/time.ts'
import { VendorClocks } from '../functions/domain/vendor-clock.ts'

/** The clock of a process: off by so much, until somebody sets it. */
class ProcessClock implements Clock {
  private readonly right: Clock
  private offMs: number
  private timesSet = 0

  constructor(right: Clock, offMs: number) {
    this.right = right
    this.offMs = offMs
  }

  readonly now = () => this.right.now() + this.offMs

  readonly sleepUntil = (at: Instant) => this.right.sleepUntil(at - this.offMs)

  readonly set = (offMs: number) => {
    this.offMs = offMs
    this.timesSet += 1
  }

  readonly steps = () => this.timesSet
}

/** One process of the pool: its clock, its random numbers, and what it has seen of the vendors' clocks. */
export class Process {
  readonly name: string
  readonly clock: ProcessClock
  readonly vendorClocks = new VendorClocks()
  private seed: number
  private number = 0

  constructor(name: string, clock: Clock, offMs: number, seed: number) {
    this.name = name
    this.clock = new ProcessClock(clock, offMs)
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
