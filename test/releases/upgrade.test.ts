import { beforeAll, describe, expect, it } from 'vitest'
import { coveredTo } from '../../functions/domain/stream/ledger.ts'
import { minute, second } from '../../functions/domain/time.ts'
import { Deployment } from './deployment.ts'
import { startDynamo } from './dynamo.ts'
import { type Everything, everything } from './everything.ts'
import {
  changesOf,
  expectNoError,
  expectNoNotificationTwice,
  outageNotificationsOf,
  sendsNotifications,
  withAttributesSince,
} from './expectations.ts'
import { asTheHistoryLeaves, historyVendor } from './history.ts'
import { frozenVersions, loadRelease, loadState, type StoredState } from './release.ts'

const dynamo = startDynamo()

describe.each(frozenVersions)('the state that release %s wrote', (version) => {
  let stored: StoredState
  let deployment: Deployment
  let asFormer: Everything
  let before: Everything

  beforeAll(async () => {
    stored = await loadState(version)
    deployment = await Deployment.open(dynamo, { vendor: historyVendor })
    asTheHistoryLeaves(deployment.world)
    await deployment.restore(stored)
    asFormer = await everything(deployment.process(await loadRelease(version)).state, stored)
    before = await everything(deployment.state, stored)
    // The clocks of the processes are up to 400 ms behind, and a run must be seen to come after the stored state.
    await deployment.run(second)
    void deployment.tick()
    await deployment.runAndMeasure(20 * minute)
  })

  it('is read by this release, and means the same', () => {
    // A release that knows no outages has none in its state.
    expect(before).toEqual(withAttributesSince({ outages: [], ...asFormer }))
  })

  it('is continued by this release: each due connector runs, the range of a killed run is finished, and each key keeps its limiter', async () => {
    const after = await everything(deployment.state, await deployment.stored())
    expectNoError(deployment)
    const waits = (connectorId: string) => (before.statuses[connectorId]?.trouble?.until ?? 0) > stored.at
    const due = before.due.filter(({ connectorId, nextDueAt }) => nextDueAt < stored.at + 5 * minute && !waits(connectorId))
    expect(due.length).toBeGreaterThan(10)
    for (const { connectorId } of due) expect(after.statuses[connectorId]?.lastRunAt, connectorId).toBeGreaterThan(stored.at)
    expect(after.fingerprintKey).toBe(before.fingerprintKey)
    expect(new Set(Object.keys(after.tokens))).toEqual(new Set(Object.keys(before.tokens)))
    const { range } = before.streams['killed gmail/dlp']!
    expect(coveredTo(after.streams['killed gmail/dlp']!, deployment.clock.now())).toBeGreaterThan(range!.to)
  })

  if (sendsNotifications(version)) {
    it('has pending changes of state and a pending outage, and this release notifies each of them once and ends each outage once', async () => {
      const { pendingChanges: changes = [] } = before.statuses['pending']!
      const { outages = [] } = before
      expect(changes).toHaveLength(4)
      expect(outages.map(({ sent }) => sent).sort()).toEqual([false, true])

      const { notifications } = deployment.world.bus
      expect(changesOf(notifications, 'pending').slice(0, changes.length)).toEqual(changes.map(({ from, to }) => [from, to]))
      for (const { origin, sent } of outages) {
        expect(outageNotificationsOf(notifications, origin)).toEqual(
          sent ? ['Vendor Outage Ended'] : ['Vendor Outage Began', 'Vendor Outage Ended'],
        )
      }
      expect(await deployment.state.outages()).toEqual([])
      expectNoNotificationTwice(notifications)
    })
  }
})
