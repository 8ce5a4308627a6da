import { hour, minute, second } from '../functions/domain/time.ts'
import type { ConnectorItem } from '../functions/flows/item-digest.ts'
import type { SimulatorOptions } from '../local/simulator/options.ts'
import { between, hashText, pick, type Random, randomFrom, unit } from '../local/simulator/random.ts'
import { connectorItem, secretName, secrets, start, type WorldOptions } from './world.ts'

export const scenarioNames = ['vendor', 'kills', 'everything'] as const
export type ScenarioName = (typeof scenarioNames)[number]

/** All that decides one run of the simulation, before it happens. The same name and seed always mean the same scenario. */
export interface Scenario {
  readonly name: ScenarioName
  readonly seed: number
  readonly world: WorldOptions & { readonly vendor: SimulatorOptions; readonly pageItems: number }
  readonly item: ConnectorItem
  /** Things go wrong for so long (ms), … */
  readonly faultyMs: number
  /** … and then nothing does for so long (ms): everything must be made good by then. */
  readonly calmMs: number
  /** A run that proves fewer events than this delivered says little (events). */
  readonly eventsMin: number
}

/** Seeds are 32 bits, so that one fits a command line and the simulator's generator. */
export const seedMax = 0xffff_ffff

/** Far below the vendor's 500: many requests of few events. */
const pageItems = 25
/** Five hours of 600 events an hour on two streams, less what is late: the audit must see half of them. */
const backlogMinutes = 300
const backlogEventsPerHour = 600
const backlogEventsMin = 3_000
/** The quietest vendor has 20 events an hour on each of two streams, for five hours. */
const quietEventsMin = 20
/** A process dies about once in a thousand of its effects at least, once in 32 at most. */
const killRateMin = 0.001
const killRateMax = 0.031
const sinkFaultRateMax = 0.2

const scenarios: Readonly<Record<ScenarioName, (seed: number, random: Random) => Omit<Scenario, 'name' | 'seed'>>> = {
  /** Whatever the vendor does, to processes that live and a lake that takes everything. */
  vendor: (_, random) => ({
    world: { vendor: drawVendor(random), clocksOffMs: [0, 400], pageItems },
    item: connectorItem({ eventTypes: ['dlp', 'securityrisk'], initialBackfillMinutes: 60 }),
    faultyMs: 3 * hour,
    calmMs: 90 * minute,
    eventsMin: quietEventsMin,
  }),

  /** Processes that are killed while they read a backlog from a vendor without a fault. */
  kills: (seed, random) => ({
    world: {
      vendor: { seed: drawHistory(random), eventsPerHour: backlogEventsPerHour },
      clocksOffMs: [0, -400, 300],
      pageItems,
      killRate: drawKillRate(random),
      seed,
    },
    item: connectorItem({ eventTypes: ['dlp', 'securityrisk'], initialBackfillMinutes: backlogMinutes }),
    faultyMs: 3 * hour,
    calmMs: hour,
    eventsMin: backlogEventsMin,
  }),

  /** The vendor, kills, a lake that refuses and a state table that takes its time, all at once; with one key or two. */
  everything: (seed, random) => ({
    world: {
      vendor: drawVendor(random),
      clocksOffMs: pick(random, [[0], [0, 400], [0, -400, 300]]),
      pageItems,
      killRate: drawKillRate(random),
      sinkFaultRate: drawRate(random, sinkFaultRateMax),
      stateMs: pick(random, [0, 5, 40]),
      seed,
    },
    item: connectorItem({
      eventTypes: ['dlp', 'securityrisk'],
      initialBackfillMinutes: 60,
      apiKeySecrets: pick(random, [[secretName], Object.keys(secrets)]),
    }),
    faultyMs: 3 * hour,
    calmMs: 90 * minute,
    eventsMin: quietEventsMin,
  }),
}

/** Everything that is left to chance in a run is drawn here, from the seed. */
export function drawScenario(name: ScenarioName, seed: number): Scenario {
  return { name, seed, ...scenarios[name](seed, randomFrom(seed, hashText(name), 0)) }
}

