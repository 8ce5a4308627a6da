import { describe, expect, it } from 'vitest'
import { hour, minute, second } from '../../functions/domain/time.ts'
import { connectorItem } from '../../simulation/world.ts'
import { Deployment } from './deployment.ts'
import { startDynamo } from './dynamo.ts'
import { listOf } from './everything.ts'
import { bothDirections, expectExact, refusedCheckpoints } from './expectations.ts'
import { withoutRuns } from './history.ts'
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
