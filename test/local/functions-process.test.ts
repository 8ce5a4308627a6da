import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { describe, expect, it, test } from 'vitest'
import { startFunctions } from '../../local/functions.ts'
import { eventually } from '../eventually.ts'
import { temporaryFolder } from '../local-services.ts'
import { childrenOf, connectorItem, deliveredIds, ownConnectors, start } from './program.ts'
import { vendor } from './vendors.ts'

/** Starts a worker with this code, whose log says each start. The pauses are over at once, and are returned. */
async function worker(code: string, lives: number) {
  const file = join(temporaryFolder(), 'worker.mjs')
  writeFileSync(file, `console.log('started'); ${code}`)
  const pauses: number[] = []
  const lines: string[] = []
  const sentences: string[] = []
  const enough = Promise.withResolvers<void>()
  const functions = await startFunctions({
    role: 'guest',
    environment: {},
    onLine: (line) => void lines.push(line),
    print: (sentence) => void sentences.push(sentence),
    script: pathToFileURL(file),
    async beforeRestart() {
      lines.push('made ready')
    },
    async sleep(ms, signal) {
      pauses.push(ms)
      if (pauses.length < lives) return
      enough.resolve()
      await new Promise((resolve) => signal.addEventListener('abort', resolve))
    },
  })
  await enough.promise
  await functions.stop(1_000)
  return { pauses, lines, sentences }
}

describe('a process of the functions that dies', () => {
  it('is started again after a pause that doubles up to a minute', async () => {
    const { pauses, lines } = await worker("process.send('ready', () => process.exit(3))", 8)
    expect(pauses).toEqual([1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000])
    expect(lines).toEqual(['started', ...Array.from({ length: 7 }, () => ['made ready', 'started']).flat()])
  })

  it('is told in a sentence with its exit code or signal, after its last lines', async () => {
    const exited = await worker("console.error('my last words'); process.send('ready', () => process.exit(3))", 1)
    expect(exited.lines).toEqual(['started', 'my last words'])
    expect(exited.sentences).toEqual([
      'The process of the functions ended with exit code 3. It starts again in 1 s, and nothing is lost: its runs are repeated.',
    ])
    const killed = await worker("process.send('ready', () => process.kill(process.pid, 'SIGKILL'))", 1)
    expect(killed.sentences).toEqual([expect.stringMatching(/^The process of the functions ended by SIGKILL\. It starts again in 1 s/)])
  })

  it('ends the program only if it was never ready', async () => {
    await expect(worker('process.exit(3)', 1)).rejects.toThrow('The functions did not start. Their own messages above say why.')
  })
})

async function collecting() {
  const { url, host, model } = await vendor({ requestsPerMinute: 6_000, eventsPerHour: 3_600 })
  const dir = temporaryFolder()
  const dataDir = join(dir, 'data')
  const item = connectorItem('acme.mine', url, { requestsPerMinute: 6_000, eventTypes: ['dlp'], intervalMinutes: 1 })
  const args = [...ownConnectors(dir, [item], { 'tributary/acme/key': 'acme-key' }, [host]), '--data', dataDir]
  const program = start(args)
  await program.says(/[1-9]\d* delivered/)
  const kill = (script: string) => {
    const found = childrenOf(program.pid).find(({ command }) => command.includes(script))
    if (found === undefined) throw new Error(`There is no process ${script}`)
    process.kill(found.pid, 'SIGKILL')
  }
  return { program, kill, args, dataDir, model }
}

test('a program whose functions are killed says so and collects on, and loses nothing', async () => {
  const { program, kill, dataDir, model } = await collecting()
  kill('worker.ts')
  await program.says(/The process of the functions ended by SIGKILL\. It starts again in 1 s/)
  const before = model.account.totals().requests
  await eventually(() => model.account.totals().requests).toBeGreaterThan(before)
  await program.says(/SIGKILL[\s\S]* [1-9]\d* delivered/)
  program.signal('SIGINT', 'all')
  expect(await program.ended).toBe(0)
  expect(program.err()).toBe('')
  const ids = new Set(await deliveredIds(dataDir, 'syslog_exact'))
  expect([...model.account.shown.keys()].filter((id) => !ids.has(id))).toEqual([])
})

test('a program whose database is killed says so and ends with exit code 1, and its next start continues', async () => {
  const { program, kill, args, dataDir, model } = await collecting()
  kill('third-party')
  expect(await program.ended).toBe(1)
  expect(program.err()).toMatch(
    /^The process of DynamoDB and the queue ended by SIGKILL\. What it stored is in \S+\/state; start again to continue\.\n$/,
  )
  expect(`${program.out()}`).not.toContain('    at ')
  const next = start([...args, '--once'])
  expect(await next.ended).toBe(0)
  const ids = new Set(await deliveredIds(dataDir, 'syslog_exact'))
  expect([...model.account.shown.keys()].filter((id) => !ids.has(id))).toEqual([])
})

test('the processes that a program has started end when it is killed alone', async () => {
  const { program } = await collecting()
  const children = childrenOf(program.pid)
  expect(children.map(({ command }) => /(\w+)\.ts/.exec(command)?.[1]).sort()).toEqual(['process', 'worker'])
  program.signal('SIGKILL')
  await program.ended
  await eventually(() => children.filter(({ pid }) => existsSync(`/proc/${pid}`))).toEqual([])
})
