import { tenantOf } from '../functions/domain/connector/tenant.ts'
import type { AcceptedConnector } from '../functions/domain/ports.ts'
import { coveredTo } from '../functions/domain/stream/ledger.ts'
import type { StreamId, StreamState } from '../functions/domain/stream/stream.ts'
import { iso } from '../functions/domain/time.ts'
import { trendmicroCas } from '../functions/vendors/trendmicro-cas/index.ts'
import { type Audit, isDenied } from './audit.ts'
import { isOverloaded } from './demand.ts'
import type { FaultKind } from './faults.ts'
import type { Scenario } from './scenario.ts'
import { start, type World } from './world.ts'

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
/** Faults after which nothing is delivered again. */
const harmless: readonly FaultKind[] = [
  'clock step of a process',
  'run waited for a place',
  'message expired',
  'edit',
  'invalid edit',
  'pause',
  'request to a dead origin',
  'request to a slow origin',
  'overloaded key',
  'contested key',
]
/** A claim lists at most this many of its problems (count). */
const listedMax = 10

const claims: Readonly<Record<string, (end: End) => readonly string[]>> = {
  'No run crashes': ({ world }) =>
    world.record.crashes.map((error) => (error instanceof Error ? (error.stack ?? error.message) : String(error))),

  'Every event that a ledger calls covered is in the lake': ({ audited }) => audited.missing,

  'No event is in the lake twice, except for one page at each fault of a process or a service': (end) => {
    const { audited } = end
    const twiceMax = repeatedMax(end)
    return audited.twice.length > twiceMax ? [`${audited.twice.length} events are, and at most ${twiceMax} may be`, ...audited.twice] : []
  },

  'No event is delivered again after its checkpoint, except for one page at each freeze': ({ world, scenario }) => {
    const freezes = [...world.record.faults].filter(([kind]) => kind.startsWith('freeze')).reduce((sum, [, count]) => sum + count, 0)
    return world.lake.again.length > freezes * scenario.world.pageItems ? world.lake.again : []
  },

  'The run is long enough to prove something': ({ audited, scenario }) =>
    audited.expected > scenario.eventsMin
      ? []
      : [`Only ${audited.expected} events are proven, and it should be more than ${scenario.eventsMin}`],

  'Every item is accounted for at each minute: fetched = delivered + filtered + already seen': ({ audited }) => audited.unbalanced,

  'Live events are in the lake in time, from an hour after the last fault on': ({ audited, scenario }) =>
    withoutOverloaded(scenario, audited.old),

  'No key is used by two tenants, unless both allow it': ({ audited }) => audited.sharing,

  'No record holds a key of its connector, and each from which one was removed is counted': (end) => {
    const { world, streams, scenario } = end
    if (scenario.world.keyInEvents !== true) return []
    const { withKey, redacted } = world.lake
    const counted = [...streams.values()].reduce((sum, stream) => sum + (stream?.counts.redacted ?? 0), 0)
    return [
      ...[...withKey].map(([connectorId, count]) => `${count} records of ${connectorId} hold its key`),
      ...(counted <= redacted && redacted <= counted + repeatedMax(end)
        ? []
        : [`${redacted} records are marked, and ${counted} are counted`]),
    ]
  },

  'No range is lost': (end) =>
    ofStreams(end, ({ lostRanges }) => lostRanges.map(({ from, to, reason }) => `${iso(from)} to ${iso(to)} is lost (${reason})`)),

  'Every stream is covered past the last fault': (end) => {
    const faultyUntil = start + end.scenario.faultyMs
    const problems = ofStreams(end, (stream) => {
      const to = coveredTo(stream, end.world.clock.now())
      return to > faultyUntil ? [] : [`is covered to ${iso(to)} only, but the faults ended at ${iso(faultyUntil)}`]
    })
    return withoutOverloaded(end.scenario, problems)
  },

  'The vendor refuses no request, unless another consumer uses the key': ({ world, scenario }) => {
    if ((scenario.world.vendor.otherRequestsPerMinute ?? 0) > 0) return []
    return ofKeys(world, (key) => world.model.account.refused(key)).flatMap(({ key, count }) =>
      count === 0 ? [] : [`${key}: the vendor refused ${count}`],
    )
  },

  'The vendor never sees more requests of a key in any 60 s than it allows': ({ world }) =>
    ofKeys(world, (key) => world.model.account.maxRequestsInAnyMinute(key)).flatMap(({ key, count }) =>
      count <= requestsPerMinute ? [] : [`${key}: the vendor saw ${count} and allows ${requestsPerMinute}`],
    ),
}

/** Faults of a process or a service deliver at most so many records again: one page each. */
function repeatedMax({ world, scenario }: End): number {
  const repeating = [...world.record.faults].filter(([kind]) => !harmless.includes(kind)).reduce((sum, [, count]) => sum + count, 0)
  return repeating * scenario.world.pageItems
}

/** Checks every claim in a world whose scenario has ended. */
export async function judge(
  scenario: Scenario,
  world: World,
  audited: Audit,
): Promise<{ readonly invariants: readonly Invariant[]; readonly proven: number }> {
  const end: End = { scenario, world, audited, streams: await everyStream(world) }
  const invariants = Object.entries(claims).map(([claim, problemsOf]) => {
    const problems = problemsOf(end)
    return { claim, problems: shortened(problems) }
  })
  return { invariants, proven: audited.expected }
}

async function everyStream({ state, secrets }: World): Promise<ReadonlyMap<StreamId, StreamState | undefined>> {
  const every = new Map<StreamId, StreamState | undefined>()
  const all: AcceptedConnector[] = []
  for await (const accepted of state.allAccepted()) all.push(accepted)
  const keysOf = ({ connector }: AcceptedConnector) => connector.apiKeySecrets.map(({ secretName }) => secrets.values.get(secretName))
  for (const accepted of all) {
    const { connector } = accepted
    const { streams, status } = await state.readRun(connector.connectorId)
    const isOwner = (other: AcceptedConnector) =>
      other.retiredAt === undefined &&
      tenantOf(other.connector) !== tenantOf(connector) &&
      keysOf(other).some((key) => keysOf(accepted).includes(key))
    if (isDenied(status) && all.some(isOwner)) continue
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

/** No collector can be in time on a key that allows fewer requests than its streams need. Each problem begins with the connector. */
function withoutOverloaded(scenario: Scenario, problems: readonly string[]): readonly string[] {
  return problems.filter((problem) => !isOverloaded(scenario, problem.split(' ')[0] ?? ''))
}

/** Counts by the name of the secret, because a key must not be printed. */
function ofKeys(world: World, count: (key: string) => number) {
  return [...world.secrets.values].flatMap(([secretName, key]) => (typeof key === 'string' ? [{ key: secretName, count: count(key) }] : []))
}

function shortened(problems: readonly string[]): readonly string[] {
  return problems.length <= listedMax ? problems : [...problems.slice(0, listedMax), `… and ${problems.length - listedMax} more`]
}
