import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { randomFrom, unit } from '../../local/simulator/random.ts'
import { temporaryFolder } from '../local-services.ts'
import { connectorItem, deliveredIds, everyFile, ownConnectors, run, start, summaryOf } from './program.ts'
import { vendor } from './vendors.ts'

const pageItemsMax = 500
const kills = 3
const hour = 3_600_000
/** 0.6 hours of 2,500 events an hour are 1,500 events of each stream, with room for chance. */
const eventsMin = 1_000

test('a program that is killed again and again at any moment loses nothing from the lake, repeats a page at most, and continues at once', async () => {
  const { url, host, model } = await vendor({
    eventsPerHour: 2_500,
    backlogMs: hour,
    // Delays make it likely that a kill interrupts a request or a delivery.
    delayMs: { min: 10, max: 60 },
    pageIdLifeMs: 60_000,
  })
  const dir = temporaryFolder()
  const dataDir = join(dir, 'data')
  const item = connectorItem('acme.mine', url, { requestsPerMinute: 6_000, initialBackfillMinutes: 60 })
  const args = [...ownConnectors(dir, [item], { 'tributary/acme/key': 'acme-key' }, [host]), '--data', dataDir]
  const random = randomFrom(1, 2, 3)

  let before: string[] = []
  for (let life = 1; life <= kills; life += 1) {
    const program = start(args)
    // The kill before may make it repeat the first page, so a second one must come.
    await program.says(/[1-9]\d* delivered[\s\S]*[1-9]\d* delivered/)
    await wait(unit(random) * 400)
    program.signal('SIGKILL', life % 2 === 0 ? undefined : 'all')
    expect(await program.ended).toBe('SIGKILL')
    expect(program.err()).toBe('')
    // everyFile throws if an object is torn.
    everyFile(join(dataDir, 'lake'))
    const raw = await deliveredIds(dataDir, 'syslog_raw')
    const ids = new Set(raw)
    expect(before.filter((id) => !ids.has(id))).toEqual([])
    expect(ids.size).toBeGreaterThan(new Set(before).size)
    before = raw
  }

  const { code, ...said } = await run([...args, '--once', '--json'])
  expect(said.err).toContain('Every stream is read up to the start, ')
  expect(code).toBe(0)
  const { connectors } = summaryOf(said)
  const raw = await deliveredIds(dataDir, 'syslog_raw')
  const exact = await deliveredIds(dataDir, 'syslog_exact')
  const ids = new Set(raw)
  expect(exact.length).toBe(ids.size)
  expect(raw.length - exact.length).toBeLessThanOrEqual(kills * pageItemsMax)
  expect(before.filter((id) => !ids.has(id))).toEqual([])
  expect([...ids].sort()).toEqual([...model.account.shown.keys()].sort())
  for (const { service, event, coveredTo } of connectors.flatMap(({ streams }) => streams)) {
    expect(service).toBe('sharepoint')
    const stream = `sharepoint/${event}` as 'sharepoint/dlp'
    const to = Date.parse(String(coveredTo))
    const all = [...model.eventsVisible(stream, to - 0.6 * hour, to)]
    expect(all.length).toBeGreaterThan(eventsMin)
    expect(all.filter(({ id }) => !ids.has(id))).toEqual([])
  }
  for (const [path, text] of everyFile(join(dataDir, 'lake'))) {
    for (const line of text.trimEnd().split('\n')) expect(() => JSON.parse(line), path).not.toThrow()
  }
})
