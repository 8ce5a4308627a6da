import type { AttributeValue } from '@aws-sdk/client-dynamodb'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { ConnectorState } from '../../functions/domain/status/connector-state.ts'
import { type FailureCode, failure, failureKinds } from '../../functions/domain/failures.ts'
import { coveredTo, newStream } from '../../functions/domain/stream/ledger.ts'
import type { KeyUser, Sink, State } from '../../functions/domain/ports.ts'
import { newStatus } from '../../functions/domain/status/status.ts'
import type { LostRange, RangeKind } from '../../functions/domain/stream/stream.ts'
import { hour, minute, second } from '../../functions/domain/time.ts'
import { connectorItem, key, start, type WorldOptions } from '../../simulation/world.ts'
import { type LocalDynamo, startDynalite } from '../dynalite.ts'
import { Deployment, pageItems } from '../releases/deployment.ts'
import { expectKilled, historySecrets, historyVendor, killedAt, liveThrough, withoutRuns } from '../releases/history.ts'
import { loadRelease, loadState, presentRelease, type Release, type StoredState } from '../releases/release.ts'

/** The release before this one, as it was. */
const previousVersion = '0.1.0'

let dynamo: LocalDynamo
let previous: Release

beforeAll(async () => {
  dynamo = await startDynalite()
  previous = await loadRelease(previousVersion)
})
afterAll(() => dynamo.close())

const directions = [
  { from: 'the previous release', to: 'this one', releases: () => [previous, presentRelease] as const },
  { from: 'this release', to: 'the previous one', releases: () => [presentRelease, previous] as const },
]

describe(`the state that release ${previousVersion} wrote`, () => {
  let stored: StoredState

  beforeAll(async () => {
    stored = await loadState(previousVersion)
  })

  async function restored(): Promise<Deployment> {
    const deployment = await Deployment.open(dynamo, { vendor: historyVendor })
    for (const [name, apiKey] of Object.entries(historySecrets)) deployment.world.secrets.values.set(name, apiKey)
    await deployment.restore(stored)
    return deployment
  }

  it('has every kind of item, with all that each may hold', async () => {
    expect(kindsOf(stored)).toEqual(['ACCEPTED', 'DUE', 'KEY', 'SEEN', 'STATUS', 'STREAM', 'TOKENS', 'USER'])
    const { streams, statuses, accepted } = await everything((await restored()).process(previous).state, stored)
    expect(attributesOf(Object.values(streams))).toEqual(
      expect.arrayContaining(['covered', 'hard', 'lostRanges', 'lastReadAt', 'lease', 'reread', 'setAside', 'range', 'trouble']),
    )
    expect(new Set(Object.values(streams).flatMap(({ lostRanges }) => lostRanges.map(({ reason }) => reason)))).toEqual(
      new Set(['horizon', 'paused', 'unreadable']),
    )
    expect(new Set(Object.values(statuses).map(({ state }) => state))).toEqual(
      new Set(['starting', 'ok', 'catching-up', 'throttled', 'failing', 'refused', 'paused', 'retired']),
    )
    expect(attributesOf(Object.values(statuses))).toEqual(expect.arrayContaining(['trouble', 'lastFailure', 'keys']))
    expect(attributesOf(accepted)).toEqual(expect.arrayContaining(['lastPause', 'retiredAt']))
  })

  it('is read by this release, and means the same', async () => {
    const deployment = await restored()
    const then = await everything(deployment.process(previous).state, stored)
    expect(await everything(deployment.state, stored)).toEqual(then)
  })

  it('is gone on with: whatever was due runs, a killed run’s range is finished, and each key keeps its limiter', async () => {
    const deployment = await restored()
    const before = await everything(deployment.state, stored)
    void deployment.tick()
    await deployment.run(20 * minute)
    const after = await everything(deployment.state, await deployment.stored())
    expect(deployment.crashes).toEqual([])
    expect(errorsOf(deployment)).toEqual([])
    const rests = (connectorId: string) => (before.statuses[connectorId]?.trouble?.until ?? 0) > stored.at
    const due = before.due.filter(({ connectorId, nextDueAt }) => nextDueAt < stored.at + 5 * minute && !rests(connectorId))
    expect(due.length).toBeGreaterThan(10)
    for (const { connectorId } of due) expect(after.statuses[connectorId]?.lastRunAt, connectorId).toBeGreaterThan(stored.at)
    expect(after.fingerprintKey).toBe(before.fingerprintKey)
    expect(new Set(Object.keys(after.tokens))).toEqual(new Set(Object.keys(before.tokens)))
    const { range } = before.streams['killed gmail/dlp']!
    expect(coveredTo(after.streams['killed gmail/dlp']!, deployment.clock.now())).toBeGreaterThan(range!.to)
  })
})

