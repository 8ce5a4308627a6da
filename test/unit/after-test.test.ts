import { describe, expect, it } from 'vitest'
import { failure } from '../../functions/domain/failures.ts'
import { statusAfterTest, streamAfterTest } from '../../functions/domain/operate/test/after-test.ts'
import { connectorStates } from '../../functions/domain/status/connector-state.ts'
import { type ConnectorStatus, newStatus } from '../../functions/domain/status/status.ts'
import { hour, minute } from '../../functions/domain/time.ts'
import { now, stream } from './streams.ts'

const why = failure('unauthorized', 'No')
const failing: ConnectorStatus = {
  ...newStatus(now - hour),
  state: 'failing',
  reason: 'The key was rejected.',
  cause: 'unauthorized',
  trouble: { failure: why, attempts: 3, until: now + hour },
  rejectedKeys: { a: { at: now, until: now + hour, attempts: 2 }, b: { at: now, until: now + hour, attempts: 1 } },
  lastRunAt: now - 30 * minute,
  lostRanges: 2,
}

describe('the status after a Test that passed', () => {
  it('changes only if the connector was failing', () => {
    for (const state of connectorStates.filter((each) => each !== 'failing')) {
      expect(statusAfterTest({ ...failing, state }, ['a'], now)).toBeUndefined()
    }
  })

  it('is no longer failing, keeps every loss, and ends the rejection of the keys that the vendor has just accepted', () => {
    const after = statusAfterTest(failing, ['a'], now)
    expect(after).toMatchObject({ state: 'ok', lostRanges: 2, since: now, reason: expect.stringContaining('The next run shows') })
    expect(after?.trouble).toBeUndefined()
    expect(after?.cause).toBeUndefined()
    expect(Object.keys(after?.rejectedKeys ?? {})).toEqual(['b'])
    expect(after?.pendingChanges).toHaveLength(1)
  })

  it('says that events are behind, or are about to be lost, and that an edit was refused', () => {
    const behind = { ...failing, streamsBehind: 3, retentionLeftMs: 50 * hour }
    expect(statusAfterTest(behind, [], now)).toMatchObject({ state: 'catching-up' })
    expect(statusAfterTest({ ...behind, retentionLeftMs: 24 * hour + minute }, [], now)).toMatchObject({ state: 'losing-data' })
    const refused = { ...failing, problems: [{ path: 'baseUrl', message: 'It is wrong.' }] }
    expect(statusAfterTest(refused, [], now)).toMatchObject({ reason: expect.stringContaining('baseUrl: It is wrong.') })
  })
})

describe('a stream after a Test that passed', () => {
  it('is read at once, and one more failure makes its trouble last', () => {
    const troubled = stream(now - hour, { version: 4, trouble: { failure: why, attempts: 7, until: now + hour, since: now - hour } })
    expect(streamAfterTest(troubled, now)).toMatchObject({ version: 5, trouble: { attempts: 1, until: now } })
    expect(streamAfterTest(stream(now), now)).toBeUndefined()
  })
})
