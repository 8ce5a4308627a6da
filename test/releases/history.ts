import type { Sink } from '../../functions/domain/ports.ts'
import { ok } from '../../functions/domain/result.ts'
import type { StreamState } from '../../functions/domain/stream/stream.ts'
import { hour, minute, second } from '../../functions/domain/time.ts'
import type { ConnectorItem } from '../../functions/flows/accept-connector.ts'
import type { StreamName } from '../../local/simulator/catalogue.ts'
import type { SimulatorOptions } from '../../local/simulator/options.ts'
import { connectorItem, start } from '../../simulation/world.ts'
import type { Deployment, Process } from './deployment.ts'
import type { Release } from './release.ts'

/** As long as the first part of the history lasts: beyond the vendor's horizon. */
const longMs = 80 * hour
/** More on one millisecond than a page holds, while page ids die at once. */
const crowds = [
  { at: start - 5 * minute + 123, count: 60, stream: 'box/dlp' },
  { at: start + longMs - 5 * minute + 123, count: 60, stream: 'dropbox/dlp' },
] as const

const runsMax = 30

/** The vendor of the history. */
export const historyVendor: SimulatorOptions = {
  eventsPerHour: 6,
  streamEventsPerHour: { 'gmail/dlp': 200 },
  bursts: [...crowds],
  pageIdLifeMs: 45 * second,
}

const connectorIds = [
  ...[
    'resumed',
    'behind',
    'crowd-lost',
    'second-look',
    'live',
    'refused',
    'paused',
    'retired',
    'pooled',
    'locked-out',
    'shared',
    'shared-too',
  ],
  ...['not-shared', 'forbidden', 'without-secret', 'unreachable', 'in-outage', 'throttled', 'crowded', 'killed'],
] as const
const expiredKey = 'expired-key-of-the-pool'

/** Of each connector one, named like it, and one that has expired. */
export const historySecrets: Readonly<Record<string, string>> = {
  ...Object.fromEntries(connectorIds.map((id) => [secretOf(id), `key-of-${id}`])),
  'tributary/expired#key': expiredKey,
}

type ConnectorId = (typeof connectorIds)[number]

function secretOf(connectorId: ConnectorId): string {
  return `tributary/${connectorId}`
}

