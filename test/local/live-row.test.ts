import { describe, expect, it } from 'vitest'
import { minute, second } from '../../functions/domain/time.ts'
import { vendors } from '../../functions/vendors/index.ts'
import { readRuns } from '../../local/report/runs.ts'
import { findProblems, problemsText } from '../../local/report/stream-failure.ts'
import { formatSummary, summarise, totalsOf } from '../../local/report/summary.ts'
import { liveRow } from '../../local/screen/live-row.ts'
import { connectorItem, start, World } from '../../simulation/world.ts'

/** A world whose vendor refuses these events of sharepoint with this status. */
async function worldThatRefuses(events: readonly string[], { status = 403, forMs = 30 * second, from = 0 } = {}): Promise<World> {
  const world = new World()
  world.vendorResponds((asked, now) => (now >= from && events.includes(asked.get('event') ?? '') ? { status } : undefined))
  await world.put(connectorItem({ eventTypes: ['dlp', 'ransomware'] }))
  await world.run(forMs)
  return world
}

const runsOf = ({ state }: World) => readRuns(state, ['acme.cas'])

async function rowOf(world: World) {
  const [run] = await runsOf(world)
  return liveRow(run!, { now: world.clock.now(), vendors, atStart: new Map() })
}

describe('the row of a connector of which one stream is refused', () => {
  it('has the lag of that stream, which counts from its beginning, although the others are read', async () => {
    const world = await worldThatRefuses(['dlp'])
    const row = await rowOf(world)
    expect(row.streams.find(({ id }) => id === 'sharepoint/dlp')?.lastReadAt).toBeUndefined()
    expect(row.streams.find(({ id }) => id === 'sharepoint/ransomware')?.lastReadAt).toBeDefined()
    const { since } = await world.stream('acme.cas', 'sharepoint/dlp')
    expect(row.lagMs).toBe(world.clock.now() - since)
    await world.run(20 * minute)
    expect((await rowOf(world)).lagMs).toBe(world.clock.now() - since)
  })

  it('says before the connector itself does that the stream fails, what to do, and when it is tried again', async () => {
    const world = await worldThatRefuses(['dlp'])
    const { state, reason, streamReason } = await rowOf(world)
    expect(state).toBe('catching-up')
    expect(reason).not.toContain('403')
    expect(streamReason).toMatch(
      /^sharepoint\/dlp: The vendor responded with status 403\b.*\. The key has no permission for this content \(403\)\. Grant it .*\. Next try at 12:0\d:\d\d UTC\.$/,
    )
  })

  it('says it once only, when the connector says it too', async () => {
    const { state, reason, streamReason } = await rowOf(await worldThatRefuses(['dlp'], { forMs: 10 * minute }))
    expect(state).toBe('failing')
    expect(reason).toContain('sharepoint/dlp: The vendor responded with status 403')
    expect(streamReason).toBe('')
  })

  it('counts a stream that was never tried from its beginning too', async () => {
    const world = await worldThatRefuses([])
    const [each] = await runsOf(world)
    const streams = new Map([...each!.run.streams].filter(([id]) => id !== 'sharepoint/dlp'))
    const { lagMs } = liveRow({ ...each!, run: { ...each!.run, streams } }, { now: world.clock.now(), vendors, atStart: new Map() })
    expect(lagMs).toBe(world.clock.now() - (await world.stream('acme.cas', 'sharepoint/dlp')).since)
  })
})

describe('the row of a connector of which nothing could be read', () => {
  it('is failing and not starting, and its next run is when a stream is tried again', async () => {
    const world = await worldThatRefuses(['dlp', 'ransomware'], { status: 500, forMs: 2 * second })
    const [each] = await runsOf(world)
    const untils = [...each!.run.streams.values()].map(({ trouble }) => trouble?.until ?? 0)
    const waiting = { ...each!, run: { ...each!.run, due: { nextDueAt: start, dueSince: start, wantedTo: start } } }
    const streams = new Map([...each!.run.streams].map(([id, { lease: _, ...stream }]) => [id, stream]))
    const now = Math.min(...untils) - second
    const row = liveRow({ ...waiting, run: { ...waiting.run, streams } }, { now, vendors, atStart: new Map() })
    expect(row).toMatchObject({ state: 'failing', nextRun: Math.min(...untils) })
    expect(row.streamReason).toMatch(/^sharepoint\/\w+: .*500.* 1 more stream fails: --streams acme\.cas shows each\.$/)
  })
})

describe('the summary of a connector of which one stream is refused', () => {
  it('has the failure and what to do at the stream, as JSON and as text', async () => {
    const world = await worldThatRefuses(['dlp'])
    const connectors = summarise(await runsOf(world), vendors, world.clock.now())
    const failures = Object.fromEntries(connectors[0]!.streams.map(({ event, failure }) => [event, failure]))
    expect(failures).toEqual({ dlp: expect.stringMatching(/status 403.*Grant it in the vendor's console/), ransomware: null })
    const text = formatSummary({ connectors, ...totalsOf(connectors), seconds: 1, lake: 'lake' })
    expect(text).toMatch(/\n {2}sharepoint\/dlp: nothing read yet\n.*\n {4}fails: The vendor responded with status 403.*\n/)
    expect(text.match(/fails: /g)).toHaveLength(1)
  })

  it('promises nothing that happens after the end', async () => {
    const world = await worldThatRefuses(['dlp'], { status: 503 })
    const [connector] = summarise(await runsOf(world), vendors, world.clock.now())
    expect(connector?.streams.find(({ event }) => event === 'dlp')?.failure).toMatch(/The next start tries again\.$/)
  })
})

describe('--for', () => {
  it('has a problem with a stream that failed and was never read, and says which', async () => {
    const problems = findProblems(await runsOf(await worldThatRefuses(['dlp'])), vendors)
    expect(problems).toEqual(['acme.cas (sharepoint/dlp fails)'])
    expect(problemsText(problems)).toBe(
      'Exit code 1, because a connector has a problem: acme.cas (sharepoint/dlp fails). The summary says why, and what to do.',
    )
  })

  it('has no problem with a stream that was read and fails once, and one when that lasts', async () => {
    const from = start + 6 * minute
    const world = await worldThatRefuses(['dlp'], { from, forMs: 6 * minute })
    expect(findProblems(await runsOf(world), vendors)).toEqual([])
    const failing = async () => (await runsOf(world))[0]!.run.streams.get('sharepoint/dlp')?.trouble?.attempts
    while ((await failing()) === undefined) await world.run(second)
    expect(findProblems(await runsOf(world), vendors)).toEqual([])
    while ((await failing()) === 1) await world.run(second)
    expect(findProblems(await runsOf(world), vendors)).toEqual(['acme.cas (failing)'])
  })
})

describe('the next run of a connector', () => {
  const rowWith = (due: Readonly<Record<string, number>>) =>
    liveRow(
      { connectorId: 'acme.cas', run: { due: { wantedTo: 0, nextDueAt: 0, ...due }, streams: new Map() } },
      { now: 100, vendors, atStart: new Map() },
    ).nextRun

  it('is when it is due, also when its message is in the queue before that', () => {
    expect(rowWith({ nextDueAt: 160 })).toBe(160)
    expect(rowWith({ nextDueAt: 900, dueSince: 130 })).toBe(130)
  })

  it('is queued once that has come, until the run begins', () => {
    expect(rowWith({ nextDueAt: 100 })).toBe('queued')
    expect(rowWith({ nextDueAt: 900, dueSince: 90 })).toBe('queued')
  })
})