describe('the state that this release writes', () => {
  it(`is read by release ${previousVersion}, which goes on with it: a deploy can be rolled back`, async () => {
    const deployment = await Deployment.open(dynamo, { vendor: historyVendor })
    await liveThrough(deployment, presentRelease)
    const stored = await deployment.stored()
    expect(kindsOf(stored)).toEqual(expect.arrayContaining(kindsOf(await loadState(previousVersion))))
    const [then, now] = [await everything(deployment.process(previous).state, stored), await everything(deployment.state, stored)]
    expect(now).toMatchObject(then)
    expect(Object.keys(then.statuses)).toEqual(Object.keys(now.statuses))

    deployment.deployed = () => previous
    await deployment.finish(deployment.process(previous).measure())
    void deployment.tick()
    await deployment.run(20 * minute)
    expect(deployment.crashes).toEqual([])
    expect(errorsOf(deployment)).toEqual([])
    expect(schemaVersionsOf(await deployment.stored())).toEqual(schemaVersionsOf(await loadState(previousVersion)))
  })

  const states = allOf<ConnectorState>({
    starting: true,
    ok: true,
    'catching-up': true,
    throttled: true,
    'losing-data': true,
    failing: true,
    refused: true,
    paused: true,
    retired: true,
  })
  const kinds = allOf<RangeKind>({ tail: true, fresh: true, settling: true, reread: true })
  const reasons = allOf<LostRange['reason']>({ horizon: true, paused: true, unreadable: true })

  it(`has no state, failure, kind of range or reason of a hole that release ${previousVersion} does not know`, async () => {
    const { state, process } = await opened()
    const then = process(previous).state
    for (const each of states) {
      await state.updateStatus(each, () => ({ ...newStatus(start), state: each }))
      expect((await then.readStatus(each))?.state).toBe(each)
    }
    for (const code of Object.keys(failureKinds) as FailureCode[]) {
      const trouble = { failure: failure(code, 'seen'), attempts: 1, until: start, since: start }
      await state.writeStream(code, 'x', { ...newStream(start, start), version: 1, trouble })
      expect((await then.readRun(code)).streams.get('x')?.trouble).toEqual(trouble)
    }
    for (const kind of kinds) {
      const range = { kind, from: 1, to: 2, page: 0, items: 0 }
      await state.writeStream(kind, 'x', { ...newStream(start, start), version: 1, range })
      expect((await then.readRun(kind)).streams.get('x')?.range).toEqual(range)
    }
    for (const reason of reasons) {
      await state.writeStream(reason, 'x', { ...newStream(start, start), version: 1, lostRanges: [{ from: 1, to: 2, reason }] })
      expect((await then.readRun(reason)).streams.get('x')?.lostRanges).toEqual([{ from: 1, to: 2, reason }])
    }
  })

  async function opened() {
    const deployment = await Deployment.open(dynamo)
    return { state: deployment.state, process: deployment.process.bind(deployment) }
  }
})

describe.each(directions)('a range that $from left half read', ({ to, releases }) => {
  it(`is gone on with by ${to} at its next page, without losing or doubling an event`, async () => {
    const [former, next] = releases()
    const deployment = await open({ vendor: { eventsPerHour: 600 } })
    deployment.deployed = () => withoutRuns(former)
    await deployment.finish(deployment.process(former).accept(connectorItem({ initialBackfillMinutes: 300 })))
    const killed = deployment.process(former).collect('acme-cas', killedAt(11, deployment.world.lake))
    await deployment.finish(killed.catch(expectKilled))
    const { range, lease } = await streamOf(deployment)
    expect(lease?.until).toBeGreaterThan(deployment.clock.now())
    expect(range?.page).toBeGreaterThan(0)

    const asked = requestsOf(deployment)
    deployment.deployed = () => next
    void deployment.tick()
    await deployment.run(30 * minute)
    expect(asked[0]?.get('page_id')).toBe(new URL(range!.nextLink!).searchParams.get('page_id'))
    await expectExact(deployment, 3_000)
    expect(coveredTo(await streamOf(deployment), deployment.clock.now())).toBeGreaterThan(start)
  })
})

