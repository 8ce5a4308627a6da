import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { iso, minute, second } from '../../functions/domain/time.ts'
import { vendors } from '../../functions/vendors/index.ts'
import { completeText, coverageText } from '../../local/report/coverage.ts'
import { findMissing } from '../../local/report/missing.ts'
import { countsAtStart, RunReader, readRuns } from '../../local/report/runs.ts'
import { formatSummary, type Summary, summarise, totalsOf } from '../../local/report/summary.ts'
import { withTimes } from '../../local/report/words.ts'
import { connectorItem, key, start, World } from '../../simulation/world.ts'

const runsOf = ({ state }: World, ids = ['acme.cas']) => readRuns(state, ids)
const missingOf = async (world: World, since = start) => findMissing(await runsOf(world), vendors, since)
const summaryOf = async (world: World, now = world.clock.now()) => summarise(await runsOf(world), vendors, now)

async function worldAfter(forMs: number, item: object = {}, vendor: object = {}): Promise<World> {
  const world = new World({ vendor: { eventsPerHour: 60, keys: [{ key }], ...vendor } })
  await world.put(connectorItem({ eventTypes: ['dlp'], ...item }))
  await world.run(forMs)
  return world
}

describe('findMissing', () => {
  it('finds nothing once every stream is read up to the start, the late-arrival minutes excepted', async () => {
    expect(await missingOf(await worldAfter(minute))).toEqual([])
  })

  it('finds a stream that was not read up to the start', async () => {
    const world = await worldAfter(minute)
    expect(await missingOf(world, start + 30 * minute)).toEqual([
      {
        connectorId: 'acme.cas',
        isPermanent: false,
        reason: expect.stringMatching(/^sharepoint\/dlp is complete from .+ to .+ and read to .+, but must be read up to 12:30:00 UTC\.$/),
      },
    ])
  })

  it('finds a connector that has not been accepted yet', async () => {
    expect(findMissing(await runsOf(new World(), ['new']), vendors, start)).toEqual([
      { connectorId: 'new', isPermanent: false, reason: 'It has not been accepted yet.' },
    ])
  })

  it('finds a refused item as permanent', async () => {
    const [missing] = await missingOf(await worldAfter(minute, { intervalMinutes: 0 }))
    expect(missing).toEqual({ connectorId: 'acme.cas', isPermanent: true, reason: expect.stringContaining('intervalMinutes') })
  })

  it('finds a refused edit, although the version before it is complete', async () => {
    const world = await worldAfter(minute)
    await world.put(connectorItem({ eventTypes: ['dlp'], intervalMinutes: 0 }))
    const [missing, ...others] = await missingOf(world)
    expect(missing).toMatchObject({ isPermanent: true, reason: expect.stringContaining('The item was refused: intervalMinutes') })
    expect(others).toEqual([])
  })

  it('finds a rejected key as permanent', async () => {
    const [missing] = await missingOf(await worldAfter(minute, {}, { revokedKeys: [key] }))
    expect(missing).toMatchObject({ connectorId: 'acme.cas', isPermanent: true, reason: expect.stringContaining('401') })
  })

  it.each([{ error503Rate: 1 }, { errorRate5xx: 1 }])(
    'finds a vendor in trouble as temporary, however long it lasts, and says since when and when it is tried again: %j',
    async (trouble) => {
      for (const forMs of [10 * second, 30 * minute]) {
        const world = await worldAfter(forMs, {}, trouble)
        const [missing] = await missingOf(world)
        expect(missing).toMatchObject({ isPermanent: false, failing: { detail: expect.stringContaining('50') } })
        expect(missing?.failing?.since).toBeLessThan(start + 10 * second)
        expect(missing?.failing?.nextTryAt).toBeGreaterThan(world.clock.now() - minute)
      }
    },
  )

  it.each([404, 302])(
    'finds a stream that failed once with %i as temporary, and as permanent when the next try fails as well',
    async (status) => {
      const world = new World()
      world.vendorResponds((asked) => (asked.get('event') === 'dlp' ? { status } : undefined))
      await world.put(connectorItem({ eventTypes: ['dlp', 'ransomware'] }))
      await world.run(10 * second)
      const reason = expect.stringMatching(new RegExp(`^sharepoint/dlp .*status ${status}`))
      expect(await missingOf(world)).toEqual([{ connectorId: 'acme.cas', isPermanent: false, reason, failing: expect.anything() }])
      await world.run(2 * minute)
      expect(await missingOf(world)).toEqual([{ connectorId: 'acme.cas', isPermanent: true, reason, failing: expect.anything() }])
    },
  )

  it('finds a connector that leaves an origin alone, because it is down, as one that waits for it', async () => {
    const origin = String(connectorItem()['baseUrl'])
    const world = new World({ originTroubles: [{ origin, kind: 'request to a dead origin', from: start, to: start + 60 * minute }] })
    const put = (connectorId: string) => world.put(connectorItem({ connectorId, name: connectorId, eventTypes: ['dlp'] }))
    for (const connectorId of ['acme.one', 'acme.two', 'acme.three']) await put(connectorId)
    await world.run(5 * minute)
    await put('acme.late')
    await world.run(30 * second)
    const alone = await runsOf(world, ['acme.late'])
    expect(alone[0]?.run).toMatchObject({ status: { state: 'failing', reason: expect.stringContaining('one a minute asks for all') } })
    expect([...alone[0]!.run.streams.values()].every(({ trouble }) => trouble === undefined)).toBe(true)
    for (const missing of findMissing(alone, vendors, start)) {
      expect(missing.failing?.since).toBeLessThan(world.clock.now())
      expect(missing.failing?.detail).not.toBe('')
    }
  })

  it('does not take a failure before this start as permanent', async () => {
    const world = await worldAfter(30 * minute, {}, { error503Rate: 1 })
    expect((await missingOf(world, world.clock.now() + second))[0]).toMatchObject({ isPermanent: false })
  })

  it('finds nothing for a connector that is switched off', async () => {
    expect(await missingOf(await worldAfter(minute, { enabled: false }))).toEqual([])
  })
})

