import { trendmicroCas } from '../functions/vendors/trendmicro-cas/index.ts'
import type { SimulatorOptions } from '../local/simulator/options.ts'
import type { Effect } from './effects.ts'
import type { FaultRates } from './faults.ts'
import type { OriginTrouble } from './wire.ts'

export interface WorldOptions {
  readonly vendor?: SimulatorOptions
  /** One entry for each process: how far its clock is off (ms). */
  readonly clocksOffMs?: readonly number[]
  /** One way on the wire (ms). */
  readonly networkMs?: number
  /** The time that a call of the state table takes (ms). */
  readonly stateMs?: number
  /** If false, only the test dispatches. */
  readonly ticking?: boolean
  /** The faults of the processes and of the services that they call. */
  readonly faults?: Partial<FaultRates>
  /** The probability that the clock of a process steps when a run begins. It stays within half a second of the right time. */
  readonly clockStepRate?: number
  /** Secrets beside the two, each with a key of its own (count). */
  readonly furtherKeys?: number
  /** Runs at the same time, at most (count). Other messages wait. */
  readonly runsMax?: number
  /** The ticks compare the connectors table each hour and measure the fleet, as `dispatch` does. */
  readonly wholeDispatch?: boolean
  /** The probability that a batch for the lake is refused, in part or as a whole, or that its acknowledgement is lost. */
  readonly sinkFaultRate?: number
  readonly sharedRateGroups?: readonly string[]
  readonly originTroubles?: readonly OriginTrouble[]
  /** Items of a page. Fewer than the vendor's 500 make many requests of few events. */
  readonly pageItems?: number
  /** Some events of the vendor hold the first key of the world. */
  readonly keyInEvents?: boolean
  /** Seeds the random numbers of the processes: when they are killed, how long they back off. */
  readonly seed?: number
  /** Called with each step of each process, in order. */
  readonly onEffect?: (effect: Effect) => void
}

/** The world of the options that are not given. */
export const worldDefaults: Required<Omit<WorldOptions, 'onEffect'>> = {
  vendor: {},
  clocksOffMs: [0],
  networkMs: 50,
  stateMs: 0,
  ticking: true,
  faults: {},
  clockStepRate: 0,
  furtherKeys: 0,
  runsMax: Number.POSITIVE_INFINITY,
  wholeDispatch: false,
  sinkFaultRate: 0,
  sharedRateGroups: [],
  originTroubles: [],
  pageItems: trendmicroCas.pageItemsMax,
  keyInEvents: false,
  seed: 0,
}
