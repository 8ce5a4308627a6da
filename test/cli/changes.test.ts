import { describe, expect, it } from 'vitest'
import { acknowledge, deleteConnectors, reread, simpleChange } from '../../cli/commands/changes.ts'
import { create, edit } from '../../cli/commands/edits.ts'
import { apply } from '../../cli/commands/files.ts'
import { keySet } from '../../cli/commands/keys.ts'
import { testConnectors } from '../../cli/commands/tests.ts'
import { formatConnectorsFile, formatItem } from '../../cli/connectors-file.ts'
import type { Session } from '../../cli/session.ts'
import { connectorItem, World } from '../../simulation/world.ts'
import { fleet, openSession, title } from './session.ts'

const attributes = { intervalMinutes: 10 }
const edited = { attributes, unset: [] }
const noted = { attributes: { note: 'on call: Ada' }, unset: [] }
const yes = { confirm: async () => true }
const no = { confirm: async () => false }

describe('a change', () => {
  const items = [connectorItem({ connectorId: 'acme.one' })]
  const file = formatConnectorsFile([connectorItem({ connectorId: 'acme.one', intervalMinutes: 9 })])
  const one = { ids: ['acme.one'] }
  it.each<[string, (session: Session) => Promise<unknown>]>([
    ['create', (session) => create(session, 'acme.new', { attributes: connectorItem({ connectorId: 'acme.new' }), unset: [] })],
    ['edit', (session) => edit(session, 'acme.one', edited)],
    ['delete', (session) => deleteConnectors(session, ['acme.one'])],
    ['pause', (session) => simpleChange(session, 'pause', one)],
    ['resume', (session) => simpleChange(session, 'resume', one)],
    ['collect', (session) => simpleChange(session, 'collect', one)],
    ['reread', (session) => reread(session, one, { from: '1h' })],
    ['acknowledge', (session) => acknowledge(session, 'acme.one', 'seen')],
    ['test', (session) => testConnectors(session, one)],
    ['edit', (session) => apply(session, { file: 'file.yaml', prune: false })],
    ['key set', (session) => keySet(session, 'tributary/acme/one')],
  ])('says account, region and stack before anything is done: %s', async (action, carryOut) => {
    const { session, happened } = await openSession({ items, files: { 'file.yaml': file }, yes: true, stdin: 'key-0123456789' })
    await carryOut(session)
    const [first] = happened
    expect(first).toBe(`${title}:`)
    expect(happened).toContain(`→ ${action}`)
  })
})