describe('a time in a sentence', () => {
  it('has one form: the time of day, and the date if it is another day', () => {
    const text = 'All before 2026-11-24T12:00:00.000Z and 2026-11-23T12:00:00Z; GET /x?end=2026-11-24T12:00:00Z.'
    expect(withTimes(text, start)).toBe('All before 12:00:00 UTC and 2026-11-23 12:00:00 UTC; GET /x?end=2026-11-24T12:00:00Z.')
    expect(withTimes(text)).toMatch(/^All before 2026-11-24 12:00:00 UTC and /)
  })
})

describe('the summary', () => {
  it('has the counts of the ledger, and neither lost ranges nor gaps once everything is read', async () => {
    const world = await worldAfter(minute, { logFilters: [{ name: 'none', conditions: [{ field: 'event_type', operator: 'exists' }] }] })
    const now = world.clock.now()
    const { counts, since } = await world.stream('acme.cas', 'sharepoint/dlp')
    expect(counts.filtered).toBeGreaterThan(0)
    expect(await summaryOf(world, now)).toEqual([
      {
        connectorId: 'acme.cas',
        state: 'ok',
        reason: '',
        streams: [
          {
            service: 'sharepoint',
            event: 'dlp',
            delivered: counts.delivered,
            filtered: counts.filtered,
            alreadySeen: counts.alreadySeen,
            changed: counts.changed,
            redacted: 0,
            requests: counts.requests,
            throttled: 0,
            thisStart: {
              delivered: 0,
              filtered: counts.filtered,
              alreadySeen: counts.alreadySeen,
              changed: 0,
              redacted: 0,
              requests: counts.requests,
              throttled: 0,
            },
            since: iso(since),
            // The run is shorter than the late-arrival minutes, so no time is covered yet.
            coveredTo: iso(since),
            readTo: iso(start),
            lateUntil: iso(start + 10 * minute + 2 * second),
            lostRanges: [],
            gaps: [],
            failure: null,
          },
        ],
      },
    ])
  })

  it('counts the events that changed', async () => {
    const world = await worldAfter(10 * minute, {}, { updateShare: 1, updateAfterMs: minute })
    const { counts } = await world.stream('acme.cas', 'sharepoint/dlp')
    const [summary] = await summaryOf(world)
    expect(counts.changed).toBeGreaterThan(0)
    expect(summary?.streams[0]?.changed).toBe(counts.changed)
  })

  it('has a gap but no lost range when a stream has not been read for long', async () => {
    const world = await worldAfter(minute)
    const [summary] = await summaryOf(world, start + 120 * minute)
    expect(summary?.streams[0]?.lostRanges).toEqual([])
    expect(summary?.streams[0]?.gaps).toEqual([{ from: summary?.streams[0]?.coveredTo, to: expect.any(String) }])
  })
})

