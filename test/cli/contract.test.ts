import { describe, expect, it } from 'vitest'
import * as z from 'zod'
import { formatConnectorsFile, formatItem } from '../../cli/connectors-file.ts'
import { contract, everyMember, failureJson, failureMembers, outcomeJson } from '../../cli/contract.ts'
import type { Lake } from '../../cli/operator.ts'
import { buildProgram, type Runner } from '../../cli/program.ts'
import { minute } from '../../functions/domain/time.ts'
import { connectorItem } from '../../simulation/world.ts'
import { fleet, openSession } from './session.ts'

/** Runs a command line as the program does, and returns what --json prints. */
async function json(line: string, options: Parameters<typeof openSession>[0] = {}, lake?: Lake): Promise<unknown> {
  const opened = await openSession({ items: [connectorItem(), ...fleet], yes: true, ...options })
  await opened.world.run(minute)
  const place = { ...opened.session.place, ...(lake === undefined ? {} : { lake: () => lake }) }
  const session = { ...opened.session, place }
  const printed: unknown[] = []
  const runner: Runner = {
    terminal: session.terminal,
    withSession: async (name, _, work) => void printed.push(outcomeJson(name, await work(session), place.names)),
    alone: async (name, _, work) => void printed.push(outcomeJson(name, work())),
  }
  await buildProgram(runner).parseAsync(line.split(' '), { from: 'user' })
  expect(printed).toHaveLength(1)
  return JSON.parse(JSON.stringify(printed[0]))
}

const files = {
  'all.yaml': formatConnectorsFile([{ ...connectorItem(), note: 'x' }]),
  'one.yaml': formatItem(connectorItem({ connectorId: 'acme.new' })),
}
const here: Lake = { kind: 'here', query: async () => [{ id: 'e-1', timestamp: 1 }] }

const lines: Readonly<Record<keyof typeof contract, readonly string[]>> = {
  list: ['list', 'list --tenant nobody'],
  show: ['show acme.cas'],
  history: ['history acme.cas'],
  coverage: ['coverage', 'coverage acme.cas'],
  create: ['create acme.new -f one.yaml'],
  edit: ['edit acme.cas --interval-minutes 9', 'edit acme.cas --interval-minutes 5', 'edit acme.cas --interval-minutes 900'],
  delete: ['delete acme.cas'],
  test: ['test acme.cas', 'test no.such', 'test -f one.yaml'],
  pause: ['pause acme.cas', 'pause no.such', 'pause --tenant acme'],
  resume: ['resume acme.cas'],
  collect: ['collect --all'],
  reread: ['reread acme.cas --from 1h'],
  acknowledge: ['acknowledge acme.cas --note seen'],
  validate: ['validate -f all.yaml'],
  plan: ['plan -f all.yaml --prune'],
  apply: ['apply -f all.yaml'],
  export: ['export'],
  'key list': ['key list'],
  'key set': ['key set tributary/acme/cas'],
  events: ['events --connector acme.cas', 'events e-1'],
  open: ['open'],
  vendor: ['vendor', 'vendor trendmicro-cas'],
}

describe('the JSON of the command', () => {
  it.each(Object.entries(lines).flatMap(([name, all]) => all.map((line) => [name, line] as const)))(
    'has the members of the contract, and no other: %s: %s',
    async (name, line) => {
      const shape = z.strictObject({ ...everyMember, ...contract[name as keyof typeof contract] })
      const options = { files, stdin: 'a-key-0123456789' }
      const printed = [await json(line, options), ...(name === 'events' ? [await json(line, options, here)] : [])]
      for (const each of printed) expect(shape.parse(each)).toMatchObject({ version: 1, command: name })
    },
  )

  it('is listed for every command of the program', async () => {
    const { session } = await openSession()
    const unused = () => Promise.reject(new Error('nothing runs'))
    const program = buildProgram({ terminal: session.terminal, withSession: unused, alone: unused })
    const names = program.commands.flatMap((command) =>
      command.commands.length === 0 ? [command.name()] : command.commands.map((each) => `${command.name()} ${each.name()}`),
    )
    expect(Object.keys(contract).sort()).toEqual(names.sort())
  })

  it('of a failure has the version, a code, and a message with the next step', () => {
    expect(z.strictObject(failureMembers).parse(failureJson('mistake', 'Name a command.', []))).toMatchObject({ version: 1, ok: false })
  })

  it('has no member of a result in place of its own', () => {
    const outcome = { exit: 'done', result: { version: 'of an item', ok: false, command: 'x' }, text: '' } as const
    expect(outcomeJson('show', outcome)).toMatchObject({ version: 1, ok: true, command: 'show' })
  })
})
