import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { globSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { gunzipSync } from 'node:zlib'
import { onTestFailed, onTestFinished } from 'vitest'
import { openLake, type Row } from '../../local/lake.ts'
import type { Summary } from '../../local/report/summary.ts'

const folder = fileURLToPath(new URL('../..', import.meta.url))

/** A running `npm start -- …`. If it still runs at the end of the test, it and the processes that it started are killed. */
export interface Program {
  readonly pid: number
  readonly out: () => string
  readonly err: () => string
  /** Resolves when the text is in stdout or stderr; throws when the program ends first. */
  says(text: string | RegExp): Promise<void>
  /** Signals the program alone or, with `all`, also the processes that it has started. */
  signal(name: NodeJS.Signals, to?: 'all'): void
  /** Resolves with its exit code, or with the signal that ended it. */
  readonly ended: Promise<number | NodeJS.Signals>
}

export function start(args: readonly string[], script = 'local/main.ts', env: Readonly<Record<string, string>> = {}): Program {
  const child: ChildProcess = spawn(process.execPath, ['--import', './node-version.js', script, ...args], {
    cwd: folder,
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
    env: { PATH: process.env['PATH'], HOME: process.env['HOME'], ...env },
  })
  const pid = child.pid ?? 0
  const text = { out: '', err: '' }
  const listeners = new Set<() => void>()
  const heard = () => {
    for (const listener of listeners) listener()
  }
  // A character of several bytes may come in two chunks.
  child.stdout?.setEncoding('utf8').on('data', (chunk) => {
    text.out += chunk
    heard()
  })
  child.stderr?.setEncoding('utf8').on('data', (chunk) => {
    text.err += chunk
    heard()
  })
  const ended = once(child, 'close').then(([code, signal]: (number | NodeJS.Signals)[]) => {
    heard()
    return code ?? signal ?? 0
  })
  function signal(name: NodeJS.Signals, to?: 'all'): void {
    try {
      process.kill(to === 'all' ? -pid : pid, name)
    } catch {
      // It has ended.
    }
  }
  onTestFinished(async () => {
    signal('SIGKILL', 'all')
    await ended
  })
  onTestFailed(() => void process.stderr.write(`The output of ${script} ${args.join(' ')}:\n${text.out}\n${text.err}\n`))
  return {
    pid,
    out: () => text.out,
    err: () => text.err,
    says(wanted) {
      const isThere = () => `${text.out}${text.err}`.search(wanted) >= 0
      return new Promise((resolve, reject) => {
        const listener = () => {
          if (!isThere()) return
          listeners.delete(listener)
          resolve()
        }
        listeners.add(listener)
        listener()
        void ended.then((how) => reject(new Error(`The program ended (${how}) without saying ${wanted}:\n${text.out}\n${text.err}`)))
      })
    },
    signal,
    ended,
  }
}

/** Lists the processes that a process has started and that still run. Linux only. */
export function childrenOf(pid: number): { readonly pid: number; readonly command: string }[] {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean).map(Number)
  return children.map((child) => ({ pid: child, command: readFileSync(`/proc/${child}/cmdline`, 'utf8').replaceAll('\0', ' ') }))
}

/** Runs the program to its end. */
export async function run(args: readonly string[], script?: string): Promise<{ code: number | NodeJS.Signals; out: string; err: string }> {
  const program = start(args, script)
  const code = await program.ended
  return { code, out: program.out(), err: program.err() }
}

/** Parses the only JSON object that `--json` prints. */
export function summaryOf({ out, err }: { readonly out: string; readonly err: string }): Summary {
  try {
    return JSON.parse(out)
  } catch {
    throw new Error(`stdout is not one JSON object:\n${out}\n${err}`)
  }
}

/** Writes the files for --connectors and --secrets and returns the options that name them. */
export function ownConnectors(
  dir: string,
  items: readonly unknown[],
  secrets: Readonly<Record<string, string>>,
  allowHosts: readonly string[],
): string[] {
  const connectors = join(dir, 'connectors.json')
  const keys = join(dir, 'secrets.json')
  writeFileSync(connectors, JSON.stringify(items))
  writeFileSync(keys, JSON.stringify(secrets), { mode: 0o600 })
  return ['--connectors', connectors, '--secrets', keys, ...allowHosts.flatMap((host) => ['--allow-host', host])]
}

/** Makes a correct item, with these attributes replaced or added. */
export function connectorItem(connectorId: string, baseUrl: string, others: Readonly<Record<string, unknown>> = {}) {
  return {
    connectorId,
    type: 'trendmicro-cas',
    name: connectorId,
    tenantName: 'acme',
    baseUrl,
    apiKeySecrets: ['tributary/acme/key'],
    ...others,
  }
}

export async function lakeRows(dataDir: string, sql: string): Promise<Row[]> {
  const lake = await openLake(dataDir)
  try {
    return await lake.query(sql)
  } finally {
    lake.close()
  }
}

/** Returns the `log_item_id` of every delivered record, as often as it was delivered. */
export async function deliveredIds(dataDir: string, view: 'syslog_raw' | 'syslog_exact'): Promise<string[]> {
  const rows = await lakeRows(dataDir, `SELECT trendmicro.log_item_id AS id FROM ${view}`)
  return rows.map(({ id }) => String(id))
}

/** Reads every file of a data folder as text; a compressed file is unpacked. */
export function everyFile(dataDir: string): Map<string, string> {
  const paths = globSync('**/*', { cwd: dataDir, withFileTypes: true }).filter((entry) => entry.isFile())
  return new Map(
    paths.map(({ parentPath, name }) => {
      const bytes = readFileSync(join(parentPath, name))
      return [join(parentPath, name), (name.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString('latin1')]
    }),
  )
}