/** Three days and a half in the life of a deployment, after which its state holds every kind of item with all that it may hold. */
export async function liveThrough(deployment: Deployment, release: Release): Promise<void> {
  const { world } = deployment
  const process = deployment.process(release)
  const { put, collect, collectUntil, remove } = operations(deployment, process)
  for (const [name, apiKey] of Object.entries(historySecrets)) world.secrets.values.set(name, apiKey)
  deployment.deployed = () => withoutRuns(release)

  await put('resumed')
  await put('behind', { contentTypes: ['exchange'] })
  await put('crowd-lost', { contentTypes: ['box'] })
  for (const id of ['resumed', 'behind'] as const) await collect(id)
  world.model.change({ pageIdLifeMs: 1 })
  await collectUntil('crowd-lost', 'box/dlp', ({ setAside }) => setAside.length > 0)
  world.model.change({ pageIdLifeMs: 45 * second })
  await put('resumed', { enabled: false })

  await deployment.run(start + longMs - 25 * hour - deployment.clock.now())
  await put('second-look', { requestsPerMinute: 2 })
  await collect('second-look')

  await deployment.run(start + longMs - deployment.clock.now())
  await put('resumed')
  for (const id of ['resumed', 'behind', 'crowd-lost'] as const) await collect(id)
  await collectUntil('second-look', 'sharepoint/dlp', ({ range }) => range?.kind === 'reread')

  await put('live', {
    eventTypes: ['dlp', 'securityrisk'],
    initialBackfillMinutes: 600,
    logFilters: [
      { name: 'quarantined', conditions: [{ field: 'action', operator: 'equals', values: ['Quarantine'] }] },
      { name: 'watched', action: 'include', shadow: true, conditions: [{ field: 'user', operator: 'exists' }] },
    ],
  })
  await collect('live')
  await put('live', { eventTypes: ['dlp', 'none'] })
  await put('refused', { baseUrl: 'https://elsewhere.example' })
  await put('paused')
  await put('paused', { enabled: false })
  await put('retired')
  await collect('retired')
  await remove('retired')

  await put('pooled', { apiKeySecrets: ['tributary/pooled', 'tributary/expired#key'], eventTypes: ['dlp', 'securityrisk'] })
  world.model.change({ revokedKeys: [expiredKey] })
  await collect('pooled')
  await put('locked-out', { apiKeySecrets: ['tributary/expired#key'] })
  await collect('locked-out')

  const shared = { apiKeySecrets: ['tributary/shared'], sharedKey: true, rateGroup: 'group', requestsPerDay: 5_000 }
  await put('shared', shared)
  await put('shared-too', { ...shared, tenantName: 'Globex' })
  await put('not-shared', { apiKeySecrets: ['tributary/shared'], tenantName: 'Initech' })
  for (const id of ['shared', 'shared-too'] as const) await collect(id)

  world.model.change({ forbiddenStreams: ['teams'] })
  await put('forbidden', { contentTypes: ['sharepoint', 'teams'] })
  for (let i = 0; i < 2; i++) await collect('forbidden')
  await put('without-secret', { apiKeySecrets: ['tributary/none'] })
  await collect('without-secret')
  await put('unreachable')
  world.model.change({ redirectRate: 1 })
  await collect('unreachable')
  world.model.change({ redirectRate: 0 })
  await put('in-outage')
  world.model.change({ errorRate5xx: 1 })
  for (let i = 0; i < 5; i++) await collect('in-outage')
  await process.measure()
  world.model.change({ errorRate5xx: 0 })

  await put('throttled')
  world.model.change({ otherRequestsPerMinute: 60_000, retryAfter: 'seconds' })
  for (let i = 0; i < 8; i++) await collect('throttled')
  world.model.change({ otherRequestsPerMinute: 0, retryAfter: 'none' })

  world.model.change({ pageIdLifeMs: 1 })
  await put('crowded', { contentTypes: ['dropbox'], initialBackfillMinutes: 180 })
  await collectUntil('crowded', 'dropbox/dlp', ({ setAside }) => setAside.length > 0)
  world.model.change({ pageIdLifeMs: 45 * second })

  await put('killed', { contentTypes: ['gmail'], initialBackfillMinutes: 120 })
  await deployment.finish(process.collect('killed', killedAt(5, world.lake)).catch((error: unknown) => expectKilled(error)))
}

/** The release, but what is due or accepted does not run by itself. */
export function withoutRuns(release: Release): Release {
  return { ...release, functions: { ...release.functions, collectConnector: async () => {} } }
}

function operations(deployment: Deployment, process: Process) {
  /** A run, two minutes after what was before. */
  async function collect(connectorId: ConnectorId): Promise<void> {
    await deployment.run(2 * minute)
    await deployment.finish(process.collect(connectorId))
  }

  return {
    collect,
    put(connectorId: ConnectorId, more: ConnectorItem = {}) {
      const item = connectorItem({ connectorId, name: connectorId, apiKeySecrets: [secretOf(connectorId)], ...more })
      return deployment.finish(process.accept(item))
    },
    async collectUntil(connectorId: ConnectorId, name: StreamName, isSo: (stream: StreamState) => boolean) {
      for (let run = 0; run < runsMax; run++) {
        await collect(connectorId)
        const stream = (await process.state.readRun(connectorId)).streams.get(name)
        if (stream !== undefined && isSo(stream)) return
      }
      throw new Error(`${connectorId} is not what it should be after ${runsMax} runs`)
    },
    remove: (connectorId: ConnectorId) => deployment.finish(process.retire(connectorId)),
  }
}

class Killed extends Error {}

/** Delivers, but the process is killed when it is about to deliver for the `nth` time. */
export function killedAt(nth: number, lake: Sink): Sink {
  let deliveries = 0
  return {
    async deliver(records) {
      deliveries += 1
      if (deliveries === nth) throw new Killed('The process was killed')
      await lake.deliver(records)
      return ok(undefined)
    },
  }
}

export function expectKilled(error: unknown): void {
  if (!(error instanceof Killed)) throw error
}