describe('a selection', () => {
  it('by tenant is counted and shown, and changed only after a yes', async () => {
    const { session, happened, stored } = await openSession({ items: fleet, answers: yes })
    expect(await simpleChange(session, 'pause', { ids: [], tenant: 'acme' })).toMatchObject({ exit: 'done' })
    expect(happened.slice(0, 3)).toEqual([`${title}:`, '2 connectors: acme.one, acme.two', '→ pause'])
    expect(fleet.map(({ connectorId }) => stored(String(connectorId))?.['enabled'])).toEqual([false, false, undefined])
  })

  it('that the person declines changes nothing', async () => {
    const { session, happened } = await openSession({ items: fleet, answers: no })
    expect(await simpleChange(session, 'pause', { ids: [], all: true })).toMatchObject({ exit: 'failed', text: 'Nothing was changed.\n' })
    expect(happened).toEqual([`${title}:`, '3 connectors: acme.one, acme.two, globex.cas'])
  })

  it('by state takes the connectors that are in it, and no other', async () => {
    const paused = connectorItem({ connectorId: 'acme.off', apiKeySecrets: ['tributary/acme/simulated-4'], enabled: false })
    const { session, happened } = await openSession({ items: [...fleet, paused], answers: yes })
    await simpleChange(session, 'resume', { ids: [], state: 'paused' })
    expect(happened).toContain('1 connector: acme.off')
    expect(happened.filter((each) => each === '→ resume')).toHaveLength(1)
  })

  it('shows ten ids of many, and how many there are', async () => {
    const many = Array.from({ length: 12 }, (_, i) =>
      connectorItem({ connectorId: `acme.c${String(i).padStart(2, '0')}`, apiKeySecrets: [`tributary/acme/simulated-${i + 1}`] }),
    )
    const world = new World({ ticking: false, furtherKeys: 12 })
    const { session, happened } = await openSession({ world, items: many, answers: no })
    await simpleChange(session, 'collect', { ids: [], all: true })
    expect(happened.at(-1)).toMatch(/^12 connectors: acme\.c00, .*acme\.c09, …$/)
  })

  it.each([
    [{ ids: [] }, 'Name one connector or more, or select them with --tenant, --state or --all.'],
    [{ ids: ['acme.one'], tenant: 'acme' }, 'Not both.'],
    [{ ids: [], tenant: 'nobody' }, 'No connector is selected. "list" shows all of them.'],
  ])('is refused with the next step: %j', async (selection, words) => {
    const { session } = await openSession({ items: fleet, yes: true })
    await expect(simpleChange(session, 'pause', selection)).rejects.toThrow(words)
  })

  it('tells the refusal of one connector, and still changes the others', async () => {
    const { session, stored } = await openSession({ items: fleet })
    const { exit, text } = await simpleChange(session, 'pause', { ids: ['acme.one', 'no.such', 'globex.cas'] })
    expect({ exit, text }).toMatchObject({
      exit: 'failed',
      text: expect.stringContaining('no.such: refused: There is no connector no.such'),
    })
    expect(stored('globex.cas')).toMatchObject({ enabled: false })
  })
})

describe('two operators at once', () => {
  const items = [connectorItem({ connectorId: 'acme.one' })]
  const again = expect.stringMatching(/changed .*since.*(again|anew)/is)

  it('the second who edits is refused, keeps nothing from the first, and is told the next step', async () => {
    const opened = await openSession({ items, answers: yes })
    const other: Session = { ...opened.session, terminal: { ...opened.session.terminal, isInteractive: false } }
    const confirm = async () => (await edit(other, 'acme.one', noted)).exit === 'done'
    const second: Session = {
      ...opened.session,
      terminal: { ...opened.session.terminal, ask: { ...opened.session.terminal.ask, confirm } },
    }
    const { exit, text, result } = await edit(second, 'acme.one', edited)
    expect(exit).toBe('failed')
    expect(result).toMatchObject({ results: [{ code: 'conflict' }] })
    expect(text).toEqual(again)
    expect(opened.stored('acme.one')).toMatchObject({ note: 'on call: Ada' })
    expect(opened.stored('acme.one')).not.toHaveProperty('intervalMinutes')
    expect(await edit(other, 'acme.one', edited)).toMatchObject({ exit: 'done' })
    expect(opened.stored('acme.one')).toMatchObject({ note: 'on call: Ada', intervalMinutes: 10 })
  })

  it('the second who deletes or applies a file is refused, too', async () => {
    const files = { 'file.yaml': formatConnectorsFile([connectorItem({ connectorId: 'acme.one', intervalMinutes: 9 })]) }
    const opened = await openSession({ items, files, answers: yes })
    const other: Session = { ...opened.session, terminal: { ...opened.session.terminal, isInteractive: false } }
    let edits = 0
    const confirm = async () => {
      edits += 1
      return (await edit(other, 'acme.one', { attributes: { note: `edit ${edits}` }, unset: [] })).exit === 'done'
    }
    const second: Session = {
      ...opened.session,
      terminal: { ...opened.session.terminal, ask: { ...opened.session.terminal.ask, confirm } },
    }
    const refused = { exit: 'failed', result: { results: [{ code: 'conflict', message: again }] } }
    expect(await deleteConnectors(second, ['acme.one'])).toMatchObject(refused)
    expect(await apply(second, { file: 'file.yaml', prune: false })).toMatchObject(refused)
    expect(opened.stored('acme.one')).toEqual(connectorItem({ connectorId: 'acme.one', note: 'edit 2' }))
  })

  it('the second who creates the same connector is told that it exists', async () => {
    const { session } = await openSession({ items })
    const other = connectorItem({ connectorId: 'acme.one', intervalMinutes: 9 })
    expect(await create(session, 'acme.one', { attributes: other, unset: [] })).toMatchObject({
      exit: 'failed',
      text: 'acme.one: refused: There is a connector acme.one already. Give another id, or edit that one.\n',
    })
  })
})

