import { beforeAll, describe, expect, it } from 'vitest'
import { minute } from '../../functions/domain/time.ts'
import { Deployment } from './deployment.ts'
import { startDynamo } from './dynamo.ts'
import { everything, kindsOf, schemaVersionsOf } from './everything.ts'
import { expectNoError } from './expectations.ts'
import { asTheHistoryLeaves, historyVendor, liveThrough } from './history.ts'
import { frozenVersions, loadRelease, loadState, presentRelease, type StoredState } from './release.ts'

const dynamo = startDynamo()

describe('the state that this release writes', () => {
  let stored: StoredState

  beforeAll(async () => {
    const deployment = await Deployment.open(dynamo, { vendor: historyVendor })
    await liveThrough(deployment, presentRelease)
    stored = await deployment.stored()
  })

  it.each(frozenVersions)('is read by release %s, which continues from it, so a deploy can be rolled back', async (version) => {
    const former = await loadRelease(version)
    const deployment = await Deployment.open(dynamo, { vendor: historyVendor })
    asTheHistoryLeaves(deployment.world)
    await deployment.restore(stored)
    expect(kindsOf(stored)).toEqual(expect.arrayContaining(kindsOf(await loadState(version))))
    const [then, now] = [await everything(deployment.process(former).state, stored), await everything(deployment.state, stored)]
    expect(now).toMatchObject(then)
    expect(Object.keys(then.statuses)).toEqual(Object.keys(now.statuses))

    deployment.deployed = () => former
    await deployment.finish(deployment.process(former).measure())
    void deployment.tick()
    await deployment.run(20 * minute)
    expectNoError(deployment)
    expect(schemaVersionsOf(await deployment.stored())).toEqual(schemaVersionsOf(await loadState(version)))
  })
})
