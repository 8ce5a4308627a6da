import { randomUUID } from 'node:crypto'
import { type DynamoDBClient, PutItemCommand, ScanCommand } from '@aws-sdk/client-dynamodb'
import { marshall, unmarshall } from '@aws-sdk/util-dynamodb'
import * as fc from 'fast-check'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { type StateTable, stateTable } from '../../functions/adapters/state-table/state-table.ts'
import { failure } from '../../functions/domain/failures.ts'
import type { AcceptedConnector, KeyUser } from '../../functions/domain/ports.ts'
import { NewerSchema } from '../../functions/domain/state-errors.ts'
import type { Outage } from '../../functions/domain/status/outage.ts'
import { type ConnectorStatus, newStatus, withState } from '../../functions/domain/status/status.ts'
import { newStream } from '../../functions/domain/stream/ledger.ts'
import { type SeenPage, seenClass } from '../../functions/domain/stream/seen-ids.ts'
import type { Interval, StreamState } from '../../functions/domain/stream/stream.ts'
import { day, hour, type Instant, minute, second } from '../../functions/domain/time.ts'
import { newBucket, type TokenBucket } from '../../functions/domain/token-bucket.ts'
import { MemoryState } from '../../simulation/fakes/state.ts'

const start: Instant = Date.UTC(2026, 10, 24, 12)

/** A DynamoDB for tests. */
export interface StateDynamo {
  readonly client: DynamoDBClient
  /** Makes a state table, and returns when it can be used. */
  createStateTable(name: string): Promise<void>
  close(): Promise<void>
}

let dynamo: StateDynamo
let table: string
let now: Instant

