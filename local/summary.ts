import type { StateTable } from '../functions/adapters/state-table/state-table.ts'
import type { FailureCode } from '../functions/domain/failures.ts'
import type { ConnectorState } from '../functions/domain/status/connector-state.ts'
import * as ledger from '../functions/domain/stream/ledger.ts'
import type { LostRange } from '../functions/domain/stream/stream.ts'
import { floorToSecond, type Instant, iso, minute, second } from '../functions/domain/time.ts'
import type { Vendor } from '../functions/domain/vendor.ts'

interface StreamSummary {
  readonly service: string
  readonly event: string
  readonly delivered: number
  readonly filtered: number
  readonly alreadySeen: number
  readonly requests: number
  readonly throttled: number
  /** Everything before it is in the lake, filtered or recorded as a hole. ISO 8601. */
  readonly coveredTo: string
  /** `lost`: the vendor no longer has it. Otherwise it has not been read yet. */
  readonly lostRanges: readonly {
    readonly from: string
    readonly to: string
    readonly reason: LostRange['reason'] | 'not read yet'
    readonly lost: boolean
  }[]
}

export interface ConnectorSummary {
  readonly connectorId: string
  readonly state: ConnectorState
  /** What is wrong and what to do; empty where all is well. */
  readonly reason: string
  readonly streams: readonly StreamSummary[]
}

export interface Summary {
  readonly connectors: readonly ConnectorSummary[]
  readonly requests: number
  readonly throttled: number
  readonly seconds: number
  /** The folder. */
  readonly lake: string
}

export interface SummaryPorts {
  readonly state: StateTable
  readonly vendors: ReadonlyMap<string, Vendor>
}

/** The connectors as the state table has them. Counts are since each stream was first collected. */
export async function summarise(
  { state, vendors }: SummaryPorts,
  connectorIds: readonly string[],
  now: Instant,
): Promise<readonly ConnectorSummary[]> {
  const summaries: ConnectorSummary[] = []
  for (const connectorId of connectorIds) {
    const { accepted, status, streams } = await state.readRun(connectorId)
    const vendor = vendors.get(accepted?.connector.type ?? '')
    const lateMs = (accepted?.connector.lateArrivalMinutes ?? 0) * minute
    const own = accepted === undefined || vendor === undefined ? [] : vendor.streams(accepted.connector)
    summaries.push({
      connectorId,
      state: status?.state ?? 'starting',
      reason: status?.reason ?? '',
      streams: own.flatMap((id) => {
        const stream = streams.get(id)
        if (stream === undefined || vendor === undefined) return []
        const { delivered, filtered, alreadySeen, requests, throttled } = stream.counts
        const coveredTo = ledger.coveredTo(stream, now)
        const unread = ledger.missing(stream, now).filter(({ to }) => to < now)
        return {
          ...vendor.describe(id),
          delivered,
          filtered,
          alreadySeen,
          requests,
          throttled,
          coveredTo: iso(coveredTo),
          lostRanges: [
            ...stream.lostRanges.map(({ from, to, reason }) => ({ from: iso(from), to: iso(to), reason, lost: true })),
            ...unread.map(({ from, to }) => ({ from: iso(from), to: iso(to), reason: 'not read yet' as const, lost: false })),
            ...(unread.length === 0 && now - coveredTo > 2 * lateMs + 10 * minute
              ? [{ from: iso(coveredTo), to: iso(now - lateMs), reason: 'not read yet' as const, lost: false }]
              : []),
          ],
        }
      }),
    })
  }
  return summaries
}

/** What keeps a stream from being covered up to `start`, in words; nothing when all of them are. */
export async function whatIsMissing(
  { state, vendors }: SummaryPorts,
  connectorIds: readonly string[],
  start: Instant,
): Promise<readonly Missing[]> {
  const missing: Missing[] = []
  for (const connectorId of connectorIds) {
    const { accepted, status, streams } = await state.readRun(connectorId)
    const judged = status?.lastRunAt !== undefined && status.lastRunAt >= start
    if (status?.state === 'refused' || (accepted === undefined && status !== undefined)) {
      missing.push({ connectorId, what: status.reason, hopeless: true })
      continue
    }
    if (accepted === undefined) {
      missing.push({ connectorId, what: 'It has not been accepted yet.', hopeless: false })
      continue
    }
    const { connector } = accepted
    if (!connector.enabled) continue
    for (const problem of status?.problems ?? []) {
      missing.push({ connectorId, what: `The item was refused: ${problem.path}: ${problem.message}`, hopeless: true })
    }
    if (judged && status?.trouble !== undefined) {
      missing.push({ connectorId, what: status.reason, hopeless: isLasting(status.trouble.failure.code, status.trouble.attempts) })
      continue
    }
    const target = floorToSecond(start) - connector.lateArrivalMinutes * minute - 2 * second
    for (const id of vendors.get(connector.type)?.streams(connector) ?? []) {
      const stream = streams.get(id)
      const lost = (stream?.lostRanges ?? []).map(({ from, to, reason }) => `lost ${iso(from)} to ${iso(to)} (${reason})`)
      const covered = stream === undefined ? 0 : ledger.coveredTo(stream, start)
      const trouble = stream?.trouble
      if (covered < target || (stream?.readThrough ?? 0) < floorToSecond(start)) {
        const why = trouble === undefined ? '' : `: ${trouble.failure.detail}`
        const what = `${id} is ${stream === undefined ? 'not read at all' : `complete to ${iso(covered)}, read to ${iso(stream.readThrough)}`}, wanted is ${iso(start)}${why}`
        missing.push({ connectorId, what, hopeless: judged && trouble !== undefined && isLasting(trouble.failure.code, trouble.attempts) })
      } else if (lost.length > 0) missing.push({ connectorId, what: `${id}: ${lost.join(', ')}`, hopeless: true })
    }
  }
  return missing
}

export interface Missing {
  readonly connectorId: string
  readonly what: string
  /** Waiting will not help. */
  readonly hopeless: boolean
}

/** What may pass by itself, and after how many tries in a row it is taken to last. An address that was never reached is most likely a wrong one. */
const triesMax: Readonly<Partial<Record<FailureCode, number>>> = {
  'vendor-error': 4,
  'vendor-overloaded': 4,
  'timed-out': 4,
  'malformed-response': 3,
  unreachable: 2,
  throttled: 4,
  'link-dead': 4,
  'link-repeats': 4,
  'too-large': 4,
}

function isLasting(code: FailureCode, attempts: number): boolean {
  return attempts >= (triesMax[code] ?? 1)
}
