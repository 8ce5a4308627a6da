import { hour, minute, second } from '../functions/domain/time.ts'
import type { ConnectorItem } from '../functions/flows/item-digest.ts'
import type { SimulatorOptions } from '../local/simulator/options.ts'
import { between, hashText, pick, type Random, randomFrom, unit } from '../local/simulator/random.ts'
import type { FaultKind } from './faults.ts'
import { prefixes } from './key-prefixes.ts'
import type { OriginTrouble } from './wire.ts'
import { connectorItem, secretName, secretNameOf, secrets, start } from './world.ts'
import type { WorldOptions } from './world-options.ts'

export const scenarioNames = ['vendor', 'kills', 'everything'] as const
export type ScenarioName = (typeof scenarioNames)[number]

/** How long the faults last, and how many connectors there are. Only `everything` heeds it. */
export interface ScenarioSize {
  readonly hours: number
  readonly connectors: number
}

export const sizeDefault: ScenarioSize = { hours: 3, connectors: 1 }

/** Everything that decides one run of the simulation. The same name and seed always give the same scenario. */
export interface Scenario {
  readonly name: ScenarioName
  readonly seed: number
  readonly size: ScenarioSize
  readonly world: WorldOptions & { readonly vendor: SimulatorOptions; readonly pageItems: number }
  readonly items: readonly ConnectorItem[]
  /** The edits, deletions and returns that users make meanwhile. */
  readonly changes: readonly ScenarioChange[]
  /** The faults last this long (ms). */
  readonly faultyMs: number
  /** No fault happens for this long after them (ms). Everything must be recovered by the end. */
  readonly calmMs: number
  /** A run must prove more than this many: a run of few events checks little (events). */
  readonly eventsMin: number
}

/** A user writes an item or deletes it. */
interface ScenarioChange {
  /** After the start (ms). */
  readonly after: number
  readonly kind: FaultKind
  readonly connectorId: string
  /** Absent: the item is deleted. */
  readonly item?: ConnectorItem
}

/** A seed has 32 bits, as the simulator's generator takes. */
export const seedMax = 0xffff_ffff

/** Far below the vendor's 500, so that a run has many requests of few events (items). */
const pageItems = 25
/** Two streams of 600 events an hour for five hours are 6,000 events. Some of them are late, so the audit must see half. */
const backlogMinutes = 300
const backlogEventsPerHour = 600
const backlogEventsMin = 3_000
/** The quietest vendor has 20 events an hour on each of two streams. The audit must see one hour of one stream (events). */
const quietEventsMin = 20
/** A process is killed at one in 1,000 of its calls at least, and at one in 32 at most. */
const killRateMin = 0.001
const killRateMax = 0.031
const sinkFaultRateMax = 0.2
const freezeRateMax = 0.003
const serviceFaultRateMax = 0.01

/** Two of the vendor's origins. */
const origins = ['https://api.tmcas.trendmicro.com', 'https://api-eu.tmcas.trendmicro.com']
/** The last two connectors, if they have one key. `second`: if it differs from the first. */
interface Pair {
  /** Their names begin with it. */
  readonly prefix?: string
  readonly first?: ConnectorItem
  readonly second?: ConnectorItem
}
const noPair: Pair = {}
const other = { tenantName: 'Globex' }
const pairs: readonly Pair[] = [
  noPair,
  // One tenant.
  { first: {} },
  // Two tenants that both allow it.
  { first: { sharedKey: true }, second: { ...other, sharedKey: true } },
  // Two tenants of which one allows it at most.
  { prefix: prefixes.contested, second: { ...other, sharedKey: true } },
  { prefix: prefixes.contested, first: { sharedKey: true }, second: other },
  // The key allows fewer requests than the two need.
  { prefix: prefixes.crowded, first: { requestsPerMinute: 1, intervalMinutes: 5 } },
]
/** The vendor's clock is at most so far off after a step (ms). */
const clockStepMaxMs = 40 * minute
/** The first page of a range is at most so old (ms). */
const cachedAgeMaxMs = 2 * minute
/** A run of more connectors and hours has a quiet vendor (the two multiplied). */
const connectorHoursBusyMax = 500

type Draw = (seed: number, random: Random, size: ScenarioSize) => Omit<Scenario, 'name' | 'seed' | 'size'>

