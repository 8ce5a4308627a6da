import type { Sink } from '../../functions/domain/ports.ts'
import { ok } from '../../functions/domain/result.ts'
import type { StreamState } from '../../functions/domain/stream/stream.ts'
import { day, hour, minute, second } from '../../functions/domain/time.ts'
import type { ConnectorItem } from '../../functions/flows/item-digest.ts'
import type { StreamName } from '../../local/simulator/catalogue.ts'
import type { SimulatorOptions } from '../../local/simulator/options.ts'
import { connectorItem, start, type World } from '../../simulation/world.ts'
import type { Deployment, Process } from './deployment.ts'
import type { Release } from './release.ts'

/** The first part of the history lasts longer than the vendor keeps events. */
const longMs = 80 * hour
/** The daily re-read is due when a connector is this old. */
const secondLookMs = 25 * hour
/** A stream without its late events is read once more before the daily re-read finds them (ms). */
const lateReadMs = 5 * hour
/** More events in one millisecond than a page holds. While page ids die at once, they cannot be read. */
const crowds = [
  { at: start - 5 * minute + 123, count: 60, stream: 'box/dlp' },
  { at: start + longMs - 5 * minute + 123, count: 60, stream: 'dropbox/dlp' },
] as const
const pageIdLifeMs = 45 * second

/** A stream reaches the wanted state within a few runs. */
const runsMax = 30

/** The vendor of the history. */
export const historyVendor: SimulatorOptions = {
  eventsPerHour: 6,
  streamEventsPerHour: { 'gmail/dlp': 200 },
  bursts: [...crowds],
  pageIdLifeMs,
}

const connectorNames = [
  ...['resumed', 'behind', 'crowd-lost', 'losing', 'second-look', 'late', 'live', 'refused', 'paused', 'retired'],
  ...['pooled', 'locked-out', 'shared', 'shared-too', 'not-shared', 'forbidden', 'without-secret', 'unreachable'],
  ...['in-outage', 'throttled', 'overloaded', 'crowded', 'pending', 'in-pending-outage'],
  ...['killed', 'killed-provisional', 'killed-tail', 'killed-paced'],
] as const
const expiredKey = 'expired-key-of-the-pool'

type ConnectorName = (typeof connectorNames)[number]

const tenants: Readonly<Record<string, string>> = { 'shared-too': 'globex', 'not-shared': 'initech' }

function tenantOf(name: ConnectorName): string {
  return tenants[name] ?? 'acme'
}

function idOf(name: ConnectorName): string {
  return `${tenantOf(name)}.${name}`
}

/** The secret that the connector has unless its step says otherwise. */
function secretOf(name: ConnectorName): string {
  return `tributary/${tenantOf(name)}/${name}`
}

/**
 * A secret for each connector, and one with an expired key. The key of the shared connectors is in a secret of each of their tenants. The
 * histories of the frozen releases had the same keys under names without a tenant.
 */
const secrets: Readonly<Record<string, string>> = {
  ...Object.fromEntries(
    connectorNames.flatMap((name) => [secretOf(name), `tributary/${name}`].map((secret) => [secret, `key-of-${name}`])),
  ),
  ...Object.fromEntries(['acme', 'globex', 'initech'].map((tenant) => [`tributary/${tenant}/shared`, 'key-of-shared'])),
  'tributary/acme/expired#key': expiredKey,
  'tributary/expired#key': expiredKey,
}

/** A certificate of the right form and length, so that it is accepted. It is never used for a connection. */
const caPem = `-----BEGIN CERTIFICATE-----\nMI${'A'.repeat(62)}\n-----END CERTIFICATE-----`

/** Puts the secrets and the vendor into the state in which the history leaves them. A restored state goes on in such a world. */
export function asTheHistoryLeaves({ secrets: stored, model }: World): void {
  for (const [name, apiKey] of Object.entries(secrets)) stored.values.set(name, apiKey)
  for (const secret of [secretOf('live'), 'tributary/live']) stored.storedAt.set(secret, start - 30 * day)
  model.change({ revokedKeys: [expiredKey], forbiddenStreams: ['teams'] })
}

/** Lives through three and a half days of a deployment. Afterwards the state has every kind of item with every optional part. */
export async function liveThrough(deployment: Deployment, release: Release): Promise<void> {
  asTheHistoryLeaves(deployment.world)
  deployment.deployed = () => withoutRuns(release)
  const life = lifeOf(deployment, deployment.process(release))

  await beginLong(life)
  await life.passUntil(start + longMs - secondLookMs)
  await beginSecondLooks(life)
  await life.passUntil(start + longMs - lateReadMs)
  await life.onlyNoEvent('onedrive', () => life.collect('late'))
  await life.passUntil(start + longMs)
  await returnAfterLong(life)
  await acceptAndRemove(life)
  await useKeys(life)
  await meetTrouble(life)
  await leavePending(life)
  await dieInTheMiddle(life)
}

