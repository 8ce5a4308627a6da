import { describe, expect, it } from 'vitest'
import { failure } from '../../functions/domain/failures.ts'
import { newStatus, type RunReport, statusAfterRun } from '../../functions/domain/status/status.ts'
import type { StreamState } from '../../functions/domain/stream/stream.ts'
import { day, hour, iso, minute } from '../../functions/domain/time.ts'
import { now, policy, stream } from './streams.ts'

const connector = { connectorId: 'acme.cas', type: 'trendmicro-cas', baseUrl: 'https://api.example.com' }
const delivered = { delivered: 0, filtered: 0, requests: 1, throttled: 0 }
const statusOf = (streams: readonly StreamState[], more: Partial<RunReport> = {}, stored = newStatus(now - hour, 'Acme')) =>
  statusAfterRun(
    stored,
    { rejectedKeys: {}, readSteps: 0 },
    {
      now,
      streams: new Map(streams.map((each, i) => [`sharepoint/${i}`, each])),
      policy,
      connector,
      unusableKeys: [],
      delivered,
      ...more,
    },
  )
const behind = (more: Partial<StreamState> = {}) => stream(now - 10 * hour, { lastReadAt: now, widthMs: hour, pagesTarget: 1, ...more })

describe('a throttled connector', () => {
  const otherConsumers = { taken: 8, limit: 20 }
  const consumer = 'Throttled by another consumer: about 8 of the 20 requests a minute go to it.'

  it('names the other consumer of its key first', () => {
    const { state, reason } = statusOf([behind()], { otherConsumers })
    expect(state).toBe('throttled')
    expect(reason.indexOf(consumer)).toBe(0)
    expect(reason.lastIndexOf(consumer)).toBe(0)
  })

  it.each([
    ['a backlog', [behind()], /A backlog: of the 100 requests/],
    ['too many streams', Array.from({ length: 120 }, () => behind()), /Too many streams: 120 need a request each 5 min/],
    ['a spike', [behind({ widthMs: 10_000, pagesTarget: 5 })], /A spike: the new events fill about 150 pages each 5 min/],
  ])('names %s too', (_, streams, words) => {
    expect(statusOf(streams, { otherConsumers }).reason).toMatch(words)
    expect(statusOf(streams)).toMatchObject({ state: 'catching-up', reason: expect.stringMatching(words) })
  })
})

describe('the status after a run', () => {
  it('counts the day, and keeps those of the seven days before that had events or refused requests', () => {
    const nothing = { delivered: 0, filtered: 0, requests: 288, throttled: 0 }
    const nameOf = (daysAgo: number) => iso(now - daysAgo * day).slice(0, 10)
    const stored = {
      ...newStatus(now - 9 * day),
      days: {
        [nameOf(8)]: { ...nothing, delivered: 1 },
        [nameOf(7)]: { ...nothing, delivered: 2 },
        [nameOf(5)]: nothing,
        [nameOf(3)]: { ...nothing, throttled: 3 },
        [nameOf(2)]: { ...nothing, filtered: 4 },
        [nameOf(1)]: nothing,
        [nameOf(0)]: nothing,
      },
    }
    const { days } = statusOf([behind()], {}, stored)
    expect(Object.keys(days)).toEqual([7, 3, 2, 0].map(nameOf))
    expect(days[nameOf(0)]).toEqual({ ...nothing, requests: 289 })
  })

  const trouble = (attempts: number, until: number) => ({ failure: failure('forbidden', 'Status 403'), attempts, until, since: now })

  it('has the next try of the first stream that fails lastingly, until none does', () => {
    const failing = statusOf([behind({ trouble: trouble(9, now + 5 * minute) }), behind({ trouble: trouble(9, now + minute) })])
    expect(failing).toMatchObject({ state: 'failing', nextTryAt: now + minute })
    expect(statusOf([behind()], {}, failing)).not.toHaveProperty('nextTryAt')
  })

  it('says when events were last lost, also after the ranges are no longer kept one by one', () => {
    const lost = (hoursAgo: number) => ({
      from: now - hoursAgo * hour,
      to: now - (hoursAgo - 1) * hour,
      reason: 'retention-limit' as const,
    })
    const losing = statusOf([behind({ lostRanges: [lost(90)] }), behind({ lostRanges: [lost(100), lost(80)] })])
    expect(losing).toMatchObject({ lostRanges: 3, lastLost: { from: now - 80 * hour, to: now - 79 * hour } })
    const summed = statusOf([behind({ lostBefore: { count: 3, ms: 3 * hour } })], {}, losing)
    expect(summed.lastLost).toEqual(losing.lastLost)
  })
})
