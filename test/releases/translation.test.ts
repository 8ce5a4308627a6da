import { unmarshall } from '@aws-sdk/util-dynamodb'
import { describe, expect, it } from 'vitest'
import { type FailureCode, failure } from '../../functions/domain/failures.ts'
import { minute } from '../../functions/domain/time.ts'
import { connectorItem, secretName } from '../../simulation/world.ts'
import { Deployment } from './deployment.ts'
import { startDynamo } from './dynamo.ts'
import { loadRelease } from './release.ts'
import { call, list, object, port, same, word } from './rename.ts'
import { type Tables, untilRelease020 } from './translation.ts'

describe('a translation', () => {
  const code = word({ broken: 'failed' })
  const stream = object({ freshTo: 'readThrough', holes: 'losses' }, { holes: list(object({}, { reason: code })) })
  const former = { freshTo: 1, holes: [{ reason: 'broken' }, { reason: 'other' }], since: 0 }
  const present = { readThrough: 1, losses: [{ reason: 'failed' }, { reason: 'other' }], since: 0 }

  it('renames attributes and values in both directions, and leaves alone what no table names', () => {
    expect(stream.toPresent(former)).toEqual(present)
    expect(stream.toFormer(present)).toEqual(former)
    expect(stream.toPresent(undefined)).toBeUndefined()
  })

  it('translates the arguments of a call the other way than its result', async () => {
    const write = call([same, stream], code).toPresent(async (_: unknown, written: unknown) => {
      expect(written).toEqual(former)
      return 'broken'
    })
    expect(await (write as (...given: unknown[]) => unknown)('id', present)).toBe('failed')
  })

  it('returns the port itself when a translated port comes back', () => {
    const store = port({ put: 'write' }, { put: call([stream]) })
    const own = { put: () => {} }
    const seen = store.toPresent(own)
    expect(Object.keys(seen as object)).toEqual(['write'])
    expect(store.toFormer(seen)).toBe(own)
  })
})

/** Tables in which these few names have changed again. */
const madeUp: Tables = {
  ...untilRelease020,
  failureCode: { ...untilRelease020.failureCode, 'secret-unreadable': 'made-up-code' },
  noticeType: { ...untilRelease020.noticeType, 'Connector State Changed': 'Made-up Type' },
  state: { ...untilRelease020.state, readStatus: 'madeUpRead' },
  status: { ...untilRelease020.status, lastFailure: 'madeUpFailure' },
}

describe('a former release', () => {
  it('gets every value under its own names, and the values that it returns and stores are read under the present names', async () => {
    const deployment = await Deployment.open(startDynamo())
    const former = await loadRelease('0.2.0', madeUp)
    deployment.world.secrets.values.set(secretName, failure('made-up-code' as FailureCode, 'seen'))
    deployment.deployed = () => former
    const process = deployment.process(former)
    await deployment.finish(process.accept(connectorItem()))
    await deployment.run(minute)
    expect(deployment.crashes).toEqual([])

    const stored = (await deployment.stored()).items.map((item) => unmarshall(item)).find(({ sk }) => sk === 'STATUS')
    expect(stored?.['status']).toMatchObject({ state: 'failing', cause: 'secret-unreadable', lastFailure: { code: 'secret-unreadable' } })
    const { madeUpRead } = process.state as unknown as Record<string, (connectorId: string) => Promise<unknown>>
    expect(await madeUpRead?.('acme.cas')).toMatchObject({
      state: 'failing',
      cause: 'made-up-code',
      madeUpFailure: { code: 'made-up-code' },
    })
    expect(deployment.world.bus.notifications).toMatchObject([{ type: 'Made-up Type', detail: { to: 'failing', cause: 'made-up-code' } }])
  })
})
