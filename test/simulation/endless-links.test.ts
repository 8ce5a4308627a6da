import { beforeAll, describe, expect, it, test } from 'vitest'
import { coveredTo } from '../../functions/domain/stream/ledger.ts'
import { hour, minute, second } from '../../functions/domain/time.ts'
import { audit } from '../../simulation/audit.ts'
import { connectorItem, start, World } from '../../simulation/world.ts'

/** Each stream has an event every 5 s. */
const busy = { eventsPerHour: 720 }
const endless = 'sharepoint/dlp'
const others = ['sharepoint/ransomware', 'sharepoint/securityrisk'] as const
/** The connector collects every minute. Half a minute more is for the wait for a token. */
const readLagMaxMs = minute + 30 * second
/** The first run reads the initial backfill of every stream (ms). */
const firstRunMs = 2 * minute
/** A stream is complete up to lateArrivalMinutes (10) before its last run. */
const completeLagMaxMs = 13 * minute
/** The other two streams show so many events in half an hour (count). */
const expectedMin = 500

async function started(world: World): Promise<World> {
  await world.put(connectorItem({ eventTypes: ['dlp', 'securityrisk', 'ransomware'], intervalMinutes: 1 }))
  await world.run(firstRunMs)
  return world
}

/** Lets time pass. Returns the longest time for which one of the other two streams was not read up to now (ms). */
async function longestLag(world: World, forMs: number): Promise<number> {
  let longest = 0
  for (const end = world.clock.now() + forMs; world.clock.now() < end; ) {
    await world.run(5 * second)
    const { streams } = await world.state.readRun('acme.cas')
    for (const id of others) longest = Math.max(longest, world.clock.now() - (streams.get(id)?.readThrough ?? start))
  }
  return longest
}

/** The entries of the log about the stream with the endless links. */
function logged(world: World, event: string): unknown[] {
  return world.record.log.filter((entry) => entry.event === event && entry.stream === endless)
}

async function expectOthersComplete(world: World): Promise<void> {
  expect(world.record.crashes).toEqual([])
  const { missing, expected } = await audit(world)
  expect(missing).toEqual([])
  expect(expected).toBeGreaterThan(expectedMin)
  for (const id of others)
    expect(world.clock.now() - coveredTo(await world.stream('acme.cas', id), world.clock.now())).toBeLessThan(completeLagMaxMs)
}

describe('a stream whose every page is empty and links to another one', () => {
  describe('in its first half hour', () => {
    let world: World
    let lagMs: number
    beforeAll(async () => {
      world = await started(new World({ vendor: { ...busy, endlessStreams: [endless] } }))
      lagMs = await longestLag(world, 30 * minute)
    })

    it('has its range given up', () => {
      expect(logged(world, 'range-given-up').length).toBeGreaterThan(0)
    })

    it('costs the other streams no event', () => expectOthersComplete(world))

    // A step of a paced stream takes a minute of tokens, also where another stream becomes due meanwhile: 125 s.
    it('leaves the other streams their interval of a minute', () => {
      expect(lagMs).toBeLessThanOrEqual(readLagMaxMs)
    })
  })

  describe('after three hours', () => {
    let world: World
    beforeAll(async () => {
      world = await started(new World({ vendor: { endlessStreams: [endless] } }))
      await world.run(3 * hour - firstRunMs)
    })

    it('has a range set aside', async () => {
      expect(logged(world, 'range-set-aside').length).toBeGreaterThan(0)
      expect((await world.stream('acme.cas', endless)).setAside.length).toBeGreaterThan(0)
    })

    // A range that is given up or set aside leaves no trouble in its stream, and the status names only streams in trouble.
    it('is named in the status', async () => {
      expect((await world.status('acme.cas')).reason).toContain(endless)
    })
  })
})

describe('a stream whose every page links to itself', () => {
  let world: World
  let lagMs: number
  beforeAll(async () => {
    world = new World({ vendor: busy })
    linkPages(world, ({ current_link }, asked) => (asked.get('event') === 'dlp' ? current_link : undefined))
    lagMs = await longestLag(await started(world), 30 * minute)
  })

  it('has its range given up, and a range set aside', () => {
    expect(logged(world, 'range-given-up').length).toBeGreaterThan(0)
    expect(logged(world, 'range-set-aside').length).toBeGreaterThan(0)
  })

  it('costs the other streams no event', () => expectOthersComplete(world))

  it('leaves the other streams their interval of a minute', () => {
    expect(lagMs).toBeLessThanOrEqual(readLagMaxMs)
  })

  // A range that is given up or set aside leaves no trouble in its stream, and the status names only streams in trouble.
  it('is named in the status', async () => {
    expect((await world.status('acme.cas')).reason).toContain(endless)
  })
})

test('a stream whose last page links to the text null is complete', async () => {
  const world = new World({ vendor: busy })
  linkPages(world, ({ next_link }) => (next_link === '' ? 'null' : undefined))
  expect(await longestLag(await started(world), 30 * minute)).toBeLessThanOrEqual(readLagMaxMs)
  await expectOthersComplete(world)
  expect(world.clock.now() - coveredTo(await world.stream('acme.cas', endless), world.clock.now())).toBeLessThan(completeLagMaxMs)
  expect(await world.status('acme.cas')).toMatchObject({ state: 'ok', reason: '' })
})

interface Links {
  readonly current_link: string
  readonly next_link: string
}

/** Gives pages of the vendor another link to the next page, where `linkOf` returns one. */
function linkPages(world: World, linkOf: (page: Links, asked: URLSearchParams) => string | undefined): void {
  const usual = world.model.respond.bind(world.model)
  world.model.respond = (request, now) => {
    const response = usual(request, now)
    if (response.status !== 200) return response
    const page = JSON.parse(response.body)
    const next_link = linkOf(page, new URLSearchParams(request.query)) ?? page.next_link
    return { ...response, body: JSON.stringify({ ...page, next_link }) }
  }
}