describe('the JSON of --json', () => {
  const page = readFileSync(new URL('../../docs/one-machine.md', import.meta.url), 'utf8')
  const described = [...page.matchAll(/^\| `([\w.[\]]+)` \| (?:text|number|object|time or null|text or null) \|/gm)].map(
    ([, field]) => field,
  )

  it('has the fields that docs/one-machine.md describes, and no others', async () => {
    const connectors = await summaryOf(await worldAfter(minute))
    const summary: Summary = { connectors, ...totalsOf(connectors), seconds: 1, lake: 'lake' }
    const stream = Object.entries(summary.connectors[0]!.streams[0]!).map(
      ([name, value]) => `streams[].${name}${Array.isArray(value) ? '[]' : ''}`,
    )
    const connector = Object.keys(summary.connectors[0]!).filter((name) => name !== 'streams')
    const fields = [
      ...[...connector, ...stream].map((name) => `connectors[].${name}`),
      ...Object.keys(summary).filter((name) => name !== 'connectors'),
    ]
    expect(described.toSorted()).toEqual(fields.toSorted())
  })
})

describe('the coverage of a stream', () => {
  const streamOf = async (world: World, now = world.clock.now()) => (await summaryOf(world, now))[0]!.streams[0]!

  it('is "nothing read yet" before its first page, and names no time', async () => {
    const stream = await streamOf(await worldAfter(minute, {}, { error503Rate: 1 }))
    expect(stream).toMatchObject({ since: null, coveredTo: null, readTo: null, lateUntil: null })
    expect(coverageText(stream)).toBe('nothing read yet')
  })

  it('names what is read as not proven until late events can no longer come', async () => {
    const world = await worldAfter(minute)
    expect(coverageText(await streamOf(world))).toBe(
      'nothing proven complete yet; read from 2026-11-24 11:50:00 to 12:00:00 UTC, where late events may come until 12:10:02',
    )
    await world.run(30 * minute)
    expect(coverageText(await streamOf(world))).toMatch(
      /^proven complete from 2026-11-24 11:50:00 to 12:1\d:\d\d UTC; read to 12:2\d:\d\d, where late events may come until 12:\d\d:\d\d$/,
    )
  })

  it('does not name time as read that the live edge went past', async () => {
    const world = new World()
    const errorsFrom = start + 30 * minute
    world.vendorResponds((_, now) => (now >= errorsFrom ? { status: 500 } : undefined))
    await world.put(connectorItem({ eventTypes: ['dlp'] }))
    await world.run(42 * minute)
    const state = await world.stream('acme.cas', 'sharepoint/dlp')
    expect(state.readThrough).toBeGreaterThan(errorsFrom)
    const { coveredTo, readTo } = await streamOf(world)
    expect(Date.parse(String(coveredTo))).toBeLessThan(errorsFrom)
    expect(Date.parse(String(readTo))).toBeLessThan(errorsFrom)
  })

  it('has its date wherever it is another day, and counts what is lost and what is not read', () => {
    const range = { from: '2026-11-24T01:00:00.000Z', to: '2026-11-24T02:00:00.000Z' }
    const [since, coveredTo, readTo] = ['2026-11-24T00:00:00.000Z', '2026-11-25T01:00:00.000Z', '2026-11-25T01:00:00.000Z']
    const lostRanges = [{ ...range, reason: 'paused' as const }]
    expect(coverageText({ since, coveredTo, readTo, lateUntil: null, lostRanges, gaps: [range, range] })).toBe(
      'proven complete from 2026-11-24 00:00:00 to 2026-11-25 01:00:00 UTC; 2 time ranges not read yet; 1 time range lost',
    )
  })

  it('is told at the end of --once as well: read up to the start, and proven only as far as it is', async () => {
    const world = await worldAfter(minute)
    expect(completeText(await runsOf(world), vendors, start)).toBe(
      'Every stream is read up to the start, 2026-11-24 12:00:00 UTC, and proven complete up to 11:50:00. Later events may still come, up to 10 min late (lateArrivalMinutes); the next start reads them.',
    )
    const paused = await worldAfter(minute, { enabled: false })
    expect(completeText(await runsOf(paused), vendors, start)).toBe('No connector collects, so there was nothing to read.')
  })
})