/** Streams that have lost events when they are read again, one for each reason of a loss. */
async function beginLong({ world, put, collect, collectUntil }: Life): Promise<void> {
  await put('resumed')
  await put('behind', { contentTypes: ['exchange'] })
  await put('crowd-lost', { contentTypes: ['box'] })
  // A busy stream with one request a minute: after a long pause, its backlog passes the retention limit faster than it is read.
  await put('losing', { contentTypes: ['gmail'], requestsPerMinute: 1 })
  for (const id of ['resumed', 'behind', 'losing'] as const) await collect(id)
  world.model.change({ pageIdLifeMs: 1 })
  await collectUntil('crowd-lost', 'box/dlp', ({ setAside }) => setAside.length > 0)
  world.model.change({ pageIdLifeMs })
  await put('resumed', { enabled: false })
}

async function beginSecondLooks({ put, collect, onlyNoEvent }: Life): Promise<void> {
  await put('second-look', { requestsPerMinute: 2 })
  await collect('second-look')
  await put('late', { contentTypes: ['onedrive'] })
  await onlyNoEvent('onedrive', () => collect('late'))
}

async function returnAfterLong({ put, collect, collectUntil }: Life): Promise<void> {
  await put('resumed')
  for (const id of ['resumed', 'behind', 'crowd-lost', 'losing'] as const) await collect(id)
  await collectUntil('second-look', 'sharepoint/dlp', ({ range }) => range?.kind === 'reread')
  await collectUntil('late', 'onedrive/dlp', ({ counts }) => counts.late > 0)
}

