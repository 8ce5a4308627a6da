import { describe, expect, it } from 'vitest'
import { coveredTo } from '../../functions/domain/stream/ledger.ts'
import { minute } from '../../functions/domain/time.ts'
import { connectorItem, start } from '../../simulation/world.ts'
import { Deployment, pageItems } from './deployment.ts'
import { startDynamo } from './dynamo.ts'
import { bothDirections, expectExact, expectLimitKept, refusedCheckpoints } from './expectations.ts'
import { expectKilled, freezingAt, killedAt, withoutRuns } from './history.ts'
import { frozenVersions, loadRelease, type Release } from './release.ts'

/** A backlog of 300 minutes with 600 events an hour is 3,000 events, and half an hour adds more. */
const backlogEventsMin = 3_000
/** After only 12 minutes, some of the 3,000 events of the backlog are not covered yet. */
const shortEventsMin = 2_500
/** The stream must have gone on while the run was frozen: a page of 25 events is a checkpoint. */
const checkpointsMin = 20

const dynamo = startDynamo()
const directions = bothDirections(await Promise.all(frozenVersions.map((version) => loadRelease(version))))

describe.each(directions)('a range that $from.name left half read', ({ from, to }) => {
  it(`is continued by ${to.name} at its next page, and no event is lost or delivered twice`, async () => {
    const deployment = await accepted(from)
    const killed = deployment.process(from).collect('acme.cas', killedAt(11, deployment.world.lake))
    await deployment.finish(killed.catch(expectKilled))
    const { range, lease } = await streamOf(deployment)
    expect(lease?.until).toBeGreaterThan(deployment.clock.now())
    expect(range?.page).toBeGreaterThan(0)

    const asked = requestsOf(deployment)
    deployment.deployed = () => to
    void deployment.tick()
    await deployment.run(30 * minute)
    expect(asked[0]?.get('page_id')).toBe(new URL(range!.nextLink!).searchParams.get('page_id'))
    await expectExact(deployment, backlogEventsMin)
    expect(coveredTo(await streamOf(deployment), deployment.clock.now())).toBeGreaterThan(start)
  })
})

describe.each(directions)('a run of $from.name that freezes in the middle of a page while $to.name goes on', ({ from, to }) => {
  it('cannot overwrite the checkpoints of others when it wakes up, loses nothing, and repeats its page at most', async () => {
    const deployment = await accepted(from)
    const { sink, isFrozen } = freezingAt(9, 7 * minute, deployment)
    const run = deployment.process(from).collect('acme.cas', sink)
    await deployment.runUntil(isFrozen)
    deployment.deployed = () => to
    void deployment.tick()
    await deployment.run(6 * minute)
    expect(deployment.runs[to.name]?.begun).toBeGreaterThan(0)
    const before = { version: (await streamOf(deployment)).version, refused: refusedCheckpoints(deployment) }
    await deployment.finish(run)
    expect(before.version).toBeGreaterThan(checkpointsMin)
    expect(refusedCheckpoints(deployment)).toBeGreaterThan(before.refused)
    await deployment.run(6 * minute)
    const { missing, twice, expected } = await deployment.audit()
    expect(deployment.crashes).toEqual([])
    expect(missing).toEqual([])
    expect(expected).toBeGreaterThan(shortEventsMin)
    expect(twice.length).toBeGreaterThan(0)
    expect(twice.length).toBeLessThanOrEqual(pageItems)
    expectLimitKept(deployment)
  })
})

/** Opens a deployment with a busy connector that a release has accepted. Only the test runs it. */
async function accepted(release: Release): Promise<Deployment> {
  const deployment = await Deployment.open(dynamo, { vendor: { eventsPerHour: 600 } })
  deployment.deployed = () => withoutRuns(release)
  await deployment.finish(deployment.process(release).accept(connectorItem({ initialBackfillMinutes: 300 })))
  return deployment
}

async function streamOf({ state }: Deployment) {
  const { streams } = await state.readRun('acme.cas')
  return streams.get('sharepoint/dlp')!
}

/** Collects the requests to the vendor from now on. */
function requestsOf({ world }: Deployment): readonly URLSearchParams[] {
  const asked: URLSearchParams[] = []
  world.vendorResponds((query) => {
    asked.push(query)
    return undefined
  })
  return asked
}