describe('the counts', () => {
  it('are those of this start beside those of all time', async () => {
    const world = await worldAfter(minute)
    const atStart = countsAtStart(await runsOf(world))
    await world.run(20 * minute)
    const connectors = summarise(await runsOf(world), vendors, world.clock.now(), atStart)
    const { counts } = await world.stream('acme.cas', 'sharepoint/dlp')
    const before = atStart.get('acme.cas sharepoint/dlp')!
    const since = { delivered: counts.delivered - before.delivered, requests: counts.requests - before.requests }
    expect(before.delivered).toBeGreaterThan(0)
    expect(since.delivered).toBeGreaterThan(0)
    expect(connectors).toMatchObject([{ streams: [{ delivered: counts.delivered, thisStart: since }] }])
    const totals = totalsOf(connectors)
    expect(totals).toMatchObject({ delivered: counts.delivered, thisStart: since })
    const text = formatSummary({ connectors, ...totals, seconds: 3, lake: 'lake' })
    expect(text).toContain(
      `    this start: ${since.delivered} delivered, 0 filtered, ${since.requests} requests; all time: ${counts.delivered} delivered, `,
    )
    expect(text).toMatch(
      new RegExp(`\\nThis start \\(3 s\\): ${since.delivered} delivered, .*\\. All time: ${counts.delivered} delivered, .*\\.\\n$`),
    )
  })
})

describe('a look at many connectors', () => {
  const ids = Array.from({ length: 750 }, (_, i) => `c-${i}`)
  const never = { streams: new Map() }

  it('reads a part of them, and each of them within some looks', async () => {
    const read: string[] = []
    const state = {
      async readRun(id: string) {
        read.push(id)
        return never
      },
    }
    const reader = new RunReader(state, [])
    expect(await reader.read(ids, start)).toHaveLength(750)
    expect(read.length).toBeLessThan(100)
    for (let look = 1; look < 750 / 60; look += 1) await reader.read(ids, start)
    expect(new Set(read).size).toBe(750)
  })

  it('reads those that are due each time, if they are few, and never only those', async () => {
    const read = new Map<string, number>()
    const isDue = (id: string) => id === 'c-700' || id === 'c-701'
    const run = (id: string) => (isDue(id) ? { ...never, due: { nextDueAt: start, wantedTo: start } } : never)
    const state = {
      async readRun(id: string) {
        read.set(id, (read.get(id) ?? 0) + 1)
        return run(id)
      },
    }
    const reader = new RunReader(
      state,
      ids.map((connectorId) => ({ connectorId, run: run(connectorId) })),
    )
    for (let look = 0; look < 15; look += 1) await reader.read(ids, start)
    expect([read.get('c-700'), read.get('c-701')]).toEqual([15, 15])
    expect(read.size).toBe(750)
  })
})

it('the summary of many connectors leaves out the streams of those that are ok', async () => {
  const [ok] = await summaryOf(await worldAfter(minute))
  const connectors = Array.from({ length: 21 }, (_, i) => ({
    ...ok!,
    connectorId: `c-${i}`,
    ...(i === 20 ? { state: 'failing' as const, reason: 'Bad.' } : {}),
  }))
  const text = (of: typeof connectors) => formatSummary({ connectors: of, ...totalsOf(of), seconds: 1, lake: 'lake' })
  expect(text(connectors).match(/ {2}sharepoint\/dlp: /g)).toHaveLength(1)
  expect(text(connectors)).toContain('\nThe streams of connectors that are ok are left out; --json and --streams CONNECTOR_ID have them.\n')
  expect(text(connectors.slice(1)).match(/ {2}sharepoint\/dlp: /g)).toHaveLength(20)
})
