import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { describe, expect, it } from 'vitest'
import { temporaryFolder } from '../local-services.ts'
import { run, start } from './program.ts'

/** Runs a program of which somebody reads the beginning only, as `| head -1` does. */
async function headOf(script: string, args: readonly string[]): Promise<{ code: number | null; err: string }> {
  const child = spawn(process.execPath, ['--import', './node-version.js', script, ...args], { stdio: ['ignore', 'pipe', 'pipe'] })
  child.stdout.once('data', () => child.stdout.destroy())
  const [[code], err] = await Promise.all([once(child, 'close') as Promise<[number | null]>, text(child.stderr)])
  return { code, err }
}

describe('a program whose reader ends', () => {
  it('stops collecting at once, says nothing more, and the next start continues', async () => {
    const dataDir = temporaryFolder()
    expect(await headOf('local/main.ts', ['--data', dataDir])).toEqual({ code: 0, err: '' })
    expect(await run(['--data', dataDir, '--once'])).toMatchObject({ code: 0, err: '' })
  })

  it('ends a query quietly', async () => {
    const dataDir = temporaryFolder()
    await run(['--data', dataDir, '--once'])
    const sql = 'SELECT repeat(raw, 100) AS raw FROM syslog'
    expect(await headOf('local/lake.ts', ['--data', dataDir, '--json', sql])).toEqual({ code: 0, err: '' })
  })
})

describe('the simulator of the vendor', () => {
  it('names a data folder of its own in the commands that collect from it and query what came', async () => {
    const simulator = start(['--port', '0'], 'local/simulator/main.ts')
    await simulator.says('Press Ctrl-C')
    expect(simulator.out()).toMatch(/^ {2}npm start -- .* --data \.tributary-simulated$/m)
    expect(simulator.out()).toMatch(/^ {2}npm run lake -- --data \.tributary-simulated$/m)
    simulator.signal('SIGINT')
    expect(await simulator.ended).toBe(0)
  })
})

describe('the demonstration', () => {
  it('has the same vendor after a kill, and refuses nothing', async () => {
    const args = ['--data', temporaryFolder()]
    const vendorOf = (out: string) => /simulator of the vendor at (\S+)\.$/m.exec(out)?.[1]
    const killed = start(args)
    await killed.says(/[1-9]\d* delivered/)
    killed.signal('SIGKILL')
    await killed.ended
    const { code, out } = await run([...args, '--once'])
    expect(code).toBe(0)
    expect(vendorOf(out)).toBe(vendorOf(killed.out()))
    expect(out).not.toMatch(/Missing|refused|failing/)
  })

  it('has the same vendor after a kill before its first event, with the file of the port full of rubbish before', async () => {
    const dataDir = temporaryFolder()
    writeFileSync(join(dataDir, 'simulator-port'), 'rubbish')
    const killed = start(['--data', dataDir])
    await killed.says('Press Ctrl-C')
    killed.signal('SIGKILL', 'all')
    await killed.ended
    const { out } = await run(['--data', dataDir, '--for', '1s'])
    expect(/vendor at (\S+)\.$/m.exec(out)?.[1]).toBe(/vendor at (\S+)\.$/m.exec(killed.out())?.[1])
  })
})
