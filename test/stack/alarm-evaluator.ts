import { MathExpression, Metric } from 'aws-cdk-lib/aws-cloudwatch'
import type { MetricValues } from '../../functions/domain/ports.ts'
import { type Instant, minute } from '../../functions/domain/time.ts'
import { type AlarmRow, alarmTable } from '../../lib/monitoring/alarm-table.ts'
import { lagMaxMinutes, metricsNamespace, observedStack } from './observed-pipeline.ts'

/** Metrics as the functions published them. */
export type Published = readonly (MetricValues & { readonly at: Instant })[]

/** An alarm that turned on, and when. */
interface TurnedOn {
  readonly alarm: string
  readonly at: Instant
}

type Watched = Metric | MathExpression
type Samples = readonly { readonly at: Instant; readonly value: number }[]

/** The sum of metrics: the only expression over metrics of the functions. */
const sumExpression = 'SUM(FILL(METRICS(), 0))'

const { pipeline } = observedStack()
const lakeErrors = new Metric({ namespace: 'AWS/Events', metricName: 'Invocations' })

/**
 * Evaluates the table of alarms over the metrics that the functions published, as CloudWatch does, in the order of time. Alarms on metrics
 * of AWS's own services are left out: only vendors, keys and connectors are in trouble here.
 */
export function alarmsThatTurnOn(published: Published, from: Instant, to: Instant): readonly TurnedOn[] {
  const turned = alarmTable({ lagMaxMinutes }).flatMap((row) =>
    Object.values(row.watched({ pipeline, lakeErrors }))
      .filter(isOfFunctions)
      .flatMap((metric) => turnsOn(row, periodsOf(metric, published, from, to, row.lasting[2] * minute))),
  )
  return turned.toSorted((a, b) => a.at - b.at)
}

/** The value of each period with its end. */
type Periods = readonly { readonly at: Instant; readonly value: number | undefined }[]

function turnsOn(row: AlarmRow, periods: Periods): readonly TurnedOn[] {
  const [bad, of] = row.lasting
  const turned: TurnedOn[] = []
  let isOn = false
  for (let end = of; end <= periods.length; end++) {
    const latest = periods.slice(end - of, end)
    const at = latest.at(-1)?.at ?? 0
    if (row.noValue === 'unchanged' && latest.some(({ value }) => value === undefined)) continue
    const isBad = latest.filter(({ value }) => (value === undefined ? row.noValue === 'bad' : breaches(row, value))).length >= bad
    if (isBad && !isOn) turned.push({ alarm: row.key, at })
    isOn = isBad
  }
  return turned
}

function breaches({ when }: AlarmRow, value: number): boolean {
  return 'above' in when ? value > when.above : value < when.below
}

function periodsOf(metric: Watched, published: Published, from: Instant, to: Instant, periodMs: number): Periods {
  const count = Math.floor((to - from) / periodMs)
  const ends = Array.from({ length: count }, (_, i) => from + (i + 1) * periodMs)
  if (metric instanceof MathExpression) {
    if (metric.expression !== sumExpression) throw new Error(`The evaluator does not know ${metric.expression}`)
    const parts = partsOf(metric).map((part) => periodsOf(part, published, from, to, periodMs))
    return ends.map((at, i) => ({ at, value: parts.reduce((sum, part) => sum + (part[i]?.value ?? 0), 0) }))
  }
  const samples = Map.groupBy(samplesOf(metric, published), ({ at }) => Math.ceil((at - from) / periodMs) - 1)
  return ends.map((at, i) => ({ at, value: statisticOf(metric, samples.get(i) ?? []) }))
}

function samplesOf({ metricName, dimensions }: Metric, published: Published): Samples {
  const { event } = { event: undefined, ...dimensions }
  return published.flatMap((line) => {
    if (('event' in line ? line.event : undefined) !== event) return []
    const value = new Map<string, number>(Object.entries(line.values)).get(metricName)
    return value === undefined ? [] : [{ at: line.at, value }]
  })
}

function statisticOf({ statistic }: Metric, samples: Samples): number | undefined {
  const values = samples.map(({ value }) => value)
  if (values.length === 0) return undefined
  switch (statistic) {
    case 'Sum':
      return values.reduce((a, b) => a + b)
    case 'Maximum':
      return Math.max(...values)
    case 'SampleCount':
      return values.length
    default:
      throw new Error(`The evaluator does not know ${statistic}`)
  }
}

function isOfFunctions(metric: Watched): boolean {
  return metric instanceof Metric ? metric.namespace === metricsNamespace : partsOf(metric).every(isOfFunctions)
}

function partsOf({ usingMetrics }: MathExpression): readonly Watched[] {
  return Object.values(usingMetrics).filter((each) => each instanceof Metric || each instanceof MathExpression)
}
