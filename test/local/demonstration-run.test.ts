import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import type { Summary } from '../../local/report/summary.ts'
import { isStreamName } from '../../local/simulator/catalogue.ts'
import type { SimulatedEvent } from '../../local/simulator/history.ts'
import { itemOf } from '../../local/simulator/messages.ts'
import { temporaryFolder } from '../local-services.ts'
import { deliveredIds, lakeRows, run, start, summaryOf } from './program.ts'

/** The demonstration must show events before a first user gives up (ms). */
const firstEventsWithinMs = 10_000
/** The demonstration must have enough events for a first query. */
const eventsMin = 400
const isoTime = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/
/** A run of 2 s and its start and end. It must not go on until Ctrl-C (s). */
const twoSecondRunMax = 10

/** Returns the events that the simulator showed in a run, from its account at the end. */
function shownTo(dataDir: string): SimulatedEvent[] {
  const lines = readFileSync(join(dataDir, 'simulator-account.ndjson'), 'utf8').split('\n')
  return lines.filter((line) => line !== '').map((line) => JSON.parse(line))
}

/** Whether the only log filter of the demonstration drops an event. */
function isFiltered(event: SimulatedEvent): boolean {
  const { message } = itemOf(event) as { message: { action: string } }
  return event.stream.startsWith('exchange/') && message.action === 'Pass'
}

function delivered({ connectors }: Summary): number {
  return connectors.reduce((sum, { streams }) => sum + streams.reduce((all, stream) => all + stream.delivered, 0), 0)
}

test('--once --json collects every event into the lake and prints one JSON object, and the next start repeats no event', async () => {
  const dataDir = temporaryFolder()
  const first = await run(['--once', '--json', '--data', dataDir])
  expect(first.err).toMatch(/^Every stream is read up to the start, \S+ \S+ UTC, and proven complete up to /m)
  expect(first.code).toBe(0)

  const summary = summaryOf(first)
  expect(Object.keys(summary)).toEqual(['connectors', 'delivered', 'requests', 'throttled', 'thisStart', 'seconds', 'lake'])
  expect(summary.connectors.map(({ connectorId, state }) => [connectorId, state])).toEqual([
    ['acme.exchange', 'ok'],
    ['acme.sharepoint', 'ok'],
    ['globex.onedrive', 'ok'],
  ])
  const streams = summary.connectors.flatMap((connector) => connector.streams)
  expect(streams).toHaveLength(9)
  for (const stream of streams) {
    expect(stream).toEqual({
      service: expect.any(String),
      event: expect.any(String),
      delivered: expect.any(Number),
      filtered: expect.any(Number),
      alreadySeen: expect.any(Number),
      changed: 0,
      redacted: 0,
      requests: expect.any(Number),
      throttled: 0,
      thisStart: {
        delivered: stream.delivered,
        filtered: stream.filtered,
        alreadySeen: stream.alreadySeen,
        changed: 0,
        redacted: 0,
        requests: stream.requests,
        throttled: 0,
      },
      since: expect.stringMatching(isoTime),
      coveredTo: expect.stringMatching(isoTime),
      readTo: expect.stringMatching(isoTime),
      lateUntil: expect.stringMatching(isoTime),
      lostRanges: [],
      gaps: [],
      failure: null,
    })
  }
  expect(summary.lake).toBe(join(dataDir, 'lake'))
  expect(summary.requests).toBe(streams.reduce((sum, { requests }) => sum + requests, 0))

  const shown = shownTo(dataDir)
  const wanted = shown.filter((event) => !isFiltered(event)).map(({ id }) => id)
  expect(wanted.length).toBeGreaterThan(eventsMin)
  expect(wanted.length).toBeLessThan(shown.length)
  expect((await deliveredIds(dataDir, 'syslog_raw')).sort()).toEqual(wanted.sort())
  expect(delivered(summary)).toBe(wanted.length)

  const customers = new Map(shown.map(({ id, customer }) => [id, customer]))
  const tenants = await lakeRows(dataDir, 'SELECT trendmicro.log_item_id AS id, tenant_name AS tenant FROM syslog_raw')
  expect(tenants.filter(({ id, tenant }) => customers.get(String(id)) !== tenant)).toEqual([])

  const second = await run(['--for', '6s', '--json', '--data', dataDir])
  expect(second.code).toBe(0)
  const events = new Map([...shown, ...shownTo(dataDir)].map((event) => [event.id, event]))
  const wantedNow = [...events.values()].filter((event) => !isFiltered(event)).map(({ id }) => id)
  expect((await deliveredIds(dataDir, 'syslog_raw')).sort()).toEqual(wantedNow.sort())
  expect((await deliveredIds(dataDir, 'syslog_exact')).length).toBe(wantedNow.length)
  const again = summaryOf(second)
  expect(delivered(again)).toBe(wantedNow.length)
  expect(again).toMatchObject({ delivered: wantedNow.length, thisStart: { delivered: wantedNow.length - wanted.length } })
})

test('npm start shows the first events within ten seconds, and Ctrl-C ends it cleanly with the place of the lake and a query for it', async () => {
  const dataDir = temporaryFolder()
  const startedAt = performance.now()
  const program = start(['--data', dataDir])
  await program.says(/\d\d:\d\d:\d\d acme\.\w+ \w+\/\w+ \d+ delivered/)
  expect(performance.now() - startedAt).toBeLessThan(firstEventsWithinMs)
  for (const what of ['acme.sharepoint', 'acme.exchange', 'globex.onedrive']) await program.says(what)
  program.signal('SIGINT', 'all')
  expect(await program.ended).toBe(0)
  const out = program.out()
  expect(out).toContain(`The lake is ${join(dataDir, 'lake')}. Query it: npm run lake -- --data ${dataDir} "SELECT `)
  expect(isStreamName(/ {2}(\S+): (?:nothing proven|proven) complete .*\n {4}this start: \d+ delivered/.exec(out)?.[1] ?? '')).toBe(true)
  expect(out).not.toContain('\u001b')
  expect(program.err()).toBe('')
})

test('--for ends the program by itself after the given time', async () => {
  const dataDir = temporaryFolder()
  const program = await run(['--for', '2s', '--json', '--data', dataDir])
  expect(program.code).toBe(0)
  expect(program.err).toContain('The time given with --for is over.')
  expect(summaryOf(program).seconds).toBeGreaterThanOrEqual(2)
  expect(summaryOf(program).seconds).toBeLessThan(twoSecondRunMax)
})