describe('without a terminal', () => {
  const owned = fleet.map((item) => ({ ...item, managedBy: 'file' }))
  const files = { 'file.yaml': formatConnectorsFile(owned.slice(0, 1)), 'one.yaml': formatItem(connectorItem({ connectorId: 'acme.one' })) }

  it('nothing is deleted without --yes', async () => {
    const { session, happened } = await openSession({ items: owned, files })
    await expect(deleteConnectors(session, ['acme.one'])).rejects.toThrow('Nothing was changed. Without a terminal, add --yes.')
    await expect(apply(session, { file: 'file.yaml', prune: true })).rejects.toThrow('Nothing was changed. Without a terminal, add --yes.')
    expect(happened.filter((each) => each.startsWith('→'))).toEqual([])
  })

  it('apply --prune --yes deletes what a file owned and no longer has, and nothing that was made by hand', async () => {
    const byHand = connectorItem({ connectorId: 'acme.hand', apiKeySecrets: ['tributary/acme/simulated-4'] })
    const { session, tester, happened } = await openSession({ items: [...owned, byHand], files, yes: true })
    const { exit, result } = await apply(session, { file: 'file.yaml', prune: true })
    expect(exit).toBe('done')
    expect(result).toMatchObject({
      results: [
        { connectorId: 'acme.two', action: 'delete', ok: true },
        { connectorId: 'globex.cas', action: 'delete', ok: true },
      ],
    })
    expect([...tester.items.keys()]).toEqual(['acme.one', 'acme.hand'])
    expect(happened.join('\n')).toContain('0 to create, 0 to edit, 2 to delete, 1 unchanged.')
    expect(await apply(session, { file: 'file.yaml', prune: true })).toMatchObject({ exit: 'done', result: { results: [] } })
  })

  it('apply without --prune names what it keeps', async () => {
    const { session, tester } = await openSession({ items: owned, files })
    const { text } = await apply(session, { file: 'file.yaml', prune: false })
    expect(text).toContain('No longer in the file, and kept (--prune deletes them): acme.two, globex.cas')
    expect(tester.items.size).toBe(3)
  })
})

describe('at a terminal', () => {
  it('a prune and a delete that the person declines change nothing', async () => {
    const owned = fleet.map((item) => ({ ...item, managedBy: 'file' }))
    const files = { 'file.yaml': formatConnectorsFile([]) }
    const { session, tester, happened } = await openSession({ items: owned, files, answers: no })
    const nothing = { exit: 'failed', text: 'Nothing was changed.\n' }
    expect(await apply(session, { file: 'file.yaml', prune: true })).toMatchObject(nothing)
    expect(await deleteConnectors(session, ['acme.one'])).toMatchObject(nothing)
    expect(tester.items.size).toBe(3)
    expect(happened.filter((each) => each.startsWith('→'))).toEqual([])
  })

  it('an edit of what a file owns says that its next apply writes over it', async () => {
    const { session, happened } = await openSession({ items: [connectorItem({ managedBy: 'file' })], answers: yes })
    await edit(session, 'acme.cas', edited)
    expect(happened).toContain('A file of connectors owns acme.cas: its next apply writes over this edit.')
  })
})