/** The command that shows this run again, call by call. */
export function replayCommand({ name, seed }: Pick<Scenario, 'name' | 'seed'>): string {
  return `npm run simulate -- --seed ${seed} --scenario ${name}`
}

/** Faults of the vendor that come to an end when it is calm; its quirks stay. */
export const noVendorFaults: SimulatorOptions = {
  redirectRate: 0,
  errorRate5xx: 0,
  error503Rate: 0,
  malformedPageRate: 0,
  truncateRate: 0,
  hostileLinkRate: 0,
}

/** Options of the simulator that stay as they are, because the audit or the connector counts on them. */
type Fixed =
  // Who asks, and what may be asked for: one key, every stream.
  | 'keys'
  | 'revokedKeys'
  | 'forbiddenStreams'
  // No stream of Virtual Analyzer is collected.
  | 'verdictLagMaxMs'
  // All streams have one rate, and there are events before the start and after the end.
  | 'streamEventsPerHour'
  | 'startAt'
  | 'backlogMs'
  | 'stopAt'
  | 'retentionMs'
  // The connector's own limit is 20 a minute.
  | 'requestsPerMinute'
  | 'requestsPerDay'
  | 'hostileOrigin'
  | 'account'

/** Every quirk and every unknown of the vendor, each on or off: an option that is new there has to be drawn here, or named above. */
function drawVendor(random: Random): Required<Omit<SimulatorOptions, Fixed>> {
  return {
    seed: drawHistory(random),
    eventsPerHour: pick(random, [20, 100, 400]),
    bursts: drawBursts(random),
    wholeSeconds: drawBoolean(random),
    detectionLagMaxMs: pick(random, [30 * second, 0, 5 * minute]),
    lateShare: pick(random, [0.2, 1]),
    lateMaxMs: pick(random, [0, 10 * minute]),
    malformedItemRate: pick(random, [0, 0.05]),
    clockSkewMs: pick(random, [0, 700, -700]),
    selectBy: pick(random, ['generation', 'detection'] as const),
    bounds: pick(random, ['inclusive', 'half-open', 'start-exclusive', 'exclusive'] as const),
    order: pick(random, ['ascending', 'descending', 'random', 'shuffled'] as const),
    window: pick(random, ['fixed', 'sliding'] as const),
    refusedCount: drawBoolean(random),
    retryAfter: pick(random, ['none', 'seconds', 'date'] as const),
    otherRequestsPerMinute: pick(random, [0, 3]),
    links: [
      ...pick(random, [
        ['absolute'],
        ['no-scheme'],
        ['path-only'],
        ['other-path'],
        ['no-scheme', 'other-path'],
        ['path-only', 'other-path'],
      ] as const),
    ],
    pageIdLifeMs: pick(random, [0, 45 * second, 90 * second]),
    deadPageIdStatus: pick(random, [400, 404] as const),
    pageIdBoundToKey: drawBoolean(random),
    pageIdSingleUse: drawBoolean(random),
    duplicatesAcrossPages: pick(random, [0, 2]),
    hostileLinkRate: drawRate(random, 0.05),
    redirectRate: drawRate(random, 0.01),
    errorRate5xx: drawRate(random, 0.1),
    error503Rate: drawRate(random, 0.1),
    malformedPageRate: drawRate(random, 0.05),
    truncateRate: drawRate(random, 0.05),
    delayMs: pick(random, [
      { min: 0, max: 0 },
      { min: 0, max: 3 * second },
    ]),
  }
}

function drawBursts(random: Random): { at: number; count: number }[] {
  return Array.from({ length: between(random, 0, 3) }, () => ({
    at: between(random, start - 20 * minute, start + 2 * hour),
    count: between(random, 2, 80),
  }))
}

function drawHistory(random: Random): number {
  return between(random, 0, 1_000_000)
}

/** Never in half the cases, else up to `max`. */
function drawRate(random: Random, max: number): number {
  return drawBoolean(random) ? 0 : unit(random) * max
}

function drawKillRate(random: Random): number {
  return killRateMin + drawRate(random, killRateMax - killRateMin)
}

function drawBoolean(random: Random): boolean {
  return pick(random, [false, true])
}