async function acceptAndRemove({ put, collect, remove }: Life): Promise<void> {
  await put('live', {
    eventTypes: ['dlp', 'securityrisk'],
    initialBackfillMinutes: 600,
    tlsCaPem: caPem,
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
}

async function useKeys({ put, collect }: Life): Promise<void> {
  await put('pooled', { apiKeySecrets: [secretOf('pooled'), 'tributary/acme/expired#key'], eventTypes: ['dlp', 'securityrisk'] })
  await collect('pooled')
  await put('locked-out', { apiKeySecrets: ['tributary/acme/expired#key'] })
  await collect('locked-out')

  const shared = { sharedKey: true, rateGroup: 'group', requestsPerDay: 5_000 }
  await put('shared', shared)
  await put('shared-too', { ...shared, apiKeySecrets: ['tributary/globex/shared'], tenantName: 'Globex' })
  await put('not-shared', { apiKeySecrets: ['tributary/initech/shared'], tenantName: 'Initech' })
  for (const id of ['shared', 'shared-too'] as const) await collect(id)
}

async function meetTrouble({ world, process, put, collect, collectUntil, overloaded }: Life): Promise<void> {
  await put('forbidden', { contentTypes: ['sharepoint', 'teams'] })
  for (let i = 0; i < 2; i++) await collect('forbidden')
  await put('without-secret', { apiKeySecrets: ['tributary/acme/none'] })
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
  await put('overloaded')
  await overloaded(() => collect('overloaded'))

  await put('throttled')
  world.model.change({ otherRequestsPerMinute: 60_000, retryAfter: 'seconds' })
  for (let i = 0; i < 8; i++) await collect('throttled')
  world.model.change({ otherRequestsPerMinute: 0, retryAfter: 'none' })

  world.model.change({ pageIdLifeMs: 1 })
  await put('crowded', { contentTypes: ['dropbox'], initialBackfillMinutes: 180 })
  await collectUntil('crowded', 'dropbox/dlp', ({ setAside }) => setAside.length > 0)
  world.model.change({ pageIdLifeMs })
}

/** The bus refuses everything, so changes of state and an outage stay pending. */
async function leavePending({ world, put, collect }: Life): Promise<void> {
  world.bus.refuses = true
  await put('pending')
  await collect('pending')
  world.secrets.values.delete(secretOf('pending'))
  await collect('pending')
  world.secrets.values.set(secretOf('pending'), secrets[secretOf('pending')]!)
  await collect('pending')
  await put('pending', { intervalMinutes: 0 })
  await put('in-pending-outage', { baseUrl: 'https://api-eu.tmcas.trendmicro.com' })
  world.model.change({ errorRate5xx: 1 })
  for (let i = 0; i < 3; i++) await collect('in-pending-outage')
  world.model.change({ errorRate5xx: 0 })
  world.bus.refuses = false
}

/** Each run leaves a half-read range of another kind, and the last run a stream with a dead link. */
async function dieInTheMiddle({ world, put, collectKilled, collectKilledAsking }: Life): Promise<void> {
  const busy = { contentTypes: ['gmail'] }
  await put('killed', { ...busy, initialBackfillMinutes: 120 })
  await collectKilled('killed', 5)
  await put('killed-provisional', { ...busy, initialBackfillMinutes: 120 })
  await collectKilled('killed-provisional', 2)
  await put('killed-tail', busy)
  await collectKilled('killed-tail', 2)
  world.model.change({ pageIdLifeMs: 1 })
  await put('killed-paced', { ...busy, initialBackfillMinutes: 120 })
  await collectKilledAsking('killed-paced', 3)
  world.model.change({ pageIdLifeMs })
}

/** The same release, but no connector runs by itself when it is accepted or due. */
export function withoutRuns(release: Release): Release {
  return { ...release, functions: { ...release.functions, collectConnector: async () => {} } }
}

type Life = ReturnType<typeof lifeOf>

/** The steps that a history is made of. */
function lifeOf(deployment: Deployment, process: Process) {
  const { world } = deployment
  let eventless: string | undefined
  let isOverloaded = false
  let requestsLeft = Number.POSITIVE_INFINITY
  world.vendorResponds((asked) => {
    requestsLeft -= 1
    if (requestsLeft === 0) throw new Killed('The process was killed')
    if (isOverloaded) return { status: 503, headers: { 'retry-after': '120' } }
    return asked.get('service') === eventless ? { status: 200, body: { security_events: [null] } } : undefined
  })

  /** Runs a connector, two minutes after the step before. */
  async function collect(name: ConnectorName): Promise<void> {
    await deployment.run(2 * minute)
    await deployment.finish(process.collect(idOf(name)))
  }

  return {
    world,
    process,
    collect,
    passUntil: (at: number) => deployment.run(at - deployment.clock.now()),
    put(name: ConnectorName, more: ConnectorItem = {}) {
      const item = connectorItem({ connectorId: idOf(name), name, apiKeySecrets: [secretOf(name)], ...more })
      return deployment.finish(process.accept(item))
    },
    remove: (name: ConnectorName) => deployment.finish(process.retire(idOf(name))),
    async collectUntil(name: ConnectorName, streamName: StreamName, condition: (stream: StreamState) => boolean) {
      for (let run = 0; run < runsMax; run++) {
        await collect(name)
        const stream = (await process.state.readRun(idOf(name))).streams.get(streamName)
        if (stream !== undefined && condition(stream)) return
      }
      throw new Error(`${name} has not reached the wanted state after ${runsMax} runs`)
    },
    /** Runs a connector, and kills the run at its `nth` delivery. */
    async collectKilled(name: ConnectorName, nth: number) {
      await deployment.finish(process.collect(idOf(name), killedAt(nth, world.lake)).catch(expectKilled))
    },
    /** Runs a connector, and kills the run at its `nth` request. */
    async collectKilledAsking(name: ConnectorName, nth: number) {
      requestsLeft = nth
      await deployment.finish(process.collect(idOf(name)).catch(expectKilled))
    },
    /** The vendor shows a malformed item in place of the events of a service, so these events come late. */
    async onlyNoEvent(service: string, work: () => Promise<void>) {
      eventless = service
      await work()
      eventless = undefined
    },
    /** The vendor responds with 503 and a Retry-After. */
    async overloaded(work: () => Promise<void>) {
      isOverloaded = true
      await work()
      isOverloaded = false
    },
  }
}

class Killed extends Error {}

/** Delivers to the lake, but kills the process before its `nth` delivery. */
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

/** Delivers to the lake, and freezes the process for `forMs` after its `nth` delivery. */
export function freezingAt(nth: number, forMs: number, { world }: Deployment): { readonly sink: Sink; readonly isFrozen: () => boolean } {
  let deliveries = 0
  const sink: Sink = {
    async deliver(records) {
      const delivered = await world.lake.deliver(records)
      deliveries += 1
      if (deliveries === nth) await world.clock.sleepUntil(world.clock.now() + forMs)
      return delivered
    },
  }
  return { sink, isFrozen: () => deliveries === nth }
}

export function expectKilled(error: unknown): void {
  if (!(error instanceof Killed)) throw error
}
