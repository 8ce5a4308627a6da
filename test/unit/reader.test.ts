import { describe, expect, it } from 'vitest'
import { failure } from '../../functions/domain/failures.ts'
import { readBy } from '../../functions/domain/stream/reader.ts'
import type { StreamState } from '../../functions/domain/stream/stream.ts'
import { hour, minute } from '../../functions/domain/time.ts'
import { coveredFrom, now } from './streams.ts'

const origin = 'https://vendor.example'
const failedAt = now - 20 * minute
const troubled = (since: number): Partial<StreamState> => ({
  trouble: { failure: failure('tls-failed', ''), attempts: 5, since, until: now + 10 * minute },
  givenUp: { failure: failure('link-dead', ''), count: 3, since },
})
const readAfterEdit = (acceptedAt: number, more: Partial<StreamState> = troubled(failedAt)) =>
  readBy(coveredFrom(now - 10 * hour, now - hour, { origin, keys: ['key'], ...more }), { origin, keys: ['key'], since: 0, acceptedAt }, now)

describe('an edit of the connector', () => {
  it('ends the waits of a stream and its ranges that were given up, which began before it', () => {
    const stream = readAfterEdit(failedAt + 1)
    expect(stream).not.toHaveProperty('trouble')
    expect(stream).not.toHaveProperty('givenUp')
    expect(stream.covered).toEqual([{ from: now - 10 * hour, to: now - hour }])
  })

  it('leaves those that began after it', () => {
    expect(readAfterEdit(failedAt)).toMatchObject(troubled(failedAt))
  })

  it('ends a count of an earlier release, of which nobody knows when it began', () => {
    expect(readAfterEdit(1, { givenUp: { failure: failure('link-dead', ''), count: 3 } })).not.toHaveProperty('givenUp')
  })
})
