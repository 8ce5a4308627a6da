import { beforeAll, describe, expect, it } from 'vitest'
import { hour, minute, second } from '../../functions/domain/time.ts'
import { audit } from '../../simulation/audit.ts'
import { connectorItem, secretNameOf, World } from '../../simulation/world.ts'

const silentOrigin = 'https://api-eu.tmcas.trendmicro.com'
const silentCount = 40
/** The silent vendor answers later than any request waits. */
const silentMs = minute
/** The connector collects every minute. Half a minute more is for the wait for its turn. */
const readLagMaxMs = minute + 30 * second
/** The four streams of the connector have together at least so many events in the minutes that are complete by then (count). */
const expectedMin = 60
const eventTypes = ['securityrisk', 'virtualanalyzer', 'ransomware', 'dlp']

/**
 * A connector that collects every minute, and after 10 minutes 40 connectors of another tenant, whose host accepts and never answers.
 * Returns the longest time that a stream of the first connector was not read up to now, in the time after that (ms).
 */
async function besideSilentOrigin(world: World, forMs: number): Promise<number> {
  const usual = world.model.respond.bind(world.model)
  world.model.respond = (request, now) =>
    request.origin === silentOrigin ? { status: 200, headers: {}, body: '', delayMs: silentMs } : usual(request, now)
  await world.put(connectorItem({ eventTypes, intervalMinutes: 1 }))
  await world.run(10 * minute)
  for (let i = 1; i <= silentCount; i++) {
    const name = `globex.${i}`
    const apiKeySecrets = [secretNameOf(i, 'globex')]
    await world.put(connectorItem({ connectorId: name, name, tenantName: 'Globex', baseUrl: silentOrigin, apiKeySecrets, eventTypes }))
  }
  let longest = 0
  for (const end = world.clock.now() + forMs; world.clock.now() < end; ) {
    await world.run(10 * second)
    const { streams } = await world.state.readRun('acme.cas')
    for (const { readThrough } of streams.values()) longest = Math.max(longest, world.clock.now() - readThrough)
  }
  return longest
}

async function expectNothingLost(world: World): Promise<void> {
  expect(world.record.crashes).toEqual([])
  expect(await world.status('acme.cas')).toMatchObject({ state: 'ok', reason: '' })
  const { missing, expected } = await audit(world)
  expect(missing).toEqual([])
  expect(expected).toBeGreaterThan(expectedMin)
}

describe('a connector beside 40 connectors of another tenant whose host never answers', () => {
  describe('in a process that has room for 10 runs at the same time', () => {
    let world: World
    let longestLagMs: number
    beforeAll(async () => {
      world = new World({ furtherKeys: silentCount, runsMax: 10 })
      longestLagMs = await besideSilentOrigin(world, hour)
    })

    it('loses no event', () => expectNothingLost(world))

    it('does not share their trouble: their status says that the vendor does not respond', async () => {
      for (let i = 1; i <= silentCount; i++) {
        const status = await world.status(`globex.${i}`)
        expect(status.state).toBe('failing')
        expect(status.reason).toContain('The vendor did not respond within 30 s')
      }
    })

    it('keeps its interval', () => {
      expect(longestLagMs).toBeLessThanOrEqual(readLagMaxMs)
    })
  })

  it('loses no event and keeps its interval where all runs have room', async () => {
    const world = new World({ furtherKeys: silentCount })
    expect(await besideSilentOrigin(world, 20 * minute)).toBeLessThanOrEqual(readLagMaxMs)
    await expectNothingLost(world)
  })
})
