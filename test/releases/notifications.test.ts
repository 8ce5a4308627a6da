import { describe, expect, it } from 'vitest'
import { minute } from '../../functions/domain/time.ts'
import { connectorItem, secretName } from '../../simulation/world.ts'
import { Deployment } from './deployment.ts'
import { startDynamo } from './dynamo.ts'
import {
  bothDirections,
  changesOf,
  expectNoError,
  expectNoNotificationTwice,
  outageNotificationsOf,
  sendsNotifications,
} from './expectations.ts'
import { frozenVersions, loadRelease, presentRelease, type Release } from './release.ts'

const dynamo = startDynamo()
const formers = await Promise.all(frozenVersions.filter(sendsNotifications).map((version) => loadRelease(version)))

describe.each(bothDirections(formers))('an outage that $from.name saw begin', ({ from, to }) => {
  it(`is ended by ${to.name}, and its beginning and its end are each notified once`, async () => {
    const deployment = await reading(from)
    const vendor = breakable(deployment)
    await deployment.runAndMeasure(10 * minute)
    vendor.isDown = true
    await deployment.runAndMeasure(15 * minute)
    expect(await deployment.state.outages()).toMatchObject([{ sent: true }])
    deployment.deployed = () => to
    await deployment.runAndMeasure(15 * minute)
    expect(outageNotificationsOf(deployment.world.bus.notifications)).toEqual(['Vendor Outage Began'])
    vendor.isDown = false
    await deployment.runAndMeasure(20 * minute)
    await expectNotifiedOnce(deployment)
  })

  it(`is notified once by ${to.name}, together with the changes of state, when the bus refused everything meanwhile`, async () => {
    const deployment = await reading(from)
    const vendor = breakable(deployment)
    deployment.world.bus.refuses = true
    await deployment.runAndMeasure(10 * minute)
    vendor.isDown = true
    await deployment.runAndMeasure(15 * minute)
    expect(deployment.world.bus.notifications).toEqual([])
    deployment.world.bus.refuses = false
    deployment.deployed = () => to
    await deployment.runAndMeasure(10 * minute)
    vendor.isDown = false
    await deployment.runAndMeasure(20 * minute)
    await expectNotifiedOnce(deployment)
  })
})

describe.each(formers)('an outage while $name and this release are both at work', (former) => {
  it('is notified once when it begins and once when it ends', async () => {
    const deployment = await reading(former)
    const vendor = breakable(deployment)
    let invocation = 0
    deployment.deployed = () => (invocation++ % 2 === 0 ? former : presentRelease)
    await deployment.runAndMeasure(10 * minute)
    vendor.isDown = true
    await deployment.runAndMeasure(20 * minute)
    vendor.isDown = false
    await deployment.runAndMeasure(20 * minute)
    await expectNotifiedOnce(deployment)
    for (const { name } of [former, presentRelease]) expect(deployment.runs[name]?.begun).toBeGreaterThan(2)
  })
})

const connectorIds = ['acme.a', 'acme.b', 'acme.c']

/** Opens a deployment whose connectors a release has accepted. The same release runs them. */
async function reading(release: Release): Promise<Deployment> {
  const deployment = await Deployment.open(dynamo)
  deployment.deployed = () => release
  for (const connectorId of connectorIds) {
    const apiKeySecrets = [`${secretName}-${connectorId}`]
    deployment.world.secrets.values.set(apiKeySecrets[0]!, `key-of-${connectorId}`)
    await deployment.finish(deployment.process(release).accept(connectorItem({ connectorId, name: connectorId, apiKeySecrets })))
  }
  void deployment.tick()
  return deployment
}

function breakable({ world }: Deployment): { isDown: boolean } {
  const vendor = { isDown: false }
  world.vendorResponds(() => (vendor.isDown ? { status: 500 } : undefined))
  return vendor
}

/** Every connector was ok, failed and was ok again, and the vendor had one outage. Each change was notified once, and none is pending. */
async function expectNotifiedOnce(deployment: Deployment): Promise<void> {
  const { notifications } = deployment.world.bus
  expectNoError(deployment)
  expect(outageNotificationsOf(notifications)).toEqual(['Vendor Outage Began', 'Vendor Outage Ended'])
  expect(await deployment.state.outages()).toEqual([])
  for (const connectorId of connectorIds) {
    expect(changesOf(notifications, connectorId)).toEqual([
      ['starting', 'ok'],
      ['ok', 'failing'],
      ['failing', 'ok'],
    ])
    expect((await deployment.state.readStatus(connectorId))?.pendingChanges).toBeUndefined()
  }
  expectNoNotificationTwice(notifications)
}
