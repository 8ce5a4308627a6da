import { type ShownState, traitsOfShown } from '../../functions/domain/status/shown-state.ts'
import type { ConnectorStatus } from '../../functions/domain/status/status.ts'
import { statusRow } from '../../functions/domain/status/status-row.ts'
import type { Instant } from '../../functions/domain/time.ts'
import { localWords } from '../local-words.ts'
import { type Coverage, coverageOf, coverageText } from './coverage.ts'
import { type ConnectorRun, type Counts, type CountsAtStart, countsOf, streamsOf, sumCounts, type Vendors } from './runs.ts'
import { failureOf, stateOf } from './stream-failure.ts'
import { endWords, withTimes } from './words.ts'

/** The counts are of all time; those of this start are in `thisStart`. */
interface StreamSummary extends Counts, Coverage {
  readonly service: string
  readonly event: string
  readonly thisStart: Counts
  /** Why it fails and what to do. Null: its last try did not fail. */
  readonly failure: string | null
}

export interface ConnectorSummary {
  /** Or, for an item that was refused for its id, its place in the file, `item 2`. */
  readonly connectorId: string
  readonly state: ShownState
  /** Why it is in this state and what to do; empty when all is well. */
  readonly reason: string
  readonly streams: readonly StreamSummary[]
}

/** The object that `--json` prints. docs/one-machine.md describes it. */
export interface Summary {
  readonly connectors: readonly ConnectorSummary[]
  /** The count of all time. */
  readonly delivered: number
  readonly requests: number
  readonly throttled: number
  readonly thisStart: Pick<Counts, 'delivered' | 'requests' | 'throttled'>
  /** The duration of this start. */
  readonly seconds: number
  /** The folder. */
  readonly lake: string
}

/** Summarises connectors. Without `atStart` everything counts as of this start. */
export function summarise(
  runs: readonly ConnectorRun[],
  vendors: Vendors,
  now: Instant,
  atStart: CountsAtStart = new Map(),
): readonly ConnectorSummary[] {
  return runs.map((each) => {
    const { connectorId, run } = each
    const { accepted, status } = run
    const vendor = vendors.get(accepted?.connector.type ?? '')
    return {
      connectorId,
      state: stateOf(each, vendors),
      reason: endWords(localWords(reasonOf(connectorId, status, now))),
      streams: streamsOf(each, vendors).flatMap(({ id, stream }) => {
        if (vendor === undefined) return []
        const { allTime, thisStart } = countsOf(connectorId, id, stream, atStart)
        const failure = failureOf(stream)
        return [
          {
            ...vendor.describe(id),
            ...allTime,
            thisStart,
            ...coverageOf(stream, run, now),
            failure: failure === undefined ? null : endWords(failure.text),
          },
        ]
      }),
    }
  })
}

/** The whole reason, and what the row says of keys, losses and the next step. */
function reasonOf(connectorId: string, status: ConnectorStatus | undefined, now: Instant): string {
  if (status === undefined) return ''
  const { reason } = status
  const { nextStep = '', keys = '', loss = '' } = statusRow(connectorId, status, now)
  return [reason, reason.includes(nextStep) ? '' : nextStep, keys, loss].filter((part) => part !== '').join(' ')
}

export function totalsOf(connectors: readonly ConnectorSummary[]): Pick<Summary, 'delivered' | 'requests' | 'throttled' | 'thisStart'> {
  const streams = connectors.flatMap((connector) => connector.streams)
  const { allTime, thisStart } = sumCounts(streams.map((stream) => ({ allTime: stream, thisStart: stream.thisStart })))
  const some = ({ delivered, requests, throttled }: Counts) => ({ delivered, requests, throttled })
  return { ...some(allTime), thisStart: some(thisStart) }
}

/** With more connectors than this the streams of those that are well are left out (count). */
const detailedMax = 20

/** Formats the summary at the end for people. */
export function formatSummary({ connectors, delivered, requests, throttled, thisStart, seconds }: Summary): string {
  const isShort = ({ state, streams }: ConnectorSummary) =>
    connectors.length > detailedMax && state === 'ok' && streams.every(({ failure }) => failure === null)
  const lines = connectors.flatMap((connector) => [
    `${connector.connectorId}: ${traitsOfShown(connector.state).title}${connector.reason === '' ? '' : `. ${withTimes(connector.reason)}`}`,
    ...(isShort(connector) ? [] : connector.streams).flatMap((stream) => [
      `  ${stream.service}/${stream.event}: ${coverageText(stream)}`,
      `    this start: ${countsText(stream.thisStart)}; all time: ${countsText(stream)}`,
      ...(stream.failure === null ? [] : [`    fails: ${withTimes(stream.failure)}`]),
    ]),
  ])
  const totals = (counts: Summary['thisStart']) =>
    `${counts.delivered} delivered, ${requestsText(counts.requests)}, ${counts.throttled} throttled`
  const end = `This start (${seconds} s): ${totals(thisStart)}. All time: ${totals({ delivered, requests, throttled })}.`
  const hint = connectors.some(isShort)
    ? 'The streams of connectors that are ok are left out; --json and --streams CONNECTOR_ID have them.\n'
    : ''
  return `${lines.join('\n')}\n${hint}${end}\n`
}

function countsText({ delivered, filtered, requests }: Counts): string {
  return `${delivered} delivered, ${filtered} filtered, ${requestsText(requests)}`
}

function requestsText(count: number): string {
  return count === 1 ? '1 request' : `${count} requests`
}
