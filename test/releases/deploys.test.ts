import { describe, expect, it } from 'vitest'
import { minute } from '../../functions/domain/time.ts'
import { connectorItem } from '../../simulation/world.ts'
import { Deployment } from './deployment.ts'
import { startDynamo } from './dynamo.ts'
import { expectExact } from './expectations.ts'
import { frozenVersions, loadRelease, presentRelease } from './release.ts'

/** A larger seed has more to read: 60 minutes more for each connector. */
const seeds = [1, 2, 3, 4, 5]

/** The smallest seed has four streams of 300 events an hour, for an hour before the start: 1,200, with room for late ones. */
const eventsMin = 500
/** Both releases must have worked: two connectors run at every minute or so while there is a backlog. */
const runsMin = 2

const dynamo = startDynamo()
const cases = frozenVersions.flatMap((version) => seeds.map((seed) => ({ version, seed })))

describe('a deploy over a former release while runs are in progress, a rollback and a second deploy', () => {
  it.each(cases)('lose nothing and deliver nothing twice (release $version, seed $seed)', async ({ version, seed }) => {
    const former = await loadRelease(version)
    const vendor = { seed, eventsPerHour: 300, delayMs: { min: 0, max: 900 }, lateMaxMs: 10 * minute }
    const deployment = await Deployment.open(dynamo, { vendor })
    deployment.deployed = () => former
    for (const connectorId of ['acme.a', 'acme.b']) {
      const more = { eventTypes: ['dlp', 'securityrisk'], initialBackfillMinutes: 60 * seed }
      await deployment.finish(deployment.process(former).accept(connectorItem({ connectorId, name: connectorId, ...more })))
    }
    void deployment.tick()
    for (const next of [presentRelease, former, presentRelease]) {
      await deployment.run((2 + ((seed * 37) % 4)) * minute + seed * 7_777)
      const before = deployment.deployed().name
      await deployment.runUntil(() => (deployment.runs[before]?.underWay ?? 0) > 0)
      deployment.deployed = () => next
    }
    await deployment.run(8 * minute)
    await expectExact(deployment, eventsMin)
    for (const { name } of [former, presentRelease]) expect(deployment.runs[name]?.begun).toBeGreaterThan(runsMin)
  })
})
