import { marshall, unmarshall } from '@aws-sdk/util-dynamodb'
import { describe, expect, it } from 'vitest'
import { type FailureCode, failure, failureCodes as presentCodes } from '../../functions/domain/failures.ts'
import type { ConnectorState } from '../../functions/domain/status/connector-state.ts'
import { newStatus } from '../../functions/domain/status/status.ts'
import { newStream } from '../../functions/domain/stream/ledger.ts'
import type { LostRange, RangeKind } from '../../functions/domain/stream/stream.ts'
import { start } from '../../simulation/world.ts'
import { Deployment } from './deployment.ts'
import { startDynamo } from './dynamo.ts'
import { withAttributesSince } from './expectations.ts'
import { frozenVersions, loadRelease, loadState } from './release.ts'

const dynamo = startDynamo()

/** Some attributes hold one of a few words, and a release refuses to read an item with a word that it does not know. */

const storedCodes = [
  ...['bad-request', 'unauthorized', 'forbidden', 'not-found', 'throttled', 'vendor-error', 'vendor-overloaded', 'redirected'],
  ...['unexpected-status', 'timed-out', 'unreachable', 'tls-failed', 'address-refused', 'host-refused', 'too-large'],
  ...['malformed-answer', 'link-refused', 'link-dead', 'link-repeats', 'secret-missing', 'secret-unreadable', 'secret-malformed'],
  ...['key-shared', 'sink-throttled', 'sink-failed'],
]

type StoredItem = Readonly<Record<string, unknown>>

/** All words that the releases up to 0.2.0 store, and how an item holds one of them. */
const storedWords = [
  {
    attribute: 'state of a connector',
    words: ['starting', 'ok', 'catching-up', 'throttled', 'losing-data', 'failing', 'refused', 'paused', 'retired'],
    kind: 'STATUS',
    holding: ({ status }: StoredItem, word: string) => ({ status: { ...Object(status), state: word } }),
  },
  {
    attribute: 'last failure of a connector',
    words: storedCodes,
    kind: 'STATUS',
    holding: ({ status }: StoredItem, code: string) => ({
      status: { ...Object(status), lastFailure: { code, detail: 'seen', at: start } },
    }),
  },
  {
    attribute: 'failure of a stream',
    words: storedCodes,
    kind: 'STREAM',
    holding: (_: StoredItem, code: string) => ({
      trouble: { failure: { code, detail: 'seen' }, attempts: 1, until: start, since: start },
    }),
  },
  {
    attribute: 'kind of a half-read range',
    words: ['tail', 'fresh', 'settling', 'reread'],
    kind: 'STREAM',
    holding: (_: StoredItem, kind: string) => ({ slice: { kind, from: 1, to: 2, page: 1, items: 3 } }),
  },
  {
    attribute: 'reason of a loss',
    words: ['horizon', 'paused', 'unreadable'],
    kind: 'STREAM',
    holding: (_: StoredItem, reason: string) => ({ holes: [{ from: 1, to: 2, reason }] }),
  },
]

describe.each(frozenVersions)('a word that release %s stores', async (version) => {
  const former = await loadRelease(version)
  const { items } = await loadState(version)

  it.each(storedWords)('is read by this release as the $attribute, and means the same', async ({ words, kind, holding }) => {
    const [item = {}] = items.map((each) => unmarshall(each)).filter(({ sk }) => String(sk).startsWith(kind))
    const deployment = await Deployment.open(dynamo)
    await deployment.restore({
      at: start,
      items: words.map((word) => marshall({ ...item, ...holding(item, word), pk: `CONNECTOR#${word}` })),
    })
    const then = deployment.process(former).state
    for (const word of words) {
      const run = await deployment.state.readRun(word)
      expect(run.streams.size + (run.status === undefined ? 0 : 1), word).toBe(1)
      expect(run, word).toEqual(withAttributesSince(await then.readRun(word)))
    }
  })
})

