import { dueIndex, fleetIndex } from '../functions/adapters/state-table/table-definitions.ts'
import { eventMetrics, fleetMetrics, runMetrics } from '../functions/domain/metrics.ts'
import { hour, minute, second } from '../functions/domain/time.ts'
import { eventTypeNames } from '../local/simulator/catalogue.ts'
import { connectorItem } from '../simulation/world.ts'
import { type FunctionName, startMetered } from './metered.ts'
import type { Usage } from './metered-ports.ts'
import { prices } from './prices.ts'

const monthHours = 730
const monthMinutes = monthHours * 60
const fleets = [1, 1_000, 100_000]

/** The stack gives each function this memory (MB). */
const memoryMb = { collect: 320, dispatch: 512, connectorChanged: 512 } as const satisfies Record<FunctionName, number>
/** Lambda gives a function with this memory a whole vCPU (MB). https://docs.aws.amazon.com/lambda/latest/dg/configuration-memory.html */
const fullCpuMb = 1_769
/** CPU time of a call, with the SDK's part, on a whole vCPU (ms): 0.9 measured in a hot process, 2.1 in a new one. */
const cpuMsPerCall = 2
/** CPU time of an event (ms), as the throughput bench measures it. */
const cpuMsPerEvent = 0.119
/** Lambda itself writes the lines START, END and REPORT (bytes an invocation). */
const platformLogBytes = 350
/** Lambda polls an idle queue with five long polls of 20 s each. https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-scaling.html */
const queuePollsPerMinute = 15
const sqsRequestsPerMessage = 3
const logMonthsKept = 1
/** Firehose closes an object of this size before its minute is over (bytes before compression). */
const objectBytesMax = 128 * 2 ** 20
const secretCacheHours = 1
/** The number of custom metrics with one vendor. */
const metrics = Object.keys(eventMetrics).length * eventTypeNames.length + Object.keys(runMetrics).length + Object.keys(fleetMetrics).length

interface Scenario {
  readonly name: string
  readonly description: string
  readonly eventsPerHour: number
  readonly backfillMinutes?: number
  readonly warmUpMs: number
  readonly measuredMs: number
}

/** After the retention limit a stream forgets as much as it learns (ms). */
const steadyAfterMs = 96 * hour

const scenarios: readonly Scenario[] = [
  { name: 'idle', description: 'no events', eventsPerHour: 0, warmUpMs: steadyAfterMs, measuredMs: 24 * hour },
  { name: 'typical', description: '2,000 events a day', eventsPerHour: 2_000 / 24, warmUpMs: steadyAfterMs, measuredMs: 24 * hour },
  {
    name: 'backlogged',
    description: 'always behind: 20 full pages a minute',
    eventsPerHour: 800_000,
    backfillMinutes: 4_310,
    warmUpMs: 5 * minute,
    measuredMs: 15 * minute,
  },
]

/** The cost of one connector ($ a month). */
export interface ConnectorCost {
  readonly connector: string
  readonly connectors: number
  readonly writes: number
  readonly reads: number
  readonly lambda: number
  readonly sqs: number
  readonly lake: number
  readonly secretReads: number
  readonly logs: number
  readonly eventBridge: number
  readonly sum: number
  /** The secret itself, which is not in `sum`. */
  readonly secret: number
}

/** The average run of `collect`, from which the costs are computed. */
export interface RunCost {
  readonly connector: string
  readonly runsPerHour: number
  /** Calls of `collect` to DynamoDB (count). */
  readonly calls: number
  readonly writeUnits: number
  readonly readUnits: number
  readonly billedMs: number
  readonly requests: number
  readonly events: number
}

export interface Costs {
  readonly connectors: readonly ConnectorCost[]
  readonly runs: readonly RunCost[]
  /** The cost of the stack itself, whatever it collects ($ a month). */
  readonly stack: Readonly<Record<string, number>>
}

type Month = Readonly<Record<FunctionName, Usage>> & { readonly factor: number }

export async function computeCosts(): Promise<Costs> {
  const empty = await simulate({ name: 'empty', description: 'no connector', eventsPerHour: 0, warmUpMs: 0, measuredMs: 2 * hour }, false)
  const months = await Promise.all(scenarios.map(async (scenario) => ({ scenario, month: await simulate(scenario, true) })))
  return {
    connectors: months.flatMap(({ scenario, month }) => fleets.map((count) => connectorCost(scenario.name, month, empty, count))),
    runs: months.map(({ scenario, month }) => runCost(scenario.name, month, empty)),
    stack: stackCost(empty),
  }
}

/** Simulates the stack with one connector (SharePoint, all four event types, every 5 minutes), or with none. */
async function simulate(scenario: Scenario, withConnector: boolean): Promise<Month> {
  const { eventsPerHour, backfillMinutes, warmUpMs, measuredMs } = scenario
  const metered = await startMetered({ eventsPerHour: eventsPerHour / eventTypeNames.length, account: 'totals' })
  try {
    const more = backfillMinutes === undefined ? {} : { initialBackfillMinutes: backfillMinutes }
    if (withConnector) await metered.put(connectorItem({ eventTypes: eventTypeNames, ...more }))
    await metered.run(warmUpMs)
    metered.take()
    await metered.run(measuredMs)
    return { ...metered.take(), factor: (monthHours * hour) / measuredMs }
  } finally {
    await metered.close()
  }
}

