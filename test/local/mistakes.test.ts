import { chmodSync, existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type RunningSimulator, startSimulator } from '../../local/simulator/server.ts'
import { temporaryFolder } from '../local-services.ts'
import { connectorItem, ownConnectors, run, start } from './program.ts'

/** Expects exit code 1 and one or two sentences on stderr, without a stack trace, and nothing on stdout. */
async function refused(args: readonly string[], said: string | RegExp, script?: string): Promise<void> {
  const { code, out, err } = await run(args, script)
  expect(err).toMatch(said)
  expect(err.trimEnd().split('\n').length).toBeLessThanOrEqual(2)
  expect(`${out}${err}`).not.toContain('    at ')
  expect(out).toBe('')
  expect(code).toBe(1)
}

let simulator: RunningSimulator
beforeAll(async () => {
  simulator = await startSimulator({ eventsPerHour: 60 })
})
afterAll(() => simulator.close())

function own(dir: string): string[] {
  return ownConnectors(dir, [connectorItem('acme.mine', simulator.url)], { 'tributary/acme/key': 'key' }, [new URL(simulator.url).host])
}

const mistakes: readonly [string, string | RegExp, (dir: string) => string[]][] = [
  ['an option that does not exist', /^Unknown option '--onse'/, () => ['--onse']],
  ['a duration without a unit', /^--for 5 minutes: this is not a duration/, () => ['--for', '5 minutes']],
  ['two options that exclude each other', /^--once and --for exclude each other/, () => ['--once', '--for', '5s']],
  [
    'a file that does not exist',
    /^--connectors \/nowhere\/c cannot be read/,
    () => ['--connectors', '/nowhere/c', '--secrets', '/nowhere/s'],
  ],
  [
    'secrets that others can read',
    /^--secrets \S+ is accessible to other users \(mode 644\)\. Run "chmod 600/,
    (dir) => {
      const args = own(dir)
      chmodSync(join(dir, 'secrets.json'), 0o644)
      return args
    },
  ],
  [
    'connectors in an object',
    /the file must be a JSON array of items, but it is an object/,
    (dir) => {
      const args = own(dir)
      writeFileSync(join(dir, 'connectors.json'), JSON.stringify({ connectors: [] }))
      return args
    },
  ],
]

test.each(mistakes)('%s is refused in a sentence, and nothing is written', async (_, said, argsIn) => {
  const dir = temporaryFolder()
  const data = join(dir, 'data')
  await refused([...argsIn(dir), '--data', data], said)
  expect(existsSync(data)).toBe(false)
})

test.each([
  ['a file', '', /^Cannot write to \S+: it is a file, not a folder\. Name another folder with --data\.$/m],
  ['below a file', 'below', /^Cannot write to \S+: a part of it is a file, not a folder\./],
])('a data folder that is %s is refused in a sentence', async (_, below, said) => {
  const file = join(temporaryFolder(), 'file')
  writeFileSync(file, '')
  await refused(['--once', '--data', join(file, below)], said)
})

test.each([
  ['in a folder of the system that takes none', '/proc/tributary', /^Cannot write to \/proc\/tributary: there can be no folder\./],
  ['a device', '/dev/null', /^Cannot write to \/dev\/null: it is a file, not a folder\./],
  ['empty', '', /^--data is empty\. Name a folder, or leave --data out/],
  ['a name of 5,000 characters', `/tmp/${'x'.repeat(5_000)}`, /^Cannot write to \/tmp\/x{195}…: the name is too long\./],
  ['a path of 5,000 characters', `/tmp/${'x/'.repeat(2_500)}`, /^Cannot write to \/tmp\/[x/]{195}…: the name is too long\./],
  ['of the system', '/proc', /^(Cannot write to )?\/proc/],
])('a data folder that is %s is refused in a sentence, without a hang', async (_, data, said) => {
  await refused(['--once', '--data', data], said)
  await refused(['--data', data], data === '' ? said : /^There is no lake in /, 'local/lake.ts')
})

test('a port that another program uses is refused by the simulator in a sentence', async () => {
  const taken = new URL(simulator.url).port
  await refused(['--port', taken], /^Port \d+ of 127\.0\.0\.1 is used by another program\./, 'local/simulator/main.ts')
})

test('a folder refuses --connectors while another process collects into it', async () => {
  const dir = temporaryFolder()
  const dataDir = join(dir, 'data')
  const owner = start([...own(dir), '--data', dataDir])
  await owner.says('delivered')
  await refused(
    [...own(temporaryFolder()), '--data', dataDir],
    /^Another process collects into \S+ already\. Start without --connectors to share/,
  )
})

test('--once ends at once when the file has no connectors', async () => {
  const dir = temporaryFolder()
  const args = ownConnectors(dir, [], {}, [])
  expect(await run([...args, '--once', '--data', join(dir, 'data')])).toMatchObject({ code: 0 })
})

test('your own connectors are refused in the folder of the demonstration, and nothing is retired', async () => {
  const dir = temporaryFolder()
  const dataDir = join(dir, 'data')
  expect((await run(['--data', dataDir, '--for', '1s'])).code).toBe(0)
  await refused(
    [...own(dir), '--data', dataDir],
    /^\S+ holds the demonstration, whose events are made up\. Give your own connectors another folder with --data, or start without --connectors and create them on the page/m,
  )
  const again = await run(['--data', dataDir, '--for', '1s', '--json'])
  expect(JSON.parse(again.out).connectors).toHaveLength(3)
})