describe.each(directions)('a run of $from that freezes in the middle of a page while $to goes on', ({ releases }) => {
  it('cannot checkpoint when it wakes up: nothing is lost, and its page is repeated at most', async () => {
    const [frozen, awake] = releases()
    const deployment = await open({ vendor: { eventsPerHour: 600 } })
    deployment.deployed = () => withoutRuns(frozen)
    await deployment.finish(deployment.process(frozen).accept(connectorItem({ initialBackfillMinutes: 300 })))
    const { sink, isFrozen } = freezingAt(9, 7 * minute, deployment)
    const run = deployment.process(frozen).collect('acme-cas', sink)
    await deployment.runUntil(isFrozen)
    deployment.deployed = () => awake
    void deployment.tick()
    await deployment.run(6 * minute)
    expect(deployment.runs[awake.name]?.begun).toBeGreaterThan(0)
    const before = { version: (await streamOf(deployment)).version, refused: checkpointsRefused(deployment) }
    await deployment.finish(run)
    expect(before.version).toBeGreaterThan(20)
    expect(checkpointsRefused(deployment)).toBeGreaterThan(before.refused)
    await deployment.run(6 * minute)
    const { missing, twice, expected } = await deployment.audit()
    expect(deployment.crashes).toEqual([])
    expect(missing).toEqual([])
    expect(expected).toBeGreaterThan(2_500)
    expect(twice.length).toBeGreaterThan(0)
    expect(twice.length).toBeLessThanOrEqual(pageItems)
    expectLimitKept(deployment)
  })
})

describe('two releases at work at the same time', () => {
  it('lose nothing, deliver nothing twice and keep the limit of the key that they share, however their runs interleave', async () => {
    const deployment = await open({ vendor: { eventsPerHour: 1_500 } })
    const item = (connectorId: string) => connectorItem({ connectorId, name: connectorId, initialBackfillMinutes: 300 })
    let invocation = 0
    deployment.deployed = () => (invocation++ % 2 === 0 ? previous : presentRelease)
    for (const connectorId of ['a', 'b']) {
      await deployment.finish(deployment.process(deployment.deployed()).accept(item(connectorId)))
    }
    void deployment.tick()
    for (let i = 0; i < 12; i++) {
      for (const connectorId of ['a', 'b', 'a', 'b']) void deployment.invoke(connectorId, 7 * second * i)
      await deployment.run(minute)
    }
    await expectExact(deployment, 500)
    for (const { name } of [previous, presentRelease]) expect(deployment.runs[name]?.begun).toBeGreaterThan(20)
    expect(checkpointsRefused(deployment)).toBeGreaterThan(0)
  })

  it('accept the same of the same items: the hourly comparison of one finds nothing to do after the other', async () => {
    const deployment = await open({})
    const items = [connectorItem({ connectorId: 'a', name: 'a' }), connectorItem({ connectorId: 'b', name: 'b', enabled: false })]
    for (const [first, second] of [[previous, presentRelease] as const, [presentRelease, previous] as const]) {
      deployment.deployed = () => withoutRuns(first)
      await deployment.finish(deployment.process(first).reconcile(items.map((item) => ({ ...item, initialBackfillMinutes: 30 }))))
      await deployment.finish(deployment.process(first).reconcile(items))
      const accepted = await listOf(deployment.state.allAccepted())
      await deployment.run(hour)
      await deployment.finish(deployment.process(second).reconcile(items))
      expect(await listOf(deployment.state.allAccepted())).toEqual(accepted)
      expect(accepted).toHaveLength(2)
    }
  })
})

describe('a deploy while runs are in progress, a rollback and a second deploy', () => {
  it.each([1, 2, 3, 4, 5])('lose nothing and deliver nothing twice: seed %i', async (seed) => {
    const deployment = await open({ vendor: { seed, eventsPerHour: 300, delayMs: { min: 0, max: 900 }, lateMaxMs: 10 * minute } })
    deployment.deployed = () => previous
    for (const connectorId of ['a', 'b']) {
      const more = { eventTypes: ['dlp', 'securityrisk'], initialBackfillMinutes: 60 * seed }
      await deployment.finish(deployment.process(previous).accept(connectorItem({ connectorId, name: connectorId, ...more })))
    }
    void deployment.tick()
    for (const next of [presentRelease, previous, presentRelease]) {
      await deployment.run((2 + ((seed * 37) % 4)) * minute + seed * 7_777)
      const before = deployment.deployed().name
      await deployment.runUntil(() => (deployment.runs[before]?.underWay ?? 0) > 0)
      deployment.deployed = () => next
    }
    await deployment.run(8 * minute)
    await expectExact(deployment, 500)
    for (const { name } of [previous, presentRelease]) expect(deployment.runs[name]?.begun).toBeGreaterThan(2)
  })
})

function open(options: WorldOptions): Promise<Deployment> {
  return Deployment.open(dynamo, options)
}

async function expectExact(deployment: Deployment, eventsMin: number): Promise<void> {
  const { missing, twice, expected } = await deployment.audit()
  expect(deployment.crashes).toEqual([])
  expect(missing).toEqual([])
  expect(twice).toEqual([])
  expect(expected).toBeGreaterThan(eventsMin)
  expectLimitKept(deployment)
}

