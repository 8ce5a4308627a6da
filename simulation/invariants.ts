import { coveredTo } from '../functions/domain/stream/ledger.ts'
import type { StreamId, StreamState } from '../functions/domain/stream/stream.ts'
import { iso } from '../functions/domain/time.ts'
import { trendmicroCas } from '../functions/vendors/trendmicro-cas/index.ts'
import { type Audit, audit } from './audit.ts'
import type { Scenario } from './scenario.ts'
import { secrets, start, type World } from './world.ts'

/** A claim that must hold in every run, and the problems that break it in this run. */
export interface Invariant {
  readonly claim: string
  readonly problems: readonly string[]
}

/** A world after its scenario has ended. */
interface End {
  readonly scenario: Scenario
  readonly world: World
  readonly audited: Audit
  /** Every stream of every connector; undefined if it was never read. */
  readonly streams: ReadonlyMap<StreamId, StreamState | undefined>
}

/** The vendor allows one key this many in any 60 s (requests). */
const requestsPerMinute = 20
/** A claim lists at most this many of its problems (count). */
const listedMax = 10

const claims: Readonly<Record<string, (end: End) => readonly string[]>> = {
  'No run crashes': ({ world }) =>
    world.record.crashes.map((error) => (error instanceof Error ? (error.stack ?? error.message) : String(error))),

  'Every event that a ledger calls covered is in the lake': ({ audited }) => audited.missing,

  'No event is in the lake twice, except for one page at each kill and each refused delivery': ({ audited, world, scenario }) => {
    const twiceMax = (world.record.kills + world.record.refusedDeliveries) * scenario.world.pageItems
    return audited.twice.length > twiceMax ? [`${audited.twice.length} events are, and at most ${twiceMax} may be`, ...audited.twice] : []
  },

  'The run is long enough to prove something': ({ audited, scenario }) =>
    audited.expected > scenario.eventsMin
      ? []
      : [`Only ${audited.expected} events are proven, and it should be more than ${scenario.eventsMin}`],

  'Every item is accounted for: fetched = delivered + filtered + already seen': (end) =>
    ofStreams(end, ({ counts: { fetched, delivered, filtered, alreadySeen } }) =>
      delivered + filtered + alreadySeen === fetched ? [] : [`${delivered} + ${filtered} + ${alreadySeen} is not ${fetched}`],
    ),

  'No range is lost': (end) =>
    ofStreams(end, ({ lostRanges }) => lostRanges.map(({ from, to, reason }) => `${iso(from)} to ${iso(to)} is lost (${reason})`)),

  'Every stream is covered past the last fault': (end) => {
    const faultyUntil = start + end.scenario.faultyMs
    return ofStreams(end, (stream) => {
      const to = coveredTo(stream, end.world.clock.now())
      return to > faultyUntil ? [] : [`is covered to ${iso(to)} only, but the faults ended at ${iso(faultyUntil)}`]
    })
  },

  'The vendor refuses no request, unless another consumer uses the key': ({ world, scenario }) => {
    if ((scenario.world.vendor.otherRequestsPerMinute ?? 0) > 0) return []
    return ofKeys((key) => world.model.account.refused(key)).flatMap(({ key, count }) =>
      count === 0 ? [] : [`${key}: the vendor refused ${count}`],
    )
  },

  'The vendor never sees more requests of a key in any 60 s than it allows': ({ world }) =>
    ofKeys((key) => world.model.account.maxRequestsInAnyMinute(key)).flatMap(({ key, count }) =>
      count <= requestsPerMinute ? [] : [`${key}: the vendor saw ${count} and allows ${requestsPerMinute}`],
    ),
}

/** Checks every claim in a world whose scenario has ended. */
export async function judge(
  scenario: Scenario,
  world: World,
): Promise<{ readonly invariants: readonly Invariant[]; readonly proven: number }> {
  const audited = await audit(world)
  const end: End = { scenario, world, audited, streams: await everyStream(world) }
  const invariants = Object.entries(claims).map(([claim, problemsOf]) => ({ claim, problems: shortened(problemsOf(end)) }))
  return { invariants, proven: audited.expected }
}

async function everyStream({ state }: World): Promise<ReadonlyMap<StreamId, StreamState | undefined>> {
  const every = new Map<StreamId, StreamState | undefined>()
  for await (const { connector } of state.allAccepted()) {
    const { streams } = await state.readRun(connector.connectorId)
    for (const id of trendmicroCas.streams(connector)) every.set(`${connector.connectorId} ${id}`, streams.get(id))
  }
  return every
}

function ofStreams({ streams }: End, problemsOf: (stream: StreamState) => readonly string[]): readonly string[] {
  if (streams.size === 0) return ['There is no stream: the connector was not accepted']
  return [...streams].flatMap(([id, stream]) =>
    (stream === undefined ? ['was never read'] : problemsOf(stream)).map((problem) => `${id}: ${problem}`),
  )
}

/** Counts by the name of the secret, because a key must not be printed. */
function ofKeys(count: (key: string) => number) {
  return Object.entries(secrets).map(([secretName, key]) => ({ key: secretName, count: count(key) }))
}

function shortened(problems: readonly string[]): readonly string[] {
  return problems.length <= listedMax ? problems : [...problems.slice(0, listedMax), `… and ${problems.length - listedMax} more`]
}
