import { chmodSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it, onTestFinished, test } from 'vitest'
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

describe('what is given wrongly is refused', () => {
  it.each([
    ['an option that does not exist', ['--onse'], /^Unknown option '--onse'/],
    ['a bad duration', ['--for', '5 minutes'], /^--for 5 minutes: this is no duration/],
    ['--once with --for', ['--once', '--for', '5s'], /^--once and --for exclude each other/],
    ['files that are missing', ['--connectors', '/nowhere/c', '--secrets', '/nowhere/s'], /^--connectors \/nowhere\/c cannot be read/],
  ])('%s', (_, args, said) => refused([...args, '--data', join(temporaryFolder(), 'data')], said))

  it('a file of secrets that others can read', async () => {
    const dir = temporaryFolder()
    const args = own(dir)
    chmodSync(join(dir, 'secrets.json'), 0o644)
    await refused([...args, '--data', join(dir, 'data')], /^--secrets \S+ can be read by others \(mode 644\)\. Run "chmod 600/)
  })

  it('connectors that are no array', async () => {
    const dir = temporaryFolder()
    const args = own(dir)
    writeFileSync(join(dir, 'connectors.json'), JSON.stringify({ connectors: [] }))
    await refused([...args, '--data', join(dir, 'data')], /it must be a JSON array of items, but it is an object/)
  })

  it('a file in the place of the data folder', async () => {
    const file = join(temporaryFolder(), 'data')
    writeFileSync(file, '')
    await refused(['--once', '--data', file], /^Cannot write to \S+: it is a file, not a folder\. Name another folder with --data\.$/m)
  })

  it('a data folder below a file', async () => {
    const file = join(temporaryFolder(), 'data')
    writeFileSync(file, '')
    await refused(['--once', '--data', join(file, 'below')], /^Cannot write to \S+: a part of it is a file, not a folder\./)
  })

  it("a port of the simulator's that is taken", async () => {
    const server = createServer().listen(0, '127.0.0.1')
    onTestFinished(() => void server.close())
    await new Promise((resolve) => server.once('listening', resolve))
    const { port } = server.address() as { port: number }
    await refused(['--port', String(port)], /^Port \d+ of 127\.0\.0\.1 is taken by another program\./, 'local/simulator/main.ts')
  })
})

test('on a folder with connectors of its own the demonstration is refused, and one with connectors while another process collects', async () => {
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

test('a file without any connector is nothing to collect, and --once ends', async () => {
  const dir = temporaryFolder()
  const args = ownConnectors(dir, [], {}, [])
  expect(await run([...args, '--once', '--data', join(dir, 'data')])).toMatchObject({ code: 0 })
})
