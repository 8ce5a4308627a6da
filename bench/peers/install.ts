import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { copyFileSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Contender, Peer } from './contender.ts'

export const installedDir = join(import.meta.dirname, '.installed')

export interface Installed {
  readonly peer: Peer
  /** Absent when it could not be had; `why` then has the reason. */
  readonly contender?: Contender
  readonly why?: string
}

/** Installs what is missing into `.installed/`, in the versions that the folders of the peers pin. */
export function installPeers(peers: readonly Peer[], say: (line: string) => void): Installed[] {
  return peers.map((peer) => {
    const source = join(import.meta.dirname, peer.name)
    const folder = join(installedDir, peer.name)
    try {
      installOnce(peer, source, folder, say)
      return { peer, contender: peer.contender(source, folder) }
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error)
      say(`${peer.name} is left out: ${why}`)
      return { peer, why }
    }
  })
}

function installOnce(peer: Peer, source: string, folder: string, say: (line: string) => void): void {
  const stamp = join(folder, 'pins')
  const digest = createHash('sha256')
  for (const pin of peer.pins) digest.update(readFileSync(join(source, pin)))
  const wanted = digest.digest('hex')
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted) return
  say(`Installing ${peer.name} ${peer.version}`)
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(folder, { recursive: true })
  peer.install(source, folder)
  // The stamp is written last, so that an installation that failed is done again.
  writeFileSync(stamp, wanted)
}

/** Makes a virtual environment with the packages of `requirements.txt`. */
export function installPython(source: string, folder: string): void {
  run(findPython(), ['-m', 'venv', join(folder, 'venv')])
  run(join(folder, 'venv/bin/pip'), [
    'install',
    '--quiet',
    '--disable-pip-version-check',
    '--requirement',
    join(source, 'requirements.txt'),
  ])
}

/** Installs the packages of `package.json` and its lock file. */
export function installNode(source: string, folder: string): void {
  for (const file of ['package.json', 'package-lock.json']) copyFileSync(join(source, file), join(folder, file))
  run('npm', ['ci', '--ignore-scripts', '--silent', '--prefix', folder])
}

/** Builds `main.go` with the modules of `go.mod`. */
export function installGo(source: string, folder: string): void {
  run('go', ['build', '-o', join(folder, 'benthos'), '.'], source)
}

const pythonNames = ['python3', 'python3.14', 'python3.13', 'python3.12', 'python3.11']

/** The first Python on PATH that is new enough for every peer. */
function findPython(): string {
  const found = pythonNames.find(
    (name) => spawnSync(name, ['-c', 'import sys, venv; sys.exit(sys.version_info < (3, 11))'], { stdio: 'ignore' }).status === 0,
  )
  if (found === undefined)
    throw new Error(
      'There is no Python 3.11 or newer with venv on PATH. Install it ("apt-get install python3-venv", or https://www.python.org).',
    )
  return found
}

/** Runs the command in `cwd`. Throws an error with the last line of what it said. */
function run(command: string, args: readonly string[], cwd?: string): void {
  const { status, error, stdout, stderr } = spawnSync(command, args, { encoding: 'utf8', cwd })
  if (status === 0) return
  const said = `${stdout ?? ''}${stderr ?? ''}`.trim().split('\n').at(-1)
  throw new Error(`"${command} ${args[0]}" failed: ${error?.message ?? said ?? `exit code ${status}`}`)
}