/** Computes the costs that a connector adds to those of the stack without connectors. */
function connectorCost(connector: string, month: Month, empty: Month, connectors: number): ConnectorCost {
  const { collect, dispatch, factor } = month
  const { dynamodb, lambda, sqs, firehose, s3, secretsManager, cloudWatch, eventBridge } = prices
  const more = (of: (usage: Usage) => number) => of(dispatch) * factor - of(empty.dispatch) * empty.factor
  const secretReads = readsOfSecret(month, connectors) * monthHours + dispatch.secretReads * factor
  const logBytes = (collect.logBytes + collect.invocations * platformLogBytes) * factor + more((usage) => usage.logBytes)
  const deliveries = collect.firehoseCalls * factor
  const objects = Math.max(objectsOf(deliveries * connectors) / connectors, (collect.lakeBytes * factor) / objectBytesMax)
  const cost = {
    writes: (writeUnits(collect) * factor + more(writeUnits)) * dynamodb.writeUnit,
    reads: (sum(collect.dynamodb.map((call) => call.readUnits)) * factor + more(readUnitsOfDispatch)) * dynamodb.readUnit,
    lambda:
      (gbSeconds('collect', collect) * factor + more((usage) => gbSeconds('dispatch', usage))) * lambda.gbSecond +
      collect.invocations * factor * lambda.request,
    sqs: dispatch.messages * factor * sqsRequestsPerMessage * sqs.fairRequest,
    lake: collect.firehoseBytes * factor * firehose.byte + objects * s3.put + collect.gzipBytes * factor * s3.byteMonth,
    secretReads: secretReads * secretsManager.call,
    logs: logBytes * (cloudWatch.logByte + logMonthsKept * cloudWatch.logByteMonth),
    // The bucket sends an event for each object.
    eventBridge: ((collect.notifications + dispatch.notifications) * factor + objects) * eventBridge.event,
  }
  return { connector, connectors, ...cost, sum: sum(Object.values(cost)), secret: secretsManager.secretMonth }
}

/** The minimum read of an index counts for the stack. A connector adds the bytes of its entries, at half a unit for 4 KB. */
function readUnitsOfDispatch({ dynamodb }: Usage): number {
  return sum(dynamodb.map(({ items, bytes, readUnits }) => (items === dueIndex || items === fleetIndex ? bytes / 8_192 : readUnits)))
}

/**
 * Each environment of the function has its own cache, and a run can happen in any environment. With E environments and r runs of a
 * connector an hour, each environment has r / E runs an hour, and reads the secret once in (cached hours + E / r).
 */
function readsOfSecret(month: Month, connectors: number): number {
  const runs = (month.collect.invocations * month.factor) / monthHours
  const secondsPerRun = billedMs('collect', month.collect) / month.collect.invocations / second
  const environments = Math.max(1, Math.ceil((connectors * runs * secondsPerRun) / 3_600))
  return environments / (secretCacheHours + environments / runs)
}

/** Firehose writes one object in each minute in which records arrive. */
function objectsOf(deliveries: number): number {
  return monthMinutes * (1 - Math.exp(-deliveries / monthMinutes))
}

function stackCost({ dispatch, factor }: Month): Readonly<Record<string, number>> {
  const { dynamodb, lambda, sqs, cloudWatch } = prices
  return {
    'reads of the tick': sum(dispatch.dynamodb.map(({ readUnits }) => readUnits)) * factor * dynamodb.readUnit,
    'writes of the tick': writeUnits(dispatch) * factor * dynamodb.writeUnit,
    'dispatch, a tick a minute':
      (gbSeconds('dispatch', dispatch) * lambda.gbSecond + dispatch.invocations * lambda.request) * factor +
      (dispatch.logBytes + dispatch.invocations * platformLogBytes) * factor * cloudWatch.logByte,
    'polls of the idle queue': queuePollsPerMinute * monthMinutes * sqs.request,
    [`${metrics} custom metrics`]: metrics * cloudWatch.metricMonth,
  }
}

function runCost(connector: string, { collect, dispatch, factor }: Month, empty: Month): RunCost {
  const perRun = (total: number) => total / collect.invocations
  return {
    connector,
    runsPerHour: (collect.invocations * factor) / monthHours,
    calls: perRun(collect.dynamodb.length),
    writeUnits: perRun(writeUnits(collect) + writeUnits(dispatch) - (writeUnits(empty.dispatch) * empty.factor) / factor),
    readUnits: perRun(sum(collect.dynamodb.map(({ readUnits }) => readUnits))),
    billedMs: perRun(billedMs('collect', collect)),
    requests: perRun(collect.vendorRequests),
    events: perRun(collect.events),
  }
}

/** Adds CPU time to the time of calls and waits. A function with less memory gets less CPU, so the same work takes longer. */
function billedMs(name: FunctionName, usage: Usage): number {
  const calls = usage.dynamodb.length + usage.vendorRequests + usage.firehoseCalls + usage.secretReads + usage.messages
  const cpuMs = (calls * cpuMsPerCall + usage.events * cpuMsPerEvent) * Math.max(1, fullCpuMb / memoryMb[name])
  return usage.busyMs + cpuMs
}

function writeUnits({ dynamodb }: Usage): number {
  return sum(dynamodb.map((call) => call.writeUnits))
}

function gbSeconds(name: FunctionName, usage: Usage): number {
  return (billedMs(name, usage) / second) * (memoryMb[name] / 1_024)
}

function sum(values: readonly number[]): number {
  return values.reduce((a, b) => a + b, 0)
}
