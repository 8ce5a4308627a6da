import { isDeepStrictEqual } from 'node:util'
import { retiredKeptMs } from '../../functions/adapters/state-table/accepted.ts'
import { shardOf, shards } from '../../functions/adapters/state-table/item-keys.ts'
import type { StateTable } from '../../functions/adapters/state-table/state-table.ts'
import type { AcceptedConnector, Clock, Due, KeyUser, RunState, StatusUpdate } from '../../functions/domain/ports.ts'
import type { Outage } from '../../functions/domain/status/outage.ts'
import type { ConnectorStatus } from '../../functions/domain/status/status.ts'
import {
  type SeenContent,
  type SeenHash,
  type SeenMark,
  type SeenPage,
  seenClass,
  seenClassWidth,
} from '../../functions/domain/stream/seen-ids.ts'
import type { Interval, StreamId, StreamState } from '../../functions/domain/stream/stream.ts'
import type { Instant } from '../../functions/domain/time.ts'
import type { TokenBucket } from '../../functions/domain/token-bucket.ts'

/** A value, and the instant from which it counts as absent. */
interface Kept<T> {
  readonly value: T
  readonly expiresAt?: Instant | undefined
}

/**
 * The state table in memory. The contract tests check that it behaves as the adapter does. A written value is deeply frozen and returned
 * as it is, so no caller can change the state by reference, and nothing is copied.
 */