const scenarios: Readonly<Record<ScenarioName, Draw>> = {
  /** Every fault of the vendor, also the key in its events. No process is killed, and the lake accepts every record. */
  vendor: (_, random) => ({
    world: { vendor: drawVendor(random), clocksOffMs: [0, 400], pageItems, keyInEvents: true },
    items: [connectorItem({ eventTypes: ['dlp', 'securityrisk'], initialBackfillMinutes: 60 })],
    changes: [],
    faultyMs: 3 * hour,
    calmMs: 90 * minute,
    eventsMin: quietEventsMin,
  }),

  /** Processes are killed while they read a backlog. The vendor has no fault. */
  kills: (seed, random) => ({
    world: {
      vendor: { seed: drawHistory(random), eventsPerHour: backlogEventsPerHour },
      clocksOffMs: [0, -400, 300],
      pageItems,
      faults: { crash: drawKillRate(random) },
      seed,
    },
    items: [connectorItem({ eventTypes: ['dlp', 'securityrisk'], initialBackfillMinutes: backlogMinutes })],
    changes: [],
    faultyMs: 3 * hour,
    calmMs: hour,
    eventsMin: backlogEventsMin,
  }),

  /** Every fault of the vendor, kills, a lake that refuses and a slow state table, all at once, with one key or two. */
  everything: (seed, random, { hours, connectors }) => ({
    world: {
      vendor: drawEveryQuirk(random, { hours, connectors }),
      clocksOffMs: pick(random, [[0], [0, 400], [0, -400, 300]]),
      pageItems,
      faults: { crash: drawKillRate(random), freeze: drawRate(random, freezeRateMax), service: drawRate(random, serviceFaultRateMax) },
      clockStepRate: drawRate(random, 0.2),
      sinkFaultRate: drawRate(random, sinkFaultRateMax),
      furtherKeys: connectors,
      runsMax: pick(random, [2, 4, 10]) * Math.ceil(connectors / 4),
      wholeDispatch: true,
      stateMs: pick(random, [0, 5, 40]),
      originTroubles: drawOriginTroubles(random, hours),
      seed,
    },
    ...drawConnectors(random, connectors, hours),
    faultyMs: hours * hour,
    calmMs: 2 * hour,
    eventsMin: quietEventsMin,
  }),
}

/** Draws everything random in a run from the seed. */
export function drawScenario(name: ScenarioName, seed: number, size: ScenarioSize = sizeDefault): Scenario {
  return { name, seed, size, ...scenarios[name](seed, randomFrom(seed, hashText(name), 0), size) }
}

/** The command that replays this run, call by call. */
export function replayCommand({ name, seed, size: { hours, connectors } }: Pick<Scenario, 'name' | 'seed' | 'size'>): string {
  const size = name === 'everything' ? ` --hours ${hours} --connectors ${connectors}` : ''
  return `npm run simulate -- --seed ${seed} --scenario ${name}${size}`
}

/** Ends the faults of the vendor. Its quirks stay: they are the API as it is. */
export const noVendorFaults: SimulatorOptions = {
  redirectRate: 0,
  errorRate5xx: 0,
  error503Rate: 0,
  malformedPageRate: 0,
  truncateRate: 0,
  hostileLinkRate: 0,
  cachedAgeMaxMs: 0,
}

/** Options of the simulator that are not drawn: the audit or the connector relies on them. */
type Fixed =
  // Every key may read every stream.
  | 'keys'
  | 'revokedKeys'
  | 'forbiddenStreams'
  // The connector collects no stream of Virtual Analyzer.
  | 'verdictLagMaxMs'
  // All streams have the same rate, and have events before the start and after the end.
  | 'streamEventsPerHour'
  | 'startAt'
  | 'backlogMs'
  | 'stopAt'
  | 'retentionMs'
  // The connector's own limit is 20 a minute.
  | 'requestsPerMinute'
  | 'requestsPerDay'
  | 'hostileOrigin'
  // An endless stream takes the turns of the others.
  | 'endlessStreams'
  | 'account'

