import { describe, expect, it } from 'vitest'
import { testConnectors, testItem } from '../../cli/commands/tests.ts'
import { formatItem } from '../../cli/connectors-file.ts'
import { minute, second } from '../../functions/domain/time.ts'
import { eventTypeNames, serviceNames } from '../../local/simulator/catalogue.ts'
import { connectorItem, World } from '../../simulation/world.ts'
import { fleet, openSession } from './session.ts'

const everyStream = connectorItem({ contentTypes: [...serviceNames], eventTypes: [...eventTypeNames] })

describe('the Test by the command', () => {
  it('says how far it is whenever that changes, waits for the end, and shows the seven steps', async () => {
    const { session, happened, world } = await openSession({ items: [everyStream] })
    const begunAt = world.clock.now()
    const { exit, text } = await testConnectors(session, { ids: ['acme.cas'] })
    expect(exit).toBe('done')
    expect(text).toMatch(/^acme\.cas: All 7 steps passed at \d\d:\d\d:\d\d UTC\.\n/)
    expect(text.match(/passed/g)?.length).toBe(8)
    // 48 streams at 20 requests a minute.
    expect(world.clock.now() - begunAt).toBeGreaterThan(2 * minute)
    const progress = happened.filter((line) => line.startsWith('acme.cas: '))
    expect(progress.length).toBeGreaterThan(1)
    expect(progress).toEqual([...new Set(progress)])
    expect(progress.at(-1)).toBe('acme.cas: 7 of 7')
  })

  it('shows of each fault what was tried, its status, why, what to do, the attribute to edit and the trace id', async () => {
    const { session, world } = await openSession({ items: [connectorItem()] })
    world.vendorResponds(() => ({ status: 401, body: { code: -1, msg: 'No', traceId: 'trace-7' } }))
    const { exit, text } = await testConnectors(session, { ids: ['acme.cas'] })
    expect(exit).toBe('failed')
    expect(text).toContain('Step 4: 401 Unauthorized\n')
    expect(text).toMatch(/ {2}Tried: .+\n {2}Seen: .+\n {2}Explanation: .+\n {2}Recommendation: .+\n {2}Edit: apiKeySecrets\[0\]\n/)
    expect(text).toContain('  Trace: trace-7\n')
  })

  it('says when a throttled request is tried again', async () => {
    const { session, world } = await openSession({ items: [connectorItem()] })
    world.vendorResponds(() => ({ status: 429 }))
    expect((await testConnectors(session, { ids: ['acme.cas'] })).text).toMatch(/Tried again at: 2026-11-24 12:0\d:\d\d UTC/)
  })

  it('tells a refusal to begin, and still tests the other connectors', async () => {
    const { session, tester, world } = await openSession({ items: [everyStream, ...fleet] })
    await tester.begin('acme.cas')
    await world.run(10 * second)
    const { exit, text, result } = await testConnectors(session, { ids: ['acme.cas', 'no.such', 'acme.two'] })
    expect(exit).toBe('failed')
    expect(text).toMatch(/^acme\.cas: refused: .*since 12:00:00 UTC/)
    expect(text).toContain('no.such: refused: There is no connector no.such')
    expect(text).toContain('acme.two: All 7 steps passed')
    expect(result).toMatchObject({
      tests: [{ connectorId: 'acme.cas', ok: false, code: 'busy' }, { code: 'not-found' }, { connectorId: 'acme.two', state: 'passed' }],
    })
  })

  it('of a file tests a connector that is not saved, and saves nothing', async () => {
    const files = { 'new.yaml': formatItem(connectorItem()), 'none.yaml': 'type: trendmicro-cas' }
    const { session, stored } = await openSession({ files })
    expect(await testItem(session, 'new.yaml')).toMatchObject({
      exit: 'done',
      result: { tests: [{ connectorId: 'acme.cas', isUnsaved: true }] },
    })
    expect(stored('acme.cas')).toBeUndefined()
    await expect(testItem(session, 'none.yaml')).rejects.toThrow('none.yaml has no connectorId')
  })

  it('of a tenant counts its connectors, asks, and tests each of them', async () => {
    const { session, happened } = await openSession({ items: fleet, answers: { confirm: async () => true } })
    const { result } = await testConnectors(session, { ids: [], tenant: 'acme' })
    expect(happened).toContain('2 connectors: acme.one, acme.two')
    expect(result).toMatchObject({
      tests: [
        { connectorId: 'acme.one', state: 'passed' },
        { connectorId: 'acme.two', state: 'passed' },
      ],
    })
  })

  it('does not begin if the person declines', async () => {
    const { session, asked } = await openSession({ items: fleet, answers: { confirm: async () => false } })
    expect(await testConnectors(session, { ids: [], all: true })).toMatchObject({ exit: 'failed', text: 'Nothing was changed.\n' })
    expect(asked.map(({ action }) => action)).toEqual(['list'])
  })

  it('gives every member of the result to programs', async () => {
    const { session } = await openSession({ world: new World({ ticking: false }), items: [connectorItem()] })
    const { result } = await testConnectors(session, { ids: ['acme.cas'] })
    const test = { connectorId: 'acme.cas', state: 'passed', progress: '7 of 7', summary: expect.stringContaining('All 7 steps passed') }
    const step = { number: 1, title: 'The item is valid', state: 'passed', faults: [], words: 'Every attribute is as the rules say.' }
    expect(result).toMatchObject({ tests: [{ ...test, steps: expect.arrayContaining([step]) }] })
  })
})