export class MemoryState implements StateTable {
  readonly #clock: Pick<Clock, 'now'>
  readonly #accepted = new Map<string, Kept<AcceptedConnector>>()
  readonly #due = new Map<string, Due>()
  readonly #status = new Map<string, Kept<ConnectorStatus>>()
  /** By connector, then by stream. */
  readonly #streams = new Map<string, Map<StreamId, Kept<StreamState>>>()
  /** By connector, stream and class, in the order of their keys. */
  readonly #seen = new Map<string, SeenPage[]>()
  readonly #outages = new Map<string, Outage>()
  readonly #keys: {
    readonly buckets: Map<string, TokenBucket>
    /** By bucket, then by connector. */
    readonly users: Map<string, Map<string, KeyUser>>
    fingerprintKey?: string
  } = { buckets: new Map(), users: new Map() }

  constructor(clock: Pick<Clock, 'now'>) {
    this.#clock = clock
  }

  async readRun(connectorId: string): Promise<RunState> {
    const accepted = this.#live(this.#accepted.get(connectorId))
    const due = this.#due.get(connectorId)
    const status = this.#live(this.#status.get(connectorId))
    const streams = new Map<StreamId, StreamState>()
    for (const [id, kept] of sorted(this.#streamsOf(connectorId))) {
      const stream = this.#live(kept)
      if (stream !== undefined) streams.set(id, stream)
    }
    return {
      ...(accepted === undefined ? {} : { accepted }),
      ...(due === undefined ? {} : { due }),
      ...(status === undefined ? {} : { status }),
      streams,
    }
  }

  async readAccepted(connectorId: string): Promise<AcceptedConnector | undefined> {
    return this.#live(this.#accepted.get(connectorId))
  }

  async *allAccepted(): AsyncIterable<AcceptedConnector> {
    for (const [, accepted] of this.#byShard(this.#accepted)) yield accepted
  }

  async writeAccepted(accepted: AcceptedConnector, before: AcceptedConnector | undefined): Promise<boolean> {
    const { connectorId } = accepted.connector
    const stored = this.#live(this.#accepted.get(connectorId))
    const same =
      stored?.itemDigest === before?.itemDigest && stored?.acceptedAt === before?.acceptedAt && stored?.retiredAt === before?.retiredAt
    if (!same) return false
    const expiresAt = accepted.retiredAt === undefined ? undefined : inSeconds(accepted.retiredAt + retiredKeptMs)
    this.#accepted.set(connectorId, { value: frozen(accepted), expiresAt })
    const streams = this.#streamsOf(connectorId)
    for (const [id, kept] of streams) {
      const stream = this.#live(kept)
      if (stream === undefined) continue
      if (expiresAt !== undefined) streams.set(id, { value: frozen({ ...stream, version: stream.version + 1 }), expiresAt })
      else if (before?.retiredAt !== undefined) streams.set(id, { value: stream })
    }
    return true
  }

  async *dueBefore(until: Instant): AsyncIterable<{ readonly connectorId: string; readonly nextDueAt: Instant }> {
    const due = [...this.#due].filter(([, { nextDueAt }]) => nextDueAt < until)
    due.sort(([a, { nextDueAt: dueA }], [b, { nextDueAt: dueB }]) => shardOf(a) - shardOf(b) || dueA - dueB || compare(a, b))
    for (const [connectorId, { nextDueAt }] of due) yield { connectorId, nextDueAt }
  }

  async claimDue(connectorId: string, seen: Instant, next: Instant): Promise<boolean> {
    const stored = this.#due.get(connectorId)
    if (stored?.nextDueAt !== seen) return false
    this.#due.set(connectorId, frozen({ ...stored, nextDueAt: next }))
    return true
  }

  async setDue(connectorId: string, seen: Instant | undefined, next: Instant): Promise<boolean> {
    const stored = this.#due.get(connectorId)
    const asItWas = stored?.nextDueAt === seen
    const later = stored !== undefined && stored.nextDueAt > next
    if (!asItWas && !later) return false
    this.#due.set(connectorId, frozen({ nextDueAt: next, wantedTo: stored?.wantedTo ?? 0 }))
    return true
  }

  async makeDue(connectorId: string, at: Instant, wantedTo: Instant): Promise<void> {
    this.#due.set(connectorId, frozen({ nextDueAt: at, wantedTo }))
  }

  async removeDue(connectorId: string): Promise<void> {
    this.#due.delete(connectorId)
  }

  async readStatus(connectorId: string): Promise<ConnectorStatus | undefined> {
    return this.#live(this.#status.get(connectorId))
  }

  async updateStatus(
    connectorId: string,
    update: (before: ConnectorStatus | undefined) => ConnectorStatus | undefined,
  ): Promise<StatusUpdate | undefined> {
    const before = this.#live(this.#status.get(connectorId))
    const status = update(before)
    if (status === undefined) return undefined
    const updated = { after: status, ...(before === undefined ? {} : { before }) }
    if (isDeepStrictEqual(status, before)) return updated
    const expiresAt = status.state === 'retired' ? inSeconds(status.since + retiredKeptMs) : undefined
    this.#status.set(connectorId, { value: frozen(status), expiresAt })
    return updated
  }

  async *fleet(): AsyncIterable<{ readonly connectorId: string; readonly status: ConnectorStatus }> {
    for (const [connectorId, status] of this.#byShard(this.#status)) yield { connectorId, status }
  }

  async beginOutage(outage: Outage): Promise<boolean> {
    if (this.#outages.has(originOf(outage))) return false
    this.#outages.set(originOf(outage), outage)
    return true
  }

  async outages(): Promise<readonly Outage[]> {
    return [...sorted(this.#outages)].map(([, outage]) => outage)
  }

  async outageSent(outage: Outage): Promise<void> {
    const open = this.#outages.get(originOf(outage))
    if (open?.since === outage.since) this.#outages.set(originOf(outage), { ...open, sent: true })
  }

  async endOutage(outage: Outage): Promise<void> {
    this.#outages.delete(originOf(outage))
  }

  async writeStream(connectorId: string, stream: StreamId, next: StreamState): Promise<boolean> {
    const streams = this.#streamsOf(connectorId)
    if ((this.#live(streams.get(stream))?.version ?? 0) !== next.version - 1) return false
    streams.set(stream, { value: frozen(next) })
    return true
  }

  async readSeen(
    connectorId: string,
    stream: StreamId,
    range: Interval,
    classes: readonly number[],
    into: (hash: SeenHash, mark: SeenMark, content?: SeenContent) => void,
  ): Promise<void> {
    for (const k of classes) {
      const pages = this.#seenOf(connectorId, stream, k)
      for (const page of pages.slice(firstFrom(pages, range.from - seenClassWidth(k) + 1))) {
        if (page.range.from >= range.to) break
        if (page.range.to <= range.from || this.#hasExpired(inSeconds(page.expiresAt))) continue
        for (const { hash, mark, content } of page.ids) into(hash, mark, content)
      }
    }
  }

  async writeSeen(connectorId: string, stream: StreamId, page: SeenPage): Promise<void> {
    if (page.ids.length === 0) return
    const pages = this.#seenOf(connectorId, stream, seenClass(page.range))
    const firstKept = pages.findIndex(({ expiresAt }) => !this.#hasExpired(inSeconds(expiresAt)))
    pages.splice(0, firstKept === -1 ? pages.length : firstKept)
    const first = firstFrom(pages, page.range.from)
    const after = pages.slice(first).findIndex(({ range, version }) => range.from !== page.range.from || version >= page.version)
    const place = after === -1 ? pages.length : first + after
    const there = pages[place]
    const isThere = there?.range.from === page.range.from && there.version === page.version
    if (isThere && !this.#hasExpired(inSeconds(there.expiresAt))) return
    pages.splice(place, isThere ? 1 : 0, frozen(page))
  }

  async readTokens(bucket: string): Promise<TokenBucket | undefined> {
    return this.#keys.buckets.get(bucket)
  }

  async writeTokens(bucket: string, next: TokenBucket): Promise<boolean> {
    if ((this.#keys.buckets.get(bucket)?.version ?? 0) !== next.version - 1) return false
    this.#keys.buckets.set(bucket, frozen(next))
    return true
  }

  async registerKeyUser(bucket: string, user: KeyUser, now: Instant): Promise<readonly KeyUser[]> {
    const users = computeIfAbsent(this.#keys.users, bucket, () => new Map<string, KeyUser>())
    const stored = users.get(user.connectorId)
    const known = stored !== undefined && stored.until > now && !this.#hasExpired(inSeconds(stored.until))
    const isUpToDate = known && stored.until - now >= (user.until - now) / 2 && isDeepStrictEqual({ ...stored, until: user.until }, user)
    if (!isUpToDate) users.set(user.connectorId, frozen(user))
    return sorted(users).flatMap(([, each]) => (each.until > now && !this.#hasExpired(inSeconds(each.until)) ? [each] : []))
  }

  async forgetKeyUser(bucket: string, connectorId: string): Promise<void> {
    this.#keys.users.get(bucket)?.delete(connectorId)
  }

  async fingerprintKey(candidate: string): Promise<string> {
    this.#keys.fingerprintKey ??= candidate
    return this.#keys.fingerprintKey
  }

  #hasExpired(expiresAt: Instant | undefined): boolean {
    return expiresAt !== undefined && expiresAt <= this.#clock.now()
  }

  #live<T>(kept: Kept<T> | undefined): T | undefined {
    return kept === undefined || this.#hasExpired(kept.expiresAt) ? undefined : kept.value
  }

  #streamsOf(connectorId: string): Map<StreamId, Kept<StreamState>> {
    return computeIfAbsent(this.#streams, connectorId, () => new Map<StreamId, Kept<StreamState>>())
  }

  #seenOf(connectorId: string, stream: StreamId, k: number): SeenPage[] {
    return computeIfAbsent(this.#seen, JSON.stringify([connectorId, stream, k]), () => [])
  }

  /** In the order of the sharded index: by shard, then by `connectorId`. */
  #byShard<T>(items: ReadonlyMap<string, Kept<T>>): [string, T][] {
    const live = sorted(items).flatMap(([id, kept]): [string, T][] => {
      const value = this.#live(kept)
      return value === undefined ? [] : [[id, value]]
    })
    return Array.from({ length: shards }, (_, shard) => live.filter(([id]) => shardOf(id) === shard)).flat()
  }
}

/** DynamoDB stores the expiry in whole seconds. */
function inSeconds(at: Instant): Instant {
  return Math.ceil(at / 1_000) * 1_000
}

function computeIfAbsent<K, V>(map: Map<K, V>, key: K, compute: () => V): V {
  const there = map.get(key)
  if (there !== undefined) return there
  const made = compute()
  map.set(key, made)
  return made
}

function originOf({ vendor, origin }: Outage): string {
  return `${vendor}#${origin}`
}

function sorted<T>(map: ReadonlyMap<string, T>): [string, T][] {
  return [...map].sort(([a], [b]) => compare(a, b))
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}

/** The first page whose range begins at `from` or later. */
function firstFrom(pages: readonly SeenPage[], from: Instant): number {
  let low = 0
  let high = pages.length
  while (low < high) {
    const middle = (low + high) >>> 1
    const page = pages[middle]
    if (page !== undefined && page.range.from < from) low = middle + 1
    else high = middle
  }
  return low
}

/** A frozen value is deeply frozen already. Checking this saves time, because a state shares most of its parts with the one before. */
function frozen<T>(value: T): T {
  // Bytes cannot be frozen.
  if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value) || Object.isFrozen(value)) return value
  for (const part of Object.values(value)) frozen(part)
  return Object.freeze(value)
}