const states = allOf<ConnectorState>({
  starting: true,
  ok: true,
  'catching-up': true,
  throttled: true,
  'losing-data': true,
  failing: true,
  refused: true,
  paused: true,
  retired: true,
})
const kinds = allOf<RangeKind>({ tail: true, provisional: true, final: true, reread: true })
const reasons = allOf<LostRange['reason']>({ 'retention-limit': true, paused: true, unreadable: true })

/** Codes that a former release does not know, and the code that it sees. */
const standIns: Partial<Record<FailureCode, FailureCode>> = {
  'record-refused': 'sink-failed',
  'proxy-failed': 'unreachable',
  unknown: 'unexpected-status',
}

describe('a word that only a newer release knows', () => {
  it('is read as the least that it can mean, and stops nothing', async () => {
    const deployment = await Deployment.open(dynamo)
    const { state } = deployment
    await state.updateStatus('a', () => newStatus(start))
    const trouble = { failure: failure('timed-out', 'seen'), attempts: 1, until: start, since: start }
    const range = { kind: 'tail', from: 1, to: 2, page: 0, items: 0 } as const
    const lostRanges = [{ from: 1, to: 2, reason: 'paused' }] as const
    await state.writeStream('a', 'x', { ...newStream(start, start), version: 1, trouble, range, lostRanges })
    const { at, items } = await deployment.stored()
    const newer = JSON.stringify(
      items.map((item) => unmarshall(item)),
      (_, value) => (wordsOfNow.includes(value) ? 'from-the-future' : value),
    )
    await deployment.restore({ at, items: (JSON.parse(newer) as StoredItem[]).map((item) => marshall(item)) })
    const { status, streams } = await state.readRun('a')
    expect(status?.state).toBe('failing')
    expect(streams.get('x')).toMatchObject({
      trouble: { failure: { code: 'unknown' } },
      range: { kind: 'provisional' },
      lostRanges: [{ reason: 'unreadable' }],
    })
  })
})

const wordsOfNow: readonly unknown[] = ['starting', 'timed-out', 'tail', 'paused']

describe.each(frozenVersions)('a word that this release stores', async (version) => {
  const former = await loadRelease(version)

  it(`is known to release ${version}, whether it is a state, a failure, a kind of range or the reason of a loss`, async () => {
    const deployment = await Deployment.open(dynamo)
    const { state } = deployment
    const then = deployment.process(former).state
    for (const each of states) {
      await state.updateStatus(each, () => ({ ...newStatus(start), state: each }))
      expect((await then.readStatus(each))?.state).toBe(each)
    }
    for (const code of presentCodes) {
      const trouble = { failure: failure(code, 'seen'), attempts: 1, until: start, since: start }
      await state.writeStream(code, 'x', { ...newStream(start, start), version: 1, trouble })
      const asFormer = { ...trouble, failure: { ...trouble.failure, code: standIns[code] ?? code } }
      expect((await then.readRun(code)).streams.get('x')?.trouble).toEqual(asFormer)
      expect((await state.readRun(code)).streams.get('x')?.trouble).toEqual(trouble)
    }
    for (const kind of kinds) {
      const range = { kind, from: 1, to: 2, page: 0, items: 0 }
      await state.writeStream(kind, 'x', { ...newStream(start, start), version: 1, range })
      expect((await then.readRun(kind)).streams.get('x')?.range).toEqual(range)
    }
    for (const reason of reasons) {
      await state.writeStream(reason, 'x', { ...newStream(start, start), version: 1, lostRanges: [{ from: 1, to: 2, reason }] })
      expect((await then.readRun(reason)).streams.get('x')?.lostRanges).toEqual([{ from: 1, to: 2, reason }])
    }
  })
})

/** The values of a union, checked by the compiler to be all of them. */
function allOf<T extends string>(all: Record<T, true>): T[] {
  return Object.keys(all) as T[]
}
