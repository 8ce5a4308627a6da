import { chmodSync, existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type RunningSimulator, startSimulator } from '../../local/simulator/server.ts'
import { temporaryFolder } from '../local-services.ts'
import { connectorItem, ownConnectors, run, start } from './program.ts'

/** Exit code 1, and a sentence or two on stderr: no stack trace, nothing on stdout. */
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
  return ownConnectors(dir, [connectorItem('mine', simulator.url)], { 'tributary/acme': 'key' }, [new URL(simulator.url).host])
}

test('each wrong option or file is refused in a sentence', async () => {
  const dir = temporaryFolder()
  const file = join(dir, 'file')
  writeFileSync(file, '')
  const readable = temporaryFolder()
  const byOthers = own(readable)
  chmodSync(join(readable, 'secrets.json'), 0o644)
  const odd = temporaryFolder()
  const noArray = own(odd)
  writeFileSync(join(odd, 'connectors.json'), JSON.stringify({ connectors: [] }))
  const data = ['--data', join(dir, 'data')]

  await refused(['--onse', ...data], /^Unknown option '--onse'/)
  await refused(['--for', '5 minutes', ...data], /^--for 5 minutes: this is not a duration/)
  await refused(['--once', '--for', '5s', ...data], /^--once and --for exclude each other/)
  await refused(['--connectors', '/nowhere/c', '--secrets', '/nowhere/s', ...data], /^--connectors \/nowhere\/c cannot be read/)
  await refused([...byOthers, ...data], /^--secrets \S+ is accessible to other users \(mode 644\)\. Run "chmod 600/)
  await refused([...noArray, ...data], /the file must be a JSON array of items, but it is an object/)
  await refused(['--once', '--data', file], /^Cannot write to \S+: it is a file, not a folder\. Name another folder with --data\.$/m)
  await refused(['--once', '--data', join(file, 'below')], /^Cannot write to \S+: a part of it is a file, not a folder\./)
  expect(existsSync(join(dir, 'data'))).toBe(false)
})

test('a port that another program uses is refused by the simulator in a sentence', async () => {
  const taken = new URL(simulator.url).port
  await refused(['--port', taken], /^Port \d+ of 127\.0\.0\.1 is used by another program\./, 'local/simulator/main.ts')
})

test('a folder with your own connectors refuses the demonstration, and refuses --connectors while another process collects', async () => {
  const dir = temporaryFolder()
  const dataDir = join(dir, 'data')
  const owner = start([...own(dir), '--data', dataDir])
  await owner.says('delivered')
  await refused(
    [...own(temporaryFolder()), '--data', dataDir],
    /^Another process collects into \S+ already\. Start without --connectors to share/,
  )
  owner.signal('SIGINT', 'all')
  expect(await owner.ended).toBe(0)
  await refused(['--once', '--data', dataDir], /^\S+ holds connectors of your own \(mine\)\. Start with --connectors FILE/)
})

test('--once ends at once when the file has no connectors', async () => {
  const dir = temporaryFolder()
  const args = ownConnectors(dir, [], {}, [])
  expect(await run([...args, '--once', '--data', join(dir, 'data')])).toMatchObject({ code: 0 })
})
