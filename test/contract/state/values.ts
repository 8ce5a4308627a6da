import type { HeldKeys, KeyClaim } from '../../../functions/domain/connector/key-register.ts'
import { failure } from '../../../functions/domain/failures.ts'
import type { AcceptedConnector, KeyUser } from '../../../functions/domain/ports.ts'
import { type ConnectorStatus, newStatus } from '../../../functions/domain/status/status.ts'
import { newStream } from '../../../functions/domain/stream/ledger.ts'
import type { SeenPage } from '../../../functions/domain/stream/seen-ids.ts'
import type { Interval, StreamState } from '../../../functions/domain/stream/stream.ts'
import { day, hour, type Instant, minute } from '../../../functions/domain/time.ts'
import { newBucket, type TokenBucket } from '../../../functions/domain/token-bucket.ts'

/** Values of every kind that the state table holds. `full…` has every optional attribute. */

/** The time at the beginning of each test. */
export const start: Instant = Date.UTC(2026, 10, 24, 12)

export async function list<T>(items: AsyncIterable<T>): Promise<T[]> {
  const listed: T[] = []
  for await (const item of items) listed.push(item)
  return listed
}

export function accepted(connectorId: string): AcceptedConnector {
  return {
    connector: {
      connectorId,
      type: 'some-vendor',
      name: 'tenant-type',
      tenantName: 'tenant',
      baseUrl: 'https://api.example.com',
      apiKeySecrets: [{ secretName: 'tributary/a' }, { secretName: 'tributary/b', jsonKey: 'key' }],
      contentTypes: ['files'],
      eventTypes: ['malware'],
      logFilters: [],
      disableTlsVerification: false,
      tlsCaPem: '-----BEGIN CERTIFICATE-----',
      enabled: true,
      intervalMinutes: 5,
      requestsPerMinute: 20,
      requestsPerDay: 14_400,
      rateGroup: 'group',
      initialBackfillMinutes: 10,
      lateArrivalMinutes: 10,
      sharedKey: false,
      sharedWith: ['other'],
      identityIgnoredFields: [],
    },
    itemDigest: 'digest',
    acceptedAt: start,
    streamsSince: { 'x/1': start - hour, 'x/2': start },
    lastPause: { from: start - hour },
  }
}

export const status: ConnectorStatus = newStatus(start, 'tenant')

export const fullStatus: Required<ConnectorStatus> = {
  cause: 'vendor-error',
  pendingChanges: [
    { from: 'ok', to: 'failing', reason: 'It answers 500.', since: start, cause: 'vendor-error' },
    { from: 'failing', to: 'ok', reason: '', since: start + 1, causeBefore: 'vendor-error' },
  ],
  acceptedAt: start - 1,
  vendor: 'trendmicro-cas',
  origin: 'https://api.example.com',
  streamsBehind: 2,
  test: { progress: '3 of 7', until: start },
  activity: [
    { from: start - hour, requests: 4, delivered: 0 },
    { from: start, requests: 8, delivered: 1_204 },
  ],
  catchUp: { since: start - hour, lagMs: hour },
  emptyReads: { 'x/2': { version: 12, reads: 3, at: start, to: start - 1, provenTo: start - minute } },
  lostRanges: 1,
  lastLost: { from: start - day, to: start - hour },
  acknowledged: { at: start, note: 'known', lostRanges: 1, says: 'Jane' },
  oldestKeyAt: start - day,
  keysStoredAt: { fingerprint: start - day },
  nextTryAt: start + minute,
  ...status,
  tenantName: 'tenant',
  keys: ['fingerprint'],
  vendorClockMs: -400,
  state: 'failing',
  reason: '',
  lastRunAt: start,
  lastSuccessAt: start - minute,
  lagMs: 12,
  retentionLeftMs: -3,
  lastFailure: {
    ...failure('vendor-error', 'The vendor responded with status 500', { status: 500, traceId: 't' }),
    at: start,
    stream: 'x/1',
  },
  trouble: {
    failure: failure('throttled', 'The vendor responded with status 429', { retryAfterMs: 1_000 }),
    attempts: 2,
    until: start + minute,
  },
  rejectedKeys: { fingerprint: { at: start, until: start + hour, attempts: 1 } },
  problems: [{ path: 'logFilters[0].operator', message: 'unknown' }],
  days: { '2026-11-24': { delivered: 1, filtered: 2, requests: 3, throttled: 4 } },
  readSteps: 7,
}

export function stream(version: number): StreamState {
  return { ...newStream(start - hour, start), version }
}

export function fullStream(version: number): StreamState {
  return {
    ...stream(version),
    lease: { holder: 'process:1', until: start + minute },
    covered: [
      { from: 1, to: 2 },
      { from: 3, to: 4 },
    ],
    lostRanges: [{ from: 2, to: 3, reason: 'paused' }],
    range: {
      kind: 'final',
      from: 4,
      to: 9,
      readSince: start,
      nextLink: 'https://api.example.com/?page_id=1',
      page: 3,
      items: 1_200,
      key: 'k',
    },
    pagesTarget: 3.5 / 3,
    paced: true,
    setAside: [{ from: 5, to: 6, until: start + hour }],
    reread: { from: 1, to: 2 },
    seenClasses: { '9': start, '13': start - day },
    trouble: { failure: failure('vendor-error', ''), attempts: 1, until: start, since: start - 1 },
    lastReadAt: start,
    counts: { ...stream(version).counts, byFilter: { 'no test files': 3 } },
  }
}

export function id(number: number): SeenPage['ids'][number] {
  return { hash: number.toString().padStart(16, '0'), mark: 'delivered' }
}

export function page(range: Interval, version: number): SeenPage {
  return { range, version, ids: [id(1)], expiresAt: start + 4 * day }
}

export function bucket(version: number): TokenBucket {
  return {
    ...newBucket({ limit: 20 }),
    version,
    refusedLevel: 12,
    tokens: [
      { at: start + 9, by: 'p:q:12', released: true },
      { at: start + 2, by: 'p:q:13', released: false },
      { at: start + 5, by: 'none', released: false },
      { at: start + 5, by: 'p:007', released: true },
    ],
    hours: { '498000': 12 },
  }
}

export function user(connectorId: string, at: Instant = start): KeyUser {
  return {
    connectorId,
    tenantName: `tenant of ${connectorId}`,
    sharedKey: false,
    requestsPerMinute: 20,
    until: at + 2 * day,
    acceptedAt: at,
  }
}

export function claim(connectorId: string): KeyClaim {
  return { connectorId, tenant: 'acme', sharedWith: [], sharedKey: false, acceptedAt: start }
}

export const heldKeys: HeldKeys = {
  revision: 1,
  acceptedAt: start,
  keys: [
    { reference: 'tributary/a', fingerprint: 'f1' },
    { reference: 'tributary/b#key', fingerprint: 'f2' },
  ],
  group: 'GROUP:1',
  leaving: ['f0'],
}