function expectLimitKept({ world }: Deployment): void {
  expect(world.model.account.refused(key)).toBe(0)
  expect(world.model.account.maxRequestsInAnyMinute(key)).toBeLessThanOrEqual(20)
}

async function streamOf({ state }: Deployment) {
  const { streams } = await state.readRun('acme-cas')
  return streams.get('sharepoint/dlp')!
}

/** What is asked of the vendor from now on. */
function requestsOf({ world }: Deployment): readonly URLSearchParams[] {
  const asked: URLSearchParams[] = []
  world.vendorResponds((query) => {
    asked.push(query)
    return undefined
  })
  return asked
}

/** Delivers, and when it has delivered for the `nth` time does not go on for so long. */
function freezingAt(nth: number, forMs: number, { world }: Deployment): { readonly sink: Sink; readonly isFrozen: () => boolean } {
  let deliveries = 0
  const sink: Sink = {
    async deliver(records) {
      const delivered = await world.lake.deliver(records)
      deliveries += 1
      if (deliveries === nth) await world.clock.sleepUntil(world.clock.now() + forMs)
      return delivered
    },
  }
  return { sink, isFrozen: () => deliveries === nth }
}

function checkpointsRefused({ refused }: Deployment): number {
  return refused.filter((sk) => sk.startsWith('STREAM#')).length
}

function errorsOf({ world }: Deployment): readonly unknown[] {
  return world.log.filter(({ event }) => event === 'claim-failed' || event === 'acceptance-failed' || event === 'function-failed')
}

/** The values of a union, checked by the compiler to be all of them. */
function allOf<T extends string>(all: Record<T, true>): T[] {
  return Object.keys(all) as T[]
}

const text = (item: Readonly<Record<string, AttributeValue>>, name: string) => item[name]?.S ?? ''

function kindsOf({ items }: StoredState): string[] {
  return [...new Set(items.map((item) => text(item, 'sk').split('#')[0]!))].sort()
}

function schemaVersionsOf({ items }: StoredState): string[] {
  return [...new Set(items.map((item) => item['schemaVersion']?.N ?? 'none'))]
}

function attributesOf(values: readonly object[]): string[] {
  return [...new Set(values.flatMap((value) => Object.keys(value)))].sort()
}

/** All that a state table holds, as a release reads it. */
async function everything(state: State, { items }: StoredState) {
  const idsOf = (sk: string) => items.filter((item) => text(item, 'sk') === sk).map((item) => text(item, 'pk').replace(/^\w+#/, ''))
  const runs = await Promise.all(
    [...new Set([...idsOf('ACCEPTED'), ...idsOf('STATUS')])].map(async (id) => [id, await state.readRun(id)] as const),
  )
  const streams = Object.fromEntries(
    runs.flatMap(([id, run]) => [...run.streams].map(([name, stream]) => [`${id} ${name}`, stream] as const)),
  )
  const seen: Record<string, unknown> = {}
  for (const [id, run] of runs) {
    for (const [name, { seenClasses }] of run.streams) {
      const marks: Record<string, string> = {}
      const classes = Object.keys(seenClasses).map(Number)
      await state.readSeen(id, name, { from: 0, to: start + 1_000 * hour }, classes, (hash, mark) => {
        marks[hash] = mark
      })
      seen[`${id} ${name}`] = marks
    }
  }
  const buckets = idsOf('TOKENS')
  return {
    accepted: await listOf(state.allAccepted()),
    runs: Object.fromEntries(runs.map(([id, { streams: _, ...run }]) => [id, run])),
    due: await listOf(state.dueBefore(Number.MAX_SAFE_INTEGER)),
    fleet: await listOf(state.fleet()),
    statuses: Object.fromEntries(await Promise.all(idsOf('STATUS').map(async (id) => [id, (await state.readStatus(id))!] as const))),
    streams,
    seen,
    tokens: Object.fromEntries(await Promise.all(buckets.map(async (bucket) => [bucket, await state.readTokens(bucket)] as const))),
    users: Object.fromEntries(await Promise.all(buckets.map(async (bucket) => [bucket, await usersOf(state, bucket)] as const))),
    fingerprintKey: await state.fingerprintKey('ff'.repeat(32)),
  }
}

/** There is no reading of them without putting somebody down: who looks leaves again. */
async function usersOf(state: State, bucket: string): Promise<readonly KeyUser[]> {
  const looking = { connectorId: 'looking', tenantName: 'Nobody', sharedKey: false, requestsPerMinute: 20, until: start + 1_000 * hour }
  const users = await state.registerKeyUser(bucket, looking, start + 100 * hour)
  await state.forgetKeyUser(bucket, 'looking')
  return users
}

async function listOf<T>(items: AsyncIterable<T>): Promise<T[]> {
  const list: T[] = []
  for await (const item of items) list.push(item)
  return list
}
