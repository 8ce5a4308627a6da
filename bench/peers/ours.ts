import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { minute } from '../../functions/domain/time.ts'
import type { Command, Contender, Job } from './contender.ts'

const secret = 'tributary/acme/bench'
const root = new URL('../../', import.meta.url).pathname

/** The whole local program, as `npm start` runs it, with the defaults of a connector but for its interval. */
export const ours: Contender = {
  name: 'Tributary',
  eventId: /"event_id":"([0-9a-f-]{36})"/,
  prepare(folder, job) {
    writeFileSync(join(folder, 'connectors.json'), JSON.stringify([itemOf(job)]))
    writeFileSync(join(folder, 'secrets.json'), JSON.stringify({ [secret]: job.key }), { mode: 0o600 })
  },
  collect: (folder, job) => start(folder, job, '--once'),
  stay: (folder, job) => start(folder, job),
  outputOf: (folder) => join(folder, 'data', 'lake'),
}

function itemOf({ url, streams, since, requestsPerMinute }: Job): Readonly<Record<string, unknown>> {
  const parts = streams.map((stream) => stream.split('/'))
  return {
    connectorId: 'acme.bench',
    type: 'trendmicro-cas',
    name: 'acme-bench',
    tenantName: 'bench',
    baseUrl: url,
    apiKeySecrets: [secret],
    contentTypes: [...new Set(parts.map(([service]) => service))],
    eventTypes: [...new Set(parts.map(([, event]) => event))],
    intervalMinutes: 1,
    requestsPerMinute: requestsPerMinute === 0 ? 6_000 : requestsPerMinute,
    initialBackfillMinutes: Math.max(1, Math.ceil((Date.now() - since) / minute)),
  }
}

function start(folder: string, { url }: Job, ...more: readonly string[]): Command {
  const files = ['--connectors', join(folder, 'connectors.json'), '--secrets', join(folder, 'secrets.json'), '--data', join(folder, 'data')]
  return {
    command: process.execPath,
    args: [join(root, 'local/main.ts'), '--json', ...files, '--allow-host', new URL(url).host, ...more],
  }
}
