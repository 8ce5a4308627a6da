import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { iso } from '../../functions/domain/time.ts'
import type { Job, Peer } from './contender.ts'
import { installGo, installNode, installPython } from './install.ts'
import { airbyteState, farosState, singerState } from './state-messages.ts'

const eventId = /"log_item_id": ?"([0-9a-f-]{36})"/
const generation = 'the generation time of the last page (`last_log_item_generation_time`)'
const waits = '10 tries, a minute apart'

function prepare(folder: string, { since, ...job }: Job): void {
  writeFileSync(join(folder, 'config.json'), JSON.stringify({ ...job, since: iso(since) }))
}

const outputOf = (folder: string) => join(folder, 'out')

/** A peer in Python, with `connector.py`. */
function pythonCommand(source: string, installed: string, folder: string, env: Readonly<Record<string, string>> = {}) {
  return { command: join(installed, 'venv/bin/python'), args: [join(source, 'connector.py'), folder], env }
}

function keep(folder: string, state: unknown): void {
  if (state !== undefined) writeFileSync(join(folder, 'state.json'), JSON.stringify(state))
}

export const peers: readonly Peer[] = [
  {
    name: 'dlt',
    version: '1.31.0',
    retries: `its client of requests: ${waits}`,
    limiter: 'it has none',
    cursor: `${generation}, stored with the load`,
    writes: 'the item and two fields of the load, as JSON lines; compression is off',
    pins: ['requirements.txt'],
    install: installPython,
    contender: (source, installed) => ({
      name: 'dlt',
      eventId,
      prepare,
      collect: (folder) =>
        pythonCommand(source, installed, folder, {
          RUNTIME__DLTHUB_TELEMETRY: 'false',
          NORMALIZE__DATA_WRITER__DISABLE_COMPRESSION: 'true',
        }),
      outputOf,
    }),
  },
  {
    name: 'airbyte-cdk',
    version: '7.39.1',
    retries: 'its error handler: on 429 a minute apart without end, else 5 tries',
    limiter: 'its `HttpAPIBudget`: 20 in any minute, kept in memory for one run',
    cursor: `${generation}, each 500 items`,
    writes: 'a RECORD message with the item, to stdout',
    pins: ['requirements.txt'],
    install: installPython,
    contender: (source, installed) => ({
      name: 'airbyte-cdk',
      eventId,
      prepare,
      collect: (folder) => pythonCommand(source, installed, folder),
      outputOf,
      keepState(folder, file) {
        const stored = join(folder, 'state.json')
        const before = existsSync(stored) ? JSON.parse(readFileSync(stored, 'utf8')) : []
        const state = airbyteState(before, readFileSync(file, 'utf8'))
        if (state.length > 0) keep(folder, state)
      },
    }),
  },
  {
    name: 'singer-sdk',
    version: '0.54.9',
    retries: `its backoff: ${waits}`,
    limiter: 'it has none',
    cursor: `${generation}, each 10,000 items (its own setting)`,
    writes: 'a RECORD message with the item, to stdout, with its faster writer (msgspec)',
    pins: ['requirements.txt'],
    install: installPython,
    contender: (source, installed) => ({
      name: 'singer-sdk',
      eventId,
      prepare,
      collect: (folder) => pythonCommand(source, installed, folder),
      outputOf,
      keepState: (folder, file) => keep(folder, singerState(readFileSync(file, 'utf8'))),
    }),
  },
  {
    name: 'faros-airbyte-cdk',
    version: '0.23.19',
    retries: `written in the connector, as it has no HTTP client: ${waits}`,
    limiter: 'it has none',
    cursor: `${generation}, each 500 items`,
    writes: 'a RECORD message with the item, to stdout',
    pins: ['package.json', 'package-lock.json'],
    install: installNode,
    contender: (source, installed) => ({
      name: 'faros-airbyte-cdk',
      eventId,
      prepare,
      collect: (folder) => ({
        command: process.execPath,
        args: [join(source, 'connector.cjs'), folder],
        env: { NODE_PATH: join(installed, 'node_modules') },
      }),
      outputOf,
      keepState: (folder, file) => keep(folder, farosState(readFileSync(file, 'utf8'))),
    }),
  },
  {
    name: 'benthos',
    version: '4.60.0',
    retries: `written in its input plugin: ${waits}`,
    limiter: 'its `rate_limit` resource `local`: 20 in a minute of its own, kept in memory',
    cursor: `${generation}, each page, in its \`file\` cache`,
    writes: 'the item as it came, as JSON lines; a page at a time',
    pins: ['go.mod', 'go.sum', 'main.go'],
    install: installGo,
    contender(source, installed) {
      const run = (job: Job, isOnce: boolean) => ({
        command: join(installed, 'benthos'),
        args: ['run', join(source, 'pipeline.yaml')],
        env: pipelineVariables(job, isOnce),
      })
      return {
        name: 'benthos',
        eventId,
        prepare: (folder) => ['state', 'out'].forEach((name) => void mkdirSync(join(folder, name))),
        collect: (_folder, job) => run(job, true),
        stay: (_folder, job) => run(job, false),
        outputOf,
      }
    },
  },
]

/** The variables of `pipeline.yaml`. */
function pipelineVariables({ url, key, streams, since, requestsPerMinute }: Job, isOnce: boolean): Readonly<Record<string, string>> {
  return {
    VENDOR: url,
    KEY: key,
    STREAMS: JSON.stringify(streams),
    SINCE: iso(since),
    ONCE: String(isOnce),
    // More than it can send means no limit.
    REQUESTS_PER_MINUTE: String(requestsPerMinute === 0 ? 1e9 : requestsPerMinute),
    RUN: String(Date.now()),
  }
}
