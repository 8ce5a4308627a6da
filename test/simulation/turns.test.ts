import { describe, expect, it, test } from 'vitest'
import { hour, minute } from '../../functions/domain/time.ts'
import type { StreamName } from '../../local/simulator/catalogue.ts'
import { eventAges } from '../../simulation/ages.ts'
import { audit } from '../../simulation/audit.ts'
import { collectSpike, quiet, spike, spikeCases, twelveStreams } from '../../simulation/spike.ts'
import { connectorItem, key, secretName, start, World } from '../../simulation/world.ts'

/** The vendor allows one key this many in any 60 s (requests). */
const requestsPerMinute = 20
/** A token is free again 61 s after its response (share). */
const usedShareMin = 0.98
/** 120 streams at 20 requests a minute, of which a fifth of the steps goes to gaps: each is read every 7.5 min, beside its backfill (ms). */
const loadedLagMaxMs = 10 * minute

describe('eleven quiet streams beside a spike of 30,000 events on the twelfth', () => {
  it.each(spikeCases)(
    'are in the lake within $intervalMinutes min + 60 s, and half of them in half of that interval, where the spike comes $comes',
    async (of) => {
      const { world, figures } = await collectSpike(of)
      expect(figures.worstMs).toBeLessThanOrEqual((of.intervalMinutes + 1) * minute)
      expect(figures.medianMs).toBeLessThanOrEqual((of.intervalMinutes * minute) / 2)
      expect(figures.usedShare).toBeGreaterThan(usedShareMin)
      const later = await eventAges(world, { connectorId: 'acme.cas', streams: quiet, forMs: 15 * minute })
      expect(Math.max(...later)).toBeLessThanOrEqual((of.intervalMinutes + 1) * minute)
      const { missing } = await audit(world)
      expect(missing).toEqual([])
      expect(world.lake.records).toBeGreaterThan(30_000)
    },
  )

  it('leave a backlog all that is left of the limit', async () => {
    const bursts = Array.from({ length: 20 }, (_, n) => spike(start - (n + 1) * 30 * minute, 1_800)).flat()
    const world = new World({ pageItems: 25, vendor: { eventsPerHour: 30, bursts } })
    await world.put(connectorItem({ ...twelveStreams, initialBackfillMinutes: 11 * 60 }))
    await world.run(4 * minute)
    const from = world.clock.now()
    const ages = await eventAges(world, { connectorId: 'acme.cas', streams: quiet, forMs: 30 * minute })
    const made = world.model.account.requests(key).filter(({ at }) => at >= from).length
    expect(Math.max(...ages)).toBeLessThanOrEqual(6 * minute)
    expect(made / (30 * requestsPerMinute)).toBeGreaterThan(usedShareMin)
  })
})

test('120 streams that need more than their key allows lose nothing of their backfill, and each is read', async () => {
  const world = new World({ vendor: { eventsPerHour: 1 } })
  const ids = Array.from({ length: 10 }, (_, n) => `acme.${n}`)
  for (const connectorId of ids)
    await world.put(connectorItem({ connectorId, name: connectorId, ...twelveStreams, initialBackfillMinutes: 12 * 60 }))
  await world.run(2 * hour)
  for (const connectorId of ids) {
    for (const { covered, readThrough } of (await world.state.readRun(connectorId)).streams.values()) {
      expect(covered[0]?.from).toBeLessThanOrEqual(start - 11 * hour)
      expect(world.clock.now() - readThrough).toBeLessThan(loadedLagMaxMs)
    }
  }
  const { missing, expected } = await audit(world)
  expect(missing).toEqual([])
  expect(expected).toBeGreaterThan(1_500)
})

/** Reads one connector of three streams for a time. `respond`: instead of the vendor, where it returns a response. */
async function withThree(respond: (event: string | null, now: number) => { status: number } | undefined, forMs: number): Promise<World> {
  const world = new World()
  world.vendorResponds((asked, now) => respond(asked.get('event'), now))
  await world.put(connectorItem({ eventTypes: ['dlp', 'securityrisk', 'ransomware'] }))
  await world.run(forMs)
  return world
}

const others: readonly StreamName[] = ['sharepoint/securityrisk', 'sharepoint/ransomware']

async function expectRead(world: World, ids: readonly StreamName[]): Promise<void> {
  for (const id of ids) expect(world.clock.now() - (await world.stream('acme.cas', id)).readThrough).toBeLessThan(6 * minute)
}