/** What the port `StateTable` promises, held by the adapter on the DynamoDB that is started, and by the fake in memory. */
export function stateContract(name: string, startDynamo: () => Promise<StateDynamo>): void {
  beforeAll(async () => {
    dynamo = await startDynamo()
  })
  afterAll(() => dynamo.close())
  beforeEach(() => {
    now = start
  })

  const implementations: [string, () => Promise<StateTable>][] = [
    ['in memory', async () => new MemoryState({ now: () => now })],
    [`on ${name}`, newTable],
  ]

  describe.each(implementations)('the state table %s', (_, open) => {
    let state: StateTable

    beforeEach(async () => {
      state = await open()
    })

    describe('a run', () => {
      it('begins with nothing where nothing was written', async () => {
        expect(await state.readRun('a')).toEqual({ streams: new Map() })
      })

      it('begins with all that was written of its connector, and with nothing of another', async () => {
        await state.writeAccepted(accepted('a'), undefined)
        await state.writeAccepted(accepted('ab'), undefined)
        await state.makeDue('a', start, start - 1)
        await state.updateStatus('a', () => fullStatus)
        await state.writeStream('a', 'x/2', fullStream(1))
        await state.writeStream('a', 'x/1', stream(1))
        await state.writeSeen('a', 'x/1', page({ from: 1, to: 2 }, 1))
        await state.writeStream('ab', 'x/3', stream(1))
        const run = await state.readRun('a')
        expect(run).toEqual({
          accepted: accepted('a'),
          due: { nextDueAt: start, wantedTo: start - 1 },
          status: fullStatus,
          streams: new Map([
            ['x/1', stream(1)],
            ['x/2', fullStream(1)],
          ]),
        })
        expect([...run.streams.keys()]).toEqual(['x/1', 'x/2'])
      })

      it('reads all its streams, however large they are', async () => {
        const lostRanges = Array.from({ length: 8_000 }, (_, i) => ({ from: i * 10, to: i * 10 + 5, reason: 'retention-limit' as const }))
        for (const id of ['1', '2', '3', '4', '5']) await state.writeStream('a', id, { ...stream(1), lostRanges })
        expect([...(await state.readRun('a')).streams].map(([id, { lostRanges }]) => [id, lostRanges.length])).toEqual(
          ['1', '2', '3', '4', '5'].map((id) => [id, 8_000]),
        )
      })

      it('is not told what the caller changes afterwards in what it wrote or read', async () => {
        const written = { ...stream(1), covered: [{ from: 1, to: 2 }] }
        await state.writeStream('a', 'x', written)
        const read = (await state.readRun('a')).streams.get('x')!
        for (const { covered } of [written, read]) {
          try {
            ;(covered as Interval[]).push({ from: 3, to: 4 })
          } catch {}
        }
        expect((await state.readRun('a')).streams.get('x')).toEqual({ ...stream(1), covered: [{ from: 1, to: 2 }] })
      })
    })

    describe('an acceptance', () => {
      it('is not there before it was written', async () => {
        expect(await state.readAccepted('a')).toBeUndefined()
      })

      it('is read as it was written', async () => {
        expect(await state.writeAccepted(accepted('a'), undefined)).toBe(true)
        expect(await state.readAccepted('a')).toEqual(accepted('a'))
      })

      it('is refused as the first one where there is one', async () => {
        await state.writeAccepted(accepted('a'), undefined)
        expect(await state.writeAccepted({ ...accepted('a'), itemDigest: 'other' }, undefined)).toBe(false)
        expect(await state.readAccepted('a')).toEqual(accepted('a'))
      })

      it('replaces the one it was made from', async () => {
        const next = { ...accepted('a'), itemDigest: 'next', acceptedAt: start + 1 }
        await state.writeAccepted(accepted('a'), undefined)
        expect(await state.writeAccepted(next, accepted('a'))).toBe(true)
        expect(await state.readAccepted('a')).toEqual(next)
      })

      it.each([
        ['another item', { itemDigest: 'other' }],
        ['another time', { acceptedAt: start + 1 }],
        ['a tombstone', { retiredAt: start + 1 }],
      ])('is refused when it was made from one that has given way to %s', async (_, change) => {
        const now = { ...accepted('a'), ...change }
        await state.writeAccepted(accepted('a'), undefined)
        await state.writeAccepted(now, accepted('a'))
        expect(await state.writeAccepted({ ...accepted('a'), itemDigest: 'mine' }, accepted('a'))).toBe(false)
        expect(await state.readAccepted('a')).toEqual(now)
      })

      it('is refused when the one it was made from is not there', async () => {
        expect(await state.writeAccepted(accepted('a'), accepted('a'))).toBe(false)
        expect(await state.readAccepted('a')).toBeUndefined()
      })

      it('is won by one of many that are made from the same', async () => {
        await state.writeAccepted(accepted('a'), undefined)
        const tries = Array.from({ length: 8 }, (_, i) =>
          state.writeAccepted({ ...accepted('a'), itemDigest: `${i}`, acceptedAt: start + 1 }, accepted('a')),
        )
        expect((await Promise.all(tries)).filter((won) => won)).toHaveLength(1)
      })

      it('is listed with all others, tombstones as well', async () => {
        const all = Array.from({ length: 20 }, (_, i) => accepted(`connector-${i}`))
        for (const each of all) await state.writeAccepted(each, undefined)
        const gone = { ...all[3]!, retiredAt: start }
        await state.writeAccepted(gone, all[3])
        const listed = await list(state.allAccepted())
        expect(listed).toHaveLength(20)
        expect(listed.find(({ connector }) => connector.connectorId === 'connector-3')).toEqual(gone)
      })
    })

    describe('a deleted connector', () => {
      const gone: AcceptedConnector = { ...accepted('a'), retiredAt: start }

      beforeEach(async () => {
        await state.writeAccepted(accepted('a'), undefined)
        await state.writeStream('a', 'x', stream(1))
        await state.writeStream('a', 'x', stream(2))
        await state.updateStatus('a', () => status)
        await state.writeAccepted(gone, accepted('a'))
        await state.updateStatus('a', (before) => withState(before!, { state: 'retired', reason: 'deleted' }, start))
      })

      it('keeps its ledger for four days', async () => {
        now = start + 4 * day - 1
        const { accepted, status, streams } = await state.readRun('a')
        expect(accepted).toEqual(gone)
        expect(status?.state).toBe('retired')
        expect(streams.get('x')?.counts).toEqual(stream(2).counts)
      })

      it('leaves nothing after four days', async () => {
        now = start + 4 * day
        expect(await state.readRun('a')).toEqual({ streams: new Map() })
        expect(await state.readAccepted('a')).toBeUndefined()
        expect(await list(state.allAccepted())).toEqual([])
        expect(await list(state.fleet())).toEqual([])
      })

      it('begins anew after four days', async () => {
        now = start + 4 * day
        expect(await state.writeAccepted(accepted('a'), gone)).toBe(false)
        expect(await state.writeStream('a', 'x', stream(4))).toBe(false)
        expect(await state.writeAccepted(accepted('a'), undefined)).toBe(true)
        expect(await state.writeStream('a', 'x', stream(1))).toBe(true)
        await state.updateStatus('a', () => status)
        expect(await state.readRun('a')).toEqual({ accepted: accepted('a'), status, streams: new Map([['x', stream(1)]]) })
      })

      it('refuses the checkpoint of a run that was under way', async () => {
        expect(await state.writeStream('a', 'x', stream(3))).toBe(false)
      })

      it('that comes back keeps its ledger for good', async () => {
        await state.writeAccepted({ ...accepted('a'), acceptedAt: start + hour }, gone)
        await state.updateStatus('a', (before) => withState(before!, { state: 'starting', reason: '' }, start + hour))
        now = start + 30 * day
        const { accepted: back, status, streams } = await state.readRun('a')
        expect(back?.acceptedAt).toBe(start + hour)
        expect(status?.state).toBe('starting')
        expect(streams.get('x')).toEqual(stream(3))
        expect(await state.writeStream('a', 'x', stream(4))).toBe(true)
      })
    })

    describe('a due time', () => {
      const due = async () => (await state.readRun('a')).due

      it('is claimed by the one who saw it as it is', async () => {
        await state.makeDue('a', start, start + 7)
        expect(await state.claimDue('a', start, start + minute)).toBe(true)
        expect(await due()).toEqual({ nextDueAt: start + minute, wantedTo: start + 7 })
      })

      it('is claimed once, however many try', async () => {
        await state.makeDue('a', start, start)
        const tries = await Promise.all(Array.from({ length: 8 }, () => state.claimDue('a', start, start + minute)))
        expect(tries.filter((won) => won)).toHaveLength(1)
      })

      it('is not claimed where there is none', async () => {
        expect(await state.claimDue('a', start, start + minute)).toBe(false)
        expect(await due()).toBeUndefined()
      })

      it('is set by the run that claimed it', async () => {
        await state.makeDue('a', start, start + 7)
        expect(await state.setDue('a', start, start + hour)).toBe(true)
        expect(await due()).toEqual({ nextDueAt: start + hour, wantedTo: start + 7 })
      })

      it('is set earlier by any run', async () => {
        await state.makeDue('a', start + hour, start)
        expect(await state.setDue('a', start, start + minute)).toBe(true)
        expect((await due())?.nextDueAt).toBe(start + minute)
      })

      it('that is earlier is not moved away by a run that did not see it', async () => {
        await state.makeDue('a', start + second, start)
        expect(await state.setDue('a', start, start + minute)).toBe(false)
        expect(await state.setDue('a', undefined, start + minute)).toBe(false)
        expect((await due())?.nextDueAt).toBe(start + second)
      })

      it('is made where there was none and none was seen', async () => {
        expect(await state.setDue('a', undefined, start + minute)).toBe(true)
        expect(await due()).toEqual({ nextDueAt: start + minute, wantedTo: 0 })
      })

      it('that was removed is not brought back by a run that saw it', async () => {
        await state.makeDue('a', start, start)
        await state.removeDue('a')
        expect(await state.setDue('a', start, start + minute)).toBe(false)
        expect(await due()).toBeUndefined()
        expect(await list(state.dueBefore(start + day))).toEqual([])
      })

      it('is made now whatever was there', async () => {
        await state.makeDue('a', start - hour, start + 7)
        await state.makeDue('a', start, start + 8)
        expect(await due()).toEqual({ nextDueAt: start, wantedTo: start + 8 })
      })

      it('may be removed twice', async () => {
        await state.removeDue('a')
        await state.removeDue('a')
        expect(await due()).toBeUndefined()
      })

      it('is listed while it lies before the instant asked for', async () => {
        for (let i = 0; i < 20; i++) await state.makeDue(`connector-${i}`, start + i, start)
        await state.claimDue('connector-0', start, start + hour)
        const listed = await list(state.dueBefore(start + 10))
        expect(new Map(listed.map(({ connectorId, nextDueAt }) => [connectorId, nextDueAt]))).toEqual(
          new Map(Array.from({ length: 9 }, (_, i) => [`connector-${i + 1}`, start + i + 1])),
        )
      })
    })

    describe('a status', () => {
      it('is not there before it was written', async () => {
        expect(await state.readStatus('a')).toBeUndefined()
      })

      it('is read as it was written', async () => {
        await state.updateStatus('a', () => fullStatus)
        expect(await state.readStatus('a')).toEqual(fullStatus)
      })

      it('is the last writer’s', async () => {
        await state.updateStatus('a', () => fullStatus)
        await state.updateStatus('a', () => status)
        expect(await state.readStatus('a')).toEqual(status)
      })

      it('is amended from what is there, or from nothing', async () => {
        await state.updateStatus('a', (before) => ({ ...(before ?? newStatus(start)), readSteps: (before?.readSteps ?? 40) + 1 }))
        await state.updateStatus('a', (before) => ({ ...before!, readSteps: before!.readSteps + 1 }))
        expect(await state.readStatus('a')).toEqual({ ...newStatus(start), readSteps: 42 })
      })

      it('loses no amendment, however many come at once', async () => {
        await state.updateStatus('a', () => status)
        await Promise.all(
          Array.from({ length: 6 }, () => state.updateStatus('a', (before) => ({ ...before!, readSteps: before!.readSteps + 1 }))),
        )
        expect((await state.readStatus('a'))?.readSteps).toBe(status.readSteps + 6)
      })

      it('is left alone by an amendment that wants nothing written', async () => {
        await state.updateStatus('a', () => status)
        expect(await state.updateStatus('a', () => undefined)).toBeUndefined()
        expect(await state.updateStatus('b', () => undefined)).toBeUndefined()
        expect(await state.readStatus('a')).toEqual(status)
        expect(await state.readStatus('b')).toBeUndefined()
      })

      it('is answered with what it was amended from', async () => {
        expect(await state.updateStatus('a', () => status)).toEqual({ after: status })
        expect(await state.updateStatus('a', () => fullStatus)).toEqual({ before: status, after: fullStatus })
      })

      it('is not written by an amendment that changes nothing', async () => {
        await state.updateStatus('a', () => fullStatus)
        await state.updateStatus('a', (before) => structuredClone(before!))
        expect(await state.readStatus('a')).toEqual(fullStatus)
      })

      it('is listed with those of all other connectors', async () => {
        for (let i = 0; i < 20; i++) await state.updateStatus(`connector-${i}`, () => ({ ...status, readSteps: i }))
        await state.writeAccepted(accepted('connector-1'), undefined)
        const listed = await list(state.fleet())
        expect(new Map(listed.map(({ connectorId, status }) => [connectorId, status]))).toEqual(
          new Map(Array.from({ length: 20 }, (_, i) => [`connector-${i}`, { ...status, readSteps: i }])),
        )
      })
    })

    describe('an outage', () => {
      const outage: Outage = {
        vendor: 'trendmicro-cas',
        origin: 'https://api.example.com',
        since: start,
        cause: 'vendor-error',
        reason: 'It answers 500.',
        sent: false,
      }

      it('of a origin begins once, however many connectors see it', async () => {
        const began = await Promise.all(Array.from({ length: 5 }, (_, i) => state.beginOutage({ ...outage, since: start + i })))
        expect(began.filter((first) => first)).toHaveLength(1)
        expect(await state.outages()).toHaveLength(1)
      })

      it('is listed with those of other sites and vendors, sent or not', async () => {
        await state.beginOutage(outage)
        await state.beginOutage({ ...outage, origin: 'https://api-eu.example.com' })
        await state.beginOutage({ ...outage, vendor: 'other' })
        await state.outageSent(outage)
        expect((await state.outages()).map(({ vendor, origin, sent }) => [vendor, origin, sent])).toEqual([
          ['other', outage.origin, false],
          ['trendmicro-cas', 'https://api-eu.example.com', false],
          ['trendmicro-cas', outage.origin, true],
        ])
        expect((await state.outages()).at(-1)).toEqual({ ...outage, sent: true })
      })

      it('that has ended may begin anew, and what was said of the former one does not count', async () => {
        await state.beginOutage(outage)
        await state.endOutage(outage)
        expect(await state.outages()).toEqual([])
        await state.outageSent(outage)
        expect(await state.outages()).toEqual([])
        expect(await state.beginOutage({ ...outage, since: start + 1 })).toBe(true)
        await state.outageSent(outage)
        expect(await state.outages()).toEqual([{ ...outage, since: start + 1 }])
      })
    })

    describe('a stream', () => {
      it('is written first as version 1, and once', async () => {
        expect(await state.writeStream('a', 'x', stream(1))).toBe(true)
        expect(await state.writeStream('a', 'x', stream(1))).toBe(false)
      })

      it('is not written first as a later version', async () => {
        expect(await state.writeStream('a', 'x', stream(2))).toBe(false)
        expect((await state.readRun('a')).streams.size).toBe(0)
      })

      it('is written as the version after the one that is there, and as no other', async () => {
        await state.writeStream('a', 'x', stream(1))
        expect(await state.writeStream('a', 'x', stream(3))).toBe(false)
        expect(await state.writeStream('a', 'x', fullStream(2))).toBe(true)
        expect(await state.writeStream('a', 'x', stream(2))).toBe(false)
        expect((await state.readRun('a')).streams.get('x')).toEqual(fullStream(2))
      })

      it('gives its lease to one of many that ask at once', async () => {
        const tries = Array.from({ length: 8 }, (_, i) =>
          state.writeStream('a', 'x', { ...stream(1), lease: { holder: `${i}`, until: start + minute } }),
        )
        expect((await Promise.all(tries)).filter((won) => won)).toHaveLength(1)
      })

      it('loses what a later version does not have', async () => {
        await state.writeStream('a', 'x', fullStream(1))
        await state.writeStream('a', 'x', stream(2))
        expect((await state.readRun('a')).streams.get('x')).toEqual(stream(2))
      })
    })

    describe('seen ids', () => {
      const width = 4 ** 9
      const classes = [seenClass({ from: 0, to: width })]
      const read = async (range: Interval, of = classes, streamId = 'x') => {
        const seen: [string, string][] = []
        await state.readSeen('a', streamId, range, of, (hash, mark) => seen.push([hash, mark]))
        return seen
      }

      it('are read with their marks', async () => {
        const range = { from: start, to: start + width }
        await state.writeSeen('a', 'x', { ...page(range, 5), ids: [id(1), { hash: 'ffffffffffffffff', mark: 'filtered' }] })
        expect(await read(range)).toEqual([
          ['0000000000000001', 'delivered'],
          ['ffffffffffffffff', 'filtered'],
        ])
      })

      it.each([
        ['the range itself', 0, width, true],
        ['one millisecond inside its start', 0, 1, true],
        ['one millisecond inside its end', width - 1, width, true],
        ['one that ends where it begins', -5, 0, false],
        ['one that begins where it ends', width, width + 5, false],
        ['one around it', -width, 2 * width, true],
        ['one far before', -9 * width, -8 * width, false],
        ['one far after', 8 * width, 9 * width, false],
      ])('are read for %s only as they overlap', async (_, from, to, found) => {
        await state.writeSeen('a', 'x', page({ from: start, to: start + width }, 1))
        expect(await read({ from: start + from, to: start + to })).toHaveLength(found ? 1 : 0)
      })

      it('are read only of the classes asked for', async () => {
        const range = { from: start, to: start + width }
        await state.writeSeen('a', 'x', page(range, 1))
        expect(await read(range, [classes[0]! - 1, classes[0]! + 1])).toEqual([])
        expect(await read(range, [])).toEqual([])
      })

      it('are read of their own stream only', async () => {
        const range = { from: start, to: start + width }
        await state.writeSeen('a', 'x', page(range, 1))
        await state.writeSeen('b', 'x', page(range, 1))
        expect(await read(range, classes, 'y')).toEqual([])
        expect(await read(range, classes, 'x')).toHaveLength(1)
      })

      it('are never overwritten', async () => {
        const range = { from: start, to: start + width }
        await state.writeSeen('a', 'x', { ...page(range, 1), ids: [id(1)] })
        await state.writeSeen('a', 'x', { ...page(range, 1), ids: [id(2)] })
        expect(await read(range)).toEqual([['0000000000000001', 'delivered']])
      })

      it('come in the order of their ranges’ start, then of the versions they were read at', async () => {
        const early = { from: start, to: start + width }
        const late = { from: start + 5, to: start + width }
        await state.writeSeen('a', 'x', { ...page(late, 3), ids: [id(3)] })
        await state.writeSeen('a', 'x', { ...page(early, 10), ids: [id(2)] })
        await state.writeSeen('a', 'x', { ...page(early, 9), ids: [id(1)] })
        expect((await read(late)).map(([hash]) => Number(hash))).toEqual([1, 2, 3])
      })

      it('are gone once they have expired', async () => {
        const range = { from: start, to: start + width }
        await state.writeSeen('a', 'x', { ...page(range, 1), expiresAt: start + day })
        now = start + day - 1
        expect(await read(range)).toHaveLength(1)
        now = start + day
        expect(await read(range)).toEqual([])
      })

      it('are read in full, however many they are', async () => {
        const range = { from: start, to: start + width }
        const ids = Array.from({ length: 50_000 }, (_, i) => id(i))
        for (let version = 1; version <= 4; version++) await state.writeSeen('a', 'x', { ...page(range, version), ids })
        expect(await read(range)).toHaveLength(200_000)
      })

      it('are found for every range that overlaps theirs, and for no other', async () => {
        const range = fc
          .record({ from: fc.integer({ min: 0, max: 300 }), width: fc.integer({ min: 1, max: 120 }) })
          .map(({ from, width }) => ({ from, to: from + width }))
        await fc.assert(
          fc.asyncProperty(fc.array(range, { maxLength: 8 }), range, fc.uuid(), async (ranges, asked, streamId) => {
            for (const [i, each] of ranges.entries()) await state.writeSeen('a', streamId, { ...page(each, i + 1), ids: [id(i)] })
            const overlapping = ranges.flatMap(({ from, to }, i) => (from < asked.to && to > asked.from ? [id(i).hash] : []))
            const found = await read(asked, [...new Set(ranges.map(seenClass))], streamId)
            expect(found.map(([hash]) => hash).sort()).toEqual(overlapping.sort())
          }),
          { numRuns: 30 },
        )
      })
    })

    describe('tokens', () => {
      it('are not there before they were written', async () => {
        expect(await state.readTokens('k')).toBeUndefined()
      })

      it('are read as they were written', async () => {
        await state.writeTokens('k', bucket(1))
        expect(await state.readTokens('k')).toEqual(bucket(1))
      })

      it('of a key at 6,000 requests a minute fit', async () => {
        const tokens = Array.from({ length: 6_000 }, (_, i) => ({ at: start + i * 7, by: `${randomUUID()}:${i}`, released: i % 3 > 0 }))
        const many = { ...bucket(1), tokens: tokens.map((token, i) => ({ ...token, by: `${tokens[i % 10]!.by.slice(0, 36)}:${i}` })) }
        expect(await state.writeTokens('k', many)).toBe(true)
        expect(await state.readTokens('k')).toEqual(many)
      })

      it('are taken by one of many that build on the same version', async () => {
        await state.writeTokens('k', bucket(1))
        const tries = await Promise.all(Array.from({ length: 8 }, (_, i) => state.writeTokens('k', { ...bucket(2), learnedLimit: i + 1 })))
        expect(tries.filter((won) => won)).toHaveLength(1)
        expect((await state.readTokens('k'))?.learnedLimit).toBe(tries.indexOf(true) + 1)
      })

      it('are refused as a version that does not follow', async () => {
        expect(await state.writeTokens('k', bucket(2))).toBe(false)
        await state.writeTokens('k', bucket(1))
        expect(await state.writeTokens('k', bucket(1))).toBe(false)
        expect(await state.writeTokens('k', bucket(3))).toBe(false)
      })
    })

    describe('users of a key', () => {
      it('are everybody who was put down, the asking one included', async () => {
        expect(await state.registerKeyUser('k', user('b'), now)).toEqual([user('b')])
        expect(await state.registerKeyUser('k', user('a'), now)).toEqual([user('a'), user('b')])
        expect(await state.registerKeyUser('other', user('c'), now)).toEqual([user('c')])
      })

      it('are at least once seen by each other when they come at once', async () => {
        const seen = await Promise.all([state.registerKeyUser('k', user('a'), now), state.registerKeyUser('k', user('b'), now)])
        expect(seen.some((users) => users.length === 2)).toBe(true)
      })

      it('are put down anew when they say something new', async () => {
        await state.registerKeyUser('k', user('a'), now)
        const changed = { ...user('a'), requestsPerMinute: 5, requestsPerDay: 100 }
        expect(await state.registerKeyUser('k', changed, now)).toEqual([changed])
      })

      it('are put down anew only once half of their time has passed', async () => {
        await state.registerKeyUser('k', user('a'), now)
        now += day - 1
        expect(await state.registerKeyUser('k', user('a'), now)).toEqual([user('a', start)])
        now += hour
        expect(await state.registerKeyUser('k', user('a'), now)).toEqual([user('a')])
      })

      it('are forgotten when their time has passed', async () => {
        await state.registerKeyUser('k', user('a'), now)
        now += 2 * day
        expect(await state.registerKeyUser('k', user('b'), now)).toEqual([user('b')])
      })

      it('are forgotten when they say so', async () => {
        await state.registerKeyUser('k', user('a'), now)
        await state.registerKeyUser('k', user('b'), now)
        await state.forgetKeyUser('k', 'a')
        await state.forgetKeyUser('k', 'a')
        expect(await state.registerKeyUser('k', user('b'), now)).toEqual([user('b')])
      })
    })

    it('keeps the first fingerprint key for good', async () => {
      const keys = await Promise.all(['aa', 'bb', 'cc'].map((candidate) => state.fingerprintKey(candidate)))
      expect(new Set(keys).size).toBe(1)
      expect(await state.fingerprintKey('dd')).toBe(keys[0])
    })
  })

  it(`lists in the same order in memory and on ${name}`, async () => {
    const orders = []
    for (const [, open] of implementations) {
      const state = await open()
      for (let i = 0; i < 30; i++) {
        await state.makeDue(`connector-${i}`, start + ((i * 7) % 30), start)
        await state.updateStatus(`connector-${i}`, () => status)
        await state.writeAccepted(accepted(`connector-${i}`), undefined)
      }
      const [due, fleet, all] = [await list(state.dueBefore(start + 20)), await list(state.fleet()), await list(state.allAccepted())]
      orders.push({ due, fleet: fleet.map(({ connectorId }) => connectorId), accepted: all.map(({ connector }) => connector.connectorId) })
    }
    expect(orders[0]).toEqual(orders[1])
  })

  describe('an item of a newer release', () => {
    const outage: Outage = { vendor: 'v', origin: 'https://a', since: start, cause: 'timed-out', reason: '', sent: false }
    let state: StateTable

    beforeEach(async () => {
      state = await newTable()
      await state.writeAccepted(accepted('a'), undefined)
      await state.makeDue('a', start, start)
      await state.updateStatus('a', () => status)
      await state.writeStream('a', 'x', stream(1))
      await state.writeTokens('k', bucket(1))
      await state.registerKeyUser('k', user('a'), now)
      await state.writeSeen('a', 'x', page({ from: start, to: start + 4 }, 1))
      await state.fingerprintKey('aa')
      await state.beginOutage(outage)
      for (const item of await items()) {
        await dynamo.client.send(new PutItemCommand({ TableName: table, Item: marshall({ ...item, schemaVersion: 2 }) }))
      }
    })

    const calls: [keyof StateTable, (state: StateTable) => Promise<unknown>][] = [
      ['readRun', (state) => state.readRun('a')],
      ['readAccepted', (state) => state.readAccepted('a')],
      ['allAccepted', (state) => list(state.allAccepted())],
      ['writeAccepted', (state) => state.writeAccepted({ ...accepted('a'), retiredAt: start }, accepted('a'))],
      ['claimDue', (state) => state.claimDue('a', start, start + 1)],
      ['setDue', (state) => state.setDue('a', start, start + 1)],
      ['makeDue', (state) => state.makeDue('a', start, start + 1)],
      ['removeDue', (state) => state.removeDue('a')],
      ['readStatus', (state) => state.readStatus('a')],
      ['updateStatus', (state) => state.updateStatus('a', () => fullStatus)],
      ['fleet', (state) => list(state.fleet())],
      ['outages', (state) => state.outages()],
      ['beginOutage', (state) => state.beginOutage(outage)],
      ['outageSent', (state) => state.outageSent(outage)],
      ['endOutage', (state) => state.endOutage(outage)],
      ['writeStream', (state) => state.writeStream('a', 'x', stream(2))],
      ['readSeen', (state) => state.readSeen('a', 'x', { from: start, to: start + 4 }, [1], () => {})],
      ['writeSeen', (state) => state.writeSeen('a', 'x', page({ from: start, to: start + 4 }, 1))],
      ['readTokens', (state) => state.readTokens('k')],
      ['writeTokens', (state) => state.writeTokens('k', bucket(2))],
      ['registerKeyUser', (state) => state.registerKeyUser('k', user('a'), now)],
      ['forgetKeyUser', (state) => state.forgetKeyUser('k', 'a')],
      ['fingerprintKey', () => stateTable({ client: dynamo.client, table, now: () => now }).fingerprintKey('bb')],
    ]

    it.each(calls)('makes %s say so, and is left as it is', async (_, call) => {
      const before = await items()
      const error = await call(state).catch((thrown: unknown) => thrown)
      expect(error).toBeInstanceOf(NewerSchema)
      expect((error as Error).message).toMatch(
        /^The state item (CONNECTOR#a|KEY#k|FINGERPRINT|OUTAGES) .*has schemaVersion 2, and this release knows up to 1\./,
      )
      expect(await items()).toEqual(before)
    })

    it('does not keep the other connectors from being listed as due', async () => {
      await state.makeDue('b', start, start)
      expect((await list(state.dueBefore(start + 1))).map(({ connectorId }) => connectorId).sort()).toEqual(['a', 'b'])
    })
  })
}

async function newTable(): Promise<StateTable> {
  table = `state-${randomUUID()}`
  await dynamo.createStateTable(table)
  return stateTable({ client: dynamo.client, table, now: () => now })
}

async function items(): Promise<Record<string, unknown>[]> {
  const { Items } = await dynamo.client.send(new ScanCommand({ TableName: table, ConsistentRead: true }))
  return (Items ?? []).map((item) => unmarshall(item))
}

async function list<T>(items: AsyncIterable<T>): Promise<T[]> {
  const listed: T[] = []
  for await (const item of items) listed.push(item)
  return listed
}

function accepted(connectorId: string): AcceptedConnector {
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
    },
    itemDigest: 'digest',
    acceptedAt: start,
    streamsSince: { 'x/1': start - hour, 'x/2': start },
    lastPause: { from: start - hour },
  }
}