/** Draws every quirk and fault of the vendor, on or off. A new option of the simulator must be drawn here or named above. */
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
    updateShare: pick(random, [0, 0.1]),
    updateAfterMs: pick(random, [5 * minute, 20 * minute]),
    sharedIdRate: pick(random, [0, 0.05]),
    paging: pick(random, ['snapshot', 'offset'] as const),
    emptyPages: pick(random, ['list', 'null', 'no-content'] as const),
    throttledStatus: pick(random, [429, 200] as const),
    clockSkewMs: pick(random, [0, 700, -700]),
    clockSteps: [],
    cachedAgeMaxMs: 0,
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

/** A vendor whose clock steps, and with so few events that a long run of many connectors takes minutes and not hours. */
function drawEveryQuirk(random: Random, { hours, connectors }: ScenarioSize): ReturnType<typeof drawVendor> {
  const vendor = drawVendor(random)
  const steps = pick(random, [[], [], [between(random, 0, hours * hour)]])
  const skewMs = between(random, 0, clockStepMaxMs) * pick(random, [-1, 1])
  return {
    ...vendor,
    eventsPerHour: hours * connectors > connectorHoursBusyMax ? 20 : vendor.eventsPerHour,
    clockSteps: steps.map((after) => ({ at: start + after, skewMs })),
    cachedAgeMaxMs: pick(random, [0, 0, cachedAgeMaxMs]),
  }
}

/** Connectors with a key each or with a pool of two, and one pair with a key of its own; what their users do meanwhile. */
function drawConnectors(random: Random, count: number, hours: number): Pick<Scenario, 'items' | 'changes'> {
  const pair = count < 2 ? noPair : pick(random, pairs)
  const items = Array.from({ length: count }, (_, index) => {
    const isOfPair = index >= count - 2
    const { prefix, first = {}, second = first }: Pair = isOfPair ? pair : {}
    const differs = index === count - 1 ? second : first
    const tenant = differs['tenantName'] === other.tenantName ? 'globex' : 'acme'
    const connectorId = `${tenant}.${prefix === undefined && index === 0 ? 'cas' : `${prefix ?? 'cas-'}${index}`}`
    return connectorItem({
      connectorId,
      name: connectorId,
      baseUrl: pick(random, origins),
      eventTypes: ['dlp', 'securityrisk'],
      initialBackfillMinutes: 60,
      intervalMinutes: pick(random, [5, 10, 15, 30]),
      apiKeySecrets: index === 0 ? pick(random, [[secretName], Object.keys(secrets)]) : [secretNameOf(index)],
      ...differs,
      ...(isOfPair && pair !== noPair ? { apiKeySecrets: [secretNameOf(count, tenant)] } : {}),
    })
  })
  return { items, changes: items.flatMap((item) => drawChanges(random, item, hours)).sort((a, b) => a.after - b.after) }
}

/** One origin that is dead or slow for a part of the time. */
function drawOriginTroubles(random: Random, hours: number): readonly OriginTrouble[] {
  const kind = pick(random, ['request to a dead origin', 'request to a slow origin'] as const)
  const from = start + between(random, 0, (hours * hour) / 2)
  const to = from + between(random, minute, (hours * hour) / 2)
  return drawBoolean(random) ? [] : [{ origin: pick(random, origins), kind, from, to }]
}

/** One thing that a user does with the connector in the middle of the run, and undoes 20 minutes later. */
function drawChanges(random: Random, item: ConnectorItem, hours: number): readonly ScenarioChange[] {
  const after = between(random, 10 * minute, Math.max(10 * minute, hours * hour - 40 * minute))
  const connectorId = String(item['connectorId'])
  const of = (kind: FaultKind, change: ConnectorItem | undefined): readonly ScenarioChange[] => [
    { after, kind, connectorId, ...(change === undefined ? {} : { item: change }) },
    { after: after + 20 * minute, kind, connectorId, item },
  ]
  return pick(random, [
    () => [],
    () => of('edit', { ...item, intervalMinutes: 2 }),
    () => of('invalid edit', { ...item, intervalMinutes: 0 }),
    () => of('pause', { ...item, enabled: false }),
    () => of('deletion and return', undefined),
  ])()
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

/** 0 in half of the cases, else up to `max`. */
function drawRate(random: Random, max: number): number {
  return drawBoolean(random) ? 0 : unit(random) * max
}

function drawKillRate(random: Random): number {
  return killRateMin + drawRate(random, killRateMax - killRateMin)
}

function drawBoolean(random: Random): boolean {
  return pick(random, [false, true])
}