describe('a key that is rejected for one stream', () => {
  it('goes on for the others, also when the stream comes first, and the status names the stream', async () => {
    const world = await withThree((event, now) => (event === 'dlp' && now > start + 30 * minute ? { status: 401 } : undefined), 4 * hour)
    await expectRead(world, others)
    const { state, reason, rejectedKeys } = await world.status('acme.cas')
    expect({ state, rejectedKeys }).toEqual({ state: 'failing', rejectedKeys: {} })
    expect(reason).toMatch(/^sharepoint\/dlp: The vendor responded with status 401/)
    expect((await world.stream('acme.cas', 'sharepoint/dlp')).counts.throttled).toBe(0)
  })

  it('goes on for the others from the first run on', async () => {
    const world = await withThree((event) => (event === 'dlp' ? { status: 401 } : undefined), 2 * hour)
    await expectRead(world, others)
  })

  it('is rejected if it is refused for each stream, after two requests', async () => {
    const world = await withThree(() => ({ status: 401 }), 10 * minute)
    expect(Object.keys((await world.status('acme.cas')).rejectedKeys)).toHaveLength(1)
    expect(world.record.log.filter(({ event }) => event === 'page-failed')).toHaveLength(2)
  })

  it('is forgotten by every stream when the secret holds another key', async () => {
    const world = await withThree((_, now) => (now < start + 5 * minute ? { status: 401 } : undefined), 4 * minute)
    world.secrets.values.set(secretName, 'another-key-0123456789abcdef0123')
    await world.run(40 * minute)
    await expectRead(world, ['sharepoint/dlp', ...others])
  })
})

describe('one response that may pass', () => {
  it.each([400, 401, 403, 404, 302, 418, 500])(
    'is no problem of its connector, and its stream is asked for again soon: %i',
    async (status) => {
      const asked: number[] = []
      const respond = (event: string | null, now: number) => {
        if (event !== 'dlp' || now < start + 20 * minute) return undefined
        return asked.push(now) === 1 ? { status } : undefined
      }
      const world = await withThree(respond, 20 * minute)
      const { length } = world.bus.notifications
      await world.run(6 * minute)
      const [failedAt = 0, againAt = 0] = asked
      expect(againAt - failedAt).toBeGreaterThan(0)
      expect(againAt - failedAt).toBeLessThanOrEqual(2 * minute)
      expect(world.bus.notifications.slice(length)).toEqual([])
      expect((await world.status('acme.cas')).state).toBe('ok')
    },
  )

  it('is a problem when the next try fails as well', async () => {
    const world = await withThree((event, now) => (event === 'dlp' && now > start + 20 * minute ? { status: 302 } : undefined), 30 * minute)
    expect(await world.status('acme.cas')).toMatchObject({ state: 'failing', cause: 'redirected' })
    expect(world.record.log.filter(({ event }) => event === 'page-failed')).toHaveLength(2)
    expect(world.bus.notifications.map(({ detail }) => detail.attention)).toEqual(['none', 'problem'])
  })
})

describe('a failure of the origin', () => {
  it('on one stream makes this stream wait, and the run goes on with the others', async () => {
    const world = await withThree((event, now) => (event === 'dlp' && now < start + 2 * minute ? { status: 302 } : undefined), minute)
    await expectRead(world, others)
    expect((await world.status('acme.cas')).trouble).toBeUndefined()
  })

  it('on two streams in a row ends the run, and the next begins with another stream', async () => {
    const asked: (string | null)[] = []
    const respond = (event: string | null) => {
      asked.push(event)
      return { status: 302 }
    }
    const world = await withThree(respond, 12 * minute)
    expect((await world.status('acme.cas')).trouble?.failure.code).toBe('redirected')
    expect(new Set(asked.slice(0, 3)).size).toBe(3)
  })
})

describe('an event that the vendor can never show', () => {
  const one: StreamName = 'sharepoint/dlp'
  it.each([1, 5])('holds up no later event of its stream by more than a few minutes (every %i min)', async (intervalMinutes) => {
    const world = new World({ vendor: { eventsPerHour: 60 } })
    const at = start + 20 * minute + 123
    world.vendorResponds((asked) => {
      const [from, to] = [Date.parse(asked.get('start') ?? ''), Date.parse(asked.get('end') ?? '')]
      return from <= at && to >= at ? { status: 500 } : undefined
    })
    await world.put(connectorItem({ intervalMinutes }))
    // Three tries fail, one in each run at an interval of a minute, before the live edge goes past.
    await world.run(25 * minute + intervalMinutes * minute)
    const ages = await eventAges(world, { connectorId: 'acme.cas', streams: [one], forMs: hour })
    expect(Math.max(...ages)).toBeLessThanOrEqual((intervalMinutes + 1) * minute)
    await world.run(3 * hour)
    const { missing } = await audit(world)
    expect(missing).toEqual([])
    const { covered } = await world.stream('acme.cas', one)
    const uncovered = covered.slice(1).reduce((sum, { from }, n) => sum + from - covered[n]!.to, 0)
    expect(uncovered).toBeLessThanOrEqual(10)
  })
})