const status: ConnectorStatus = newStatus(start, 'tenant')

const fullStatus: ConnectorStatus = {
  cause: 'vendor-error',
  pendingChanges: [
    { from: 'ok', to: 'failing', reason: 'It answers 500.', since: start, cause: 'vendor-error' },
    { from: 'failing', to: 'ok', reason: '', since: start + 1, causeBefore: 'vendor-error' },
  ],
  vendor: 'trendmicro-cas',
  origin: 'https://api.example.com',
  streamsBehind: 2,
  lostRanges: 1,
  oldestKeyAt: start - day,
  ...status,
  state: 'failing',
  reason: '',
  lastRunAt: start,
  lastSuccessAt: start - minute,
  lagMs: 12,
  retentionLeftMs: -3,
  lastFailure: { ...failure('vendor-error', 'The vendor answered 500', { status: 500, traceId: 't' }), at: start, stream: 'x/1' },
  trouble: { failure: failure('throttled', 'The vendor answered 429', { retryAfterMs: 1_000 }), attempts: 2, until: start + minute },
  rejectedKeys: { fingerprint: { at: start, until: start + hour, attempts: 1 } },
  problems: [{ path: 'logFilters[0].operator', message: 'unknown' }],
  days: { '2026-11-24': { delivered: 1, filtered: 2, requests: 3, throttled: 4 } },
  readSteps: 7,
}

function stream(version: number): StreamState {
  return { ...newStream(start - hour, start), version }
}

function fullStream(version: number): StreamState {
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

function id(number: number): SeenPage['ids'][number] {
  return { hash: number.toString().padStart(16, '0'), mark: 'delivered' }
}

function page(range: Interval, version: number): SeenPage {
  return { range, version, ids: [id(1)], expiresAt: start + 4 * day }
}

function bucket(version: number): TokenBucket {
  return {
    ...newBucket(20),
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

function user(connectorId: string, at = now): KeyUser {
  return { connectorId, tenantName: `tenant of ${connectorId}`, sharedKey: false, requestsPerMinute: 20, until: at + 2 * day }
}
