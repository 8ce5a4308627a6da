import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { cpSync, globSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { promisify } from 'node:util'
import { beforeAll, describe, expect, it } from 'vitest'
import { temporaryFolder } from '../local-services.ts'
import { connectorItem, deliveredIds, ownConnectors, run } from './program.ts'
import { vendor } from './vendors.ts'

const rubbish = (bytes: number) => Buffer.alloc(bytes, 'rubbish!')
const spoil = (path: string) => writeFileSync(path, rubbish(Math.max(100, statSync(path).size)))

/** Replaces 14 bytes in the middle of a file. */
function scratch(path: string): void {
  const content = readFileSync(path)
  content.write('rubbishrubbish', content.length >> 1)
  writeFileSync(path, content)
}

function pathOf(dataDir: string, pattern: string): string {
  const [found] = globSync(pattern, { cwd: dataDir })
  if (found === undefined) throw new Error(`There is no ${pattern}`)
  return join(dataDir, found)
}

describe('a data folder of which something is damaged', () => {
  let whole: string
  const copy = () => {
    const dataDir = join(temporaryFolder(), 'data')
    cpSync(whole, dataDir, { recursive: true })
    return dataDir
  }
  beforeAll(async () => {
    whole = mkdtempSync(join(tmpdir(), 'tributary-'))
    await promisify(execFile)(process.execPath, ['--import', './node-version.js', 'local/main.ts', '--once', '--data', whole])
    return () => rmSync(whole, { recursive: true })
  })

  it.each<[string, (dataDir: string) => void, RegExp]>([
    [
      'the newest state',
      (dir) => spoil(pathOf(dir, 'state/*.log')),
      /^The state in \S+\/state is damaged: .*Restore this folder from a backup/,
    ],
    ['a part of the state', (dir) => scratch(pathOf(dir, 'state/*.log')), /^The state in \S+\/state is damaged: checksum mismatch\. /],
    ['the list of the state', (dir) => spoil(pathOf(dir, 'state/MANIFEST-*')), /^The state in \S+\/state is damaged: /],
    ['the beginning of the state', (dir) => spoil(join(dir, 'state/CURRENT')), /^The state in \S+\/state is damaged: /],
    [
      'the folder of the state',
      (dir) => {
        rmSync(join(dir, 'state'), { recursive: true })
        writeFileSync(join(dir, 'state'), '')
      },
      /^Cannot write to \S+\/state: it is a file, not a folder\./,
    ],
    ['the lock', (dir) => writeFileSync(join(dir, 'owner.lock'), rubbish(4_096)), /^\S+\/owner\.lock is damaged\. Delete this file/],
    [
      'the file of the addresses',
      (dir) => mkdirSync(join(dir, 'services.json')),
      /^Cannot write to \S+\/services\.json: it is a folder, not a file\./,
    ],
    [
      'an object that is not in the lake yet',
      (dir) => writeFileSync(join(dir, 'firehose', 'syslog-1-2026-11-24-12-00-00-a.json.gz'), rubbish(5_000)),
      /^\S+\.json\.gz is damaged: from byte 0 on it is not what was written\. Move it away and start again\./,
    ],
  ])('is refused in a sentence that names it, at each start: %s', async (_, damage, said) => {
    const dataDir = copy()
    damage(dataDir)
    for (const start of [1, 2]) {
      const { code, out, err } = await run(['--once', '--data', dataDir])
      expect(err, `start ${start}`).toMatch(said)
      expect(err.trimEnd().split('\n')).toHaveLength(1)
      expect({ code, out }).toEqual({ code: 1, out: '' })
    }
  })

  it.each<[string, (path: string) => void]>([
    ['is cut', (path) => truncateSync(path, 3_000)],
    ['is rubbish', spoil],
    ['is rubbish in its middle', scratch],
    ['is empty', (path) => truncateSync(path, 0)],
  ])('says with each query which object of the lake %s, and that events are missing', async (_, damage) => {
    const dataDir = copy()
    const path = pathOf(dataDir, 'lake/**/*.json.gz')
    damage(path)
    const { code, err } = await run(['--data', dataDir], 'local/lake.ts')
    expect(err).toBe(
      `1 object of the lake is damaged, and the views have only a part of the events there. Restore from a backup, or move away:\n  ${path}\n`,
    )
    expect(code).toBe(1)
  })

  it('collects nothing when the lake is a file, and says so', async () => {
    const dataDir = temporaryFolder()
    writeFileSync(join(dataDir, 'lake'), '')
    const { code, err } = await run(['--once', '--data', dataDir])
    expect(err).toMatch(/^Cannot write to \S+\/lake\S*: a part of it is a file, not a folder\. Name another folder with --data\.\n$/)
    expect(code).toBe(1)
  })
})

/** Runs the program on a file system that takes no file of more than `blocks` × 512 bytes. */
async function runWithSmallFiles(blocks: number, args: readonly string[]) {
  const limited = ['-c', `ulimit -f ${blocks}; exec "$0" "$@"`, process.execPath, '--import', './node-version.js', 'local/main.ts', ...args]
  const child = spawn('sh', limited, { stdio: ['ignore', 'pipe', 'pipe'] })
  const [[code], out, err] = await Promise.all([once(child, 'close') as Promise<[number | null]>, text(child.stdout), text(child.stderr)])
  return { code, out, err }
}

describe('a program whose disk is full', () => {
  it.each([
    ['at its start', 2],
    ['while it stores the first connectors', 30],
    ['while it delivers', 100],
  ])('%s says so, ends with exit code 1, and its next start loses nothing', async (_, blocks) => {
    const { url, host, model } = await vendor({ eventsPerHour: 2_000 })
    const dir = temporaryFolder()
    const dataDir = join(dir, 'data')
    const item = connectorItem('acme.mine', url, { requestsPerMinute: 6_000 })
    const args = [...ownConnectors(dir, [item], { 'tributary/acme/key': 'acme-key' }, [host]), '--data', dataDir]
    const { code, out, err } = await runWithSmallFiles(blocks, args)
    expect(err).toMatch(/^Cannot write to \S+: the file is larger than the system allows\. Name another folder with --data\.\n$/)
    expect(out).not.toContain('    at ')
    expect(code).toBe(1)

    expect(await run([...args, '--once'])).toMatchObject({ code: 0 })
    const ids = await deliveredIds(dataDir, 'syslog_exact')
    expect(ids.length).toBeGreaterThan(0)
    const delivered = new Set(ids)
    expect([...model.account.shown.keys()].filter((id) => !delivered.has(id))).toEqual([])
    expect(readdirSync(join(dataDir, 'firehose'))).toEqual([])
    expect((await run(['--data', dataDir], 'local/lake.ts')).err).toBe('')
  })
})
