import { describe, expect, it } from 'vitest'
import type { ConnectorState } from '../../functions/domain/status/connector-state.ts'
import { hour, minute, second } from '../../functions/domain/time.ts'
import type { ConnectorItem } from '../../functions/flows/item-digest.ts'
import { connectorItem } from '../../simulation/world.ts'
import { Deployment } from './deployment.ts'
import { startDynamo } from './dynamo.ts'
import { listOf } from './everything.ts'
import { bothDirections, expectExact, refusedCheckpoints } from './expectations.ts'
import { freezingAt, withoutRuns } from './history.ts'
import { frozenVersions, loadRelease, presentRelease } from './release.ts'

/** 12 minutes of 20 requests are 240 pages of 25 events. Many of these events are not covered yet. */
const eventsMin = 500
/** The test starts 48 runs, and every second run is of the other release. A few may be missing. */
const runsMin = 20

const dynamo = startDynamo()
const formers = await Promise.all(frozenVersions.map((version) => loadRelease(version)))

describe.each(formers)('$name and this release at work at the same time', (former) => {
  it('lose nothing, deliver nothing twice and keep the limit of the key that they share, however their runs interleave', async () => {
    const deployment = await Deployment.open(dynamo, { vendor: { eventsPerHour: 1_500 } })
    const item = (connectorId: string) => connectorItem({ connectorId, name: connectorId, initialBackfillMinutes: 300 })
    let invocation = 0
    deployment.deployed = () => (invocation++ % 2 === 0 ? former : presentRelease)
    for (const connectorId of ['acme.a', 'acme.b']) {
      await deployment.finish(deployment.process(deployment.deployed()).accept(item(connectorId)))
    }
    void deployment.tick()
    for (let i = 0; i < 12; i++) {
      for (const connectorId of ['acme.a', 'acme.b', 'acme.a', 'acme.b']) void deployment.invoke(connectorId, 7 * second * i)
      await deployment.run(minute)
    }
    await expectExact(deployment, eventsMin)
    for (const { name } of [former, presentRelease]) expect(deployment.runs[name]?.begun).toBeGreaterThan(runsMin)
    expect(refusedCheckpoints(deployment)).toBeGreaterThan(0)
  })
})

describe.each(bothDirections(formers))('the hourly comparison of $to.name', ({ from, to }) => {
  it(`finds nothing to do after ${from.name} has accepted the same items`, async () => {
    const deployment = await Deployment.open(dynamo)
    const items = [
      connectorItem({ connectorId: 'acme.a', name: 'acme.a' }),
      connectorItem({ connectorId: 'acme.b', name: 'acme.b', enabled: false }),
    ]
    deployment.deployed = () => withoutRuns(from)
    await deployment.finish(deployment.process(from).reconcile(items.map((item) => ({ ...item, initialBackfillMinutes: 30 }))))
    await deployment.finish(deployment.process(from).reconcile(items))
    const accepted = await listOf(deployment.state.allAccepted())
    await deployment.run(hour)
    await deployment.finish(deployment.process(to).reconcile(items))
    expect(await listOf(deployment.state.allAccepted())).toEqual(accepted)
    expect(accepted).toHaveLength(2)
  })
})

/** An edit, and the status and the due time that follow from it once the next run or the next comparison is over. */
const edits: Readonly<Record<string, { readonly edit: ConnectorItem; readonly state: ConnectorState; readonly isDue: boolean }>> = {
  'a pause': { edit: { enabled: false }, state: 'paused', isDue: false },
  'an edit of intervalMinutes': { edit: { intervalMinutes: 7 }, state: 'ok', isDue: true },
}
const timings: Readonly<Record<string, number>> = {
  'goes on at once': second,
  'wakes up when its leases are over and this release has run': 7 * minute,
}

describe.each(formers)('a run of $name that is under way while this release accepts', (former) => {
  describe.each(Object.entries(edits))('%s', (_, { edit, state, isDue }) => {
    it.each(Object.entries(timings))(
      'and %s ends with the status of the newer acceptance after the next run or comparison',
      async (__, ms) => {
        const deployment = await Deployment.open(dynamo, { vendor: { eventsPerHour: 600 } })
        const item = connectorItem({ initialBackfillMinutes: 300, intervalMinutes: 3 })
        deployment.deployed = () => withoutRuns(former)
        await deployment.finish(deployment.process(former).accept(item))
        const { sink, isFrozen } = freezingAt(3, ms, deployment)
        const run = deployment.process(former).collect('acme.cas', sink)
        await deployment.runUntil(isFrozen)
        deployment.deployed = () => presentRelease
        await deployment.finish(deployment.process(presentRelease).accept({ ...item, ...edit }))
        const { acceptedAt } = (await deployment.state.readAccepted('acme.cas'))!
        void deployment.tick()
        await deployment.finish(run)
        // A former run writes no status of a paused connector. That of an edited one it writes without a version.
        const { status } = await deployment.state.readRun('acme.cas')
        if (ms === second) expect(status?.acceptedAt).toBe(isDue ? undefined : acceptedAt)

        await deployment.finish(deployment.process(presentRelease).reconcile([{ ...item, ...edit }]))
        await deployment.run(8 * minute)
        const after = await deployment.state.readRun('acme.cas')
        expect(deployment.crashes).toEqual([])
        expect(after.accepted?.acceptedAt).toBe(acceptedAt)
        expect(after.status).toMatchObject({ state, acceptedAt })
        expect(after.due?.acceptedAt).toBe(isDue ? acceptedAt : undefined)
      },
    )
  })
})
