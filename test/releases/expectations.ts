import { expect } from 'vitest'
import type { Notification } from '../../functions/domain/status/notifications.ts'
import { key } from '../../simulation/world.ts'
import type { Deployment } from './deployment.ts'
import { presentRelease, type Release } from './release.ts'

/** The release that works first, and the one after it. */
export interface Direction {
  readonly from: Release
  readonly to: Release
}

/** An upgrade from each former release, and a rollback to it. */
export function bothDirections(formers: readonly Release[]): Direction[] {
  return formers.flatMap((former) => [
    { from: former, to: presentRelease },
    { from: presentRelease, to: former },
  ])
}

/** More than `eventsMin` events were visible. Each of them is in the lake exactly once, and the limit of the key was kept. */
export async function expectExact(deployment: Deployment, eventsMin: number): Promise<void> {
  const { missing, twice, expected } = await deployment.audit()
  expect(deployment.crashes).toEqual([])
  expect(missing).toEqual([])
  expect(twice).toEqual([])
  expect(expected).toBeGreaterThan(eventsMin)
  expectLimitKept(deployment)
}

/** The vendor allows one key this many in any 60 s (requests). */
const requestsPerMinute = 20

export function expectLimitKept({ world }: Deployment): void {
  expect(world.model.account.refused(key)).toBe(0)
  expect(world.model.account.maxRequestsInAnyMinute(key)).toBeLessThanOrEqual(requestsPerMinute)
}

export function expectNoError({ crashes, world }: Deployment): void {
  expect(crashes).toEqual([])
  expect(
    world.record.log.filter(({ event }) => event === 'claim-failed' || event === 'acceptance-failed' || event === 'function-failed'),
  ).toEqual([])
}

/** Writes of a stream that were refused because another run had written the stream in between (count). */
export function refusedCheckpoints({ refused }: Deployment): number {
  return refused.filter((sk) => sk.startsWith('STREAM#')).length
}

/** Release 0.1.0 sends no notifications, and knows no outages. */
export function sendsNotifications(version: string): boolean {
  return version !== '0.1.0'
}

export function changesOf(notifications: readonly Notification[], connectorId: string) {
  return notifications.flatMap((notification) =>
    notification.type === 'Connector State Changed' && notification.detail.connectorId === connectorId
      ? [[notification.detail.from, notification.detail.to]]
      : [],
  )
}

export function outageNotificationsOf(notifications: readonly Notification[], origin?: string) {
  return notifications.flatMap((notification) =>
    notification.type !== 'Connector State Changed' && (origin === undefined || notification.detail.origin === origin)
      ? [notification.type]
      : [],
  )
}

export function expectNoNotificationTwice(notifications: readonly Notification[]): void {
  const sent = notifications.map((notification) => JSON.stringify(notification))
  expect(sent).toEqual([...new Set(sent)])
}

/** A value as a former release reads it, with the attributes that only this release knows, as it reads their absence. */
export function withAttributesSince<T>(former: T): T {
  return added(former) as T
}

function added(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(added)
  if (value instanceof Map) return new Map([...value].map(([key, each]) => [key, added(each)]))
  if (typeof value !== 'object' || value === null || Object.getPrototypeOf(value) !== Object.prototype) return value
  const known = Object.fromEntries(Object.entries(value).map(([name, each]) => [name, added(each)]))
  if ('alreadySeen' in value && 'byFilter' in value) return { changed: 0, redacted: 0, ...known }
  return 'apiKeySecrets' in value && 'logFilters' in value ? { identityIgnoredFields: [], sharedWith: [], ...known } : known
}
