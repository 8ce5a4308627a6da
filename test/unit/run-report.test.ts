import { beforeEach, describe, expect, it } from 'vitest'
import { failure } from '../../functions/domain/failures.ts'
import type { LogEntry } from '../../functions/domain/ports.ts'
import { newStream } from '../../functions/domain/stream/ledger.ts'
import { countRequest } from '../../functions/domain/stream/reading.ts'
import { hour, minute, second } from '../../functions/domain/time.ts'
import { RunReport } from '../../functions/flows/collect/run-report.ts'
import { trendmicroCas } from '../../functions/vendors/trendmicro-cas/index.ts'
import { MemoryBus } from '../../simulation/fakes/bus.ts'
import { VirtualClock } from '../../simulation/fakes/clock.ts'
import { connector } from '../../simulation/fakes/connector.ts'
import { memoryState } from '../../simulation/fakes/state.ts'
import { policy } from './streams.ts'

let clock: VirtualClock
let log: LogEntry[]

beforeEach(() => {
  clock = new VirtualClock()
  log = []
})

function newReport(): RunReport {
  const ports = {
    clock,
    state: memoryState(clock),
    bus: new MemoryBus(),
    log: (entry: LogEntry) => log.push(entry),
    publish: () => {},
    random: () => 0,
  }
  return new RunReport(ports, { connector: connector(), acceptedAt: 0 }, trendmicroCas, undefined, new Map())
}

const unreachable = failure('unreachable', 'No connection')

describe('a failure of the whole connector', () => {
  it('is kept with its code, detail, status and trace id, without what an earlier record of it held', () => {
    const report = newReport()
    const recorded = { ...failure('throttled', 'Too many', { status: 429, traceId: 't', retryAfterMs: second }), at: 1, stream: 'x' }
    report.connectorFailed(recorded, clock.now() + minute)
    const kept = { code: 'throttled', detail: 'Too many', status: 429, traceId: 't' }
    expect(report.status.trouble?.failure).toEqual(kept)
    expect(report.status.lastFailure).toEqual({ ...kept, at: clock.now() })
  })

  it('makes the connector back off longer with each one in a row, until a page is read', () => {
    const report = newReport()
    const backoff = () => report.connectorFailed(unreachable) - clock.now()
    const first = backoff()
    expect(backoff()).toBe(2 * first)
    report.noLongerFailing()
    expect(backoff()).toBe(first)
  })

  it('makes the connector back off until the given instant, if there is one', () => {
    expect(newReport().connectorFailed(unreachable, clock.now() + hour)).toBe(clock.now() + hour)
  })
})

describe('a lost range', () => {
  it('is logged once a run for each stream, because it grows with every step', () => {
    const report = newReport()
    for (const to of [2, 3]) report.rangeLost('x', { from: 1, to, reason: 'retention-limit' })
    report.rangeLost('y', { from: 1, to: 2, reason: 'paused' })
    expect(log.map(({ event, stream }) => [event, stream])).toEqual([
      ['range-lost', 'x'],
      ['range-lost', 'y'],
    ])
  })
})

describe('a read step', () => {
  const before = newStream(0, 0)

  it('is counted, so that the next run goes on with the order of the steps', () => {
    const report = newReport()
    report.stepTaken(before, countRequest(before))
    report.stepTaken(before, countRequest(before))
    expect(report.status.readSteps).toBe(2)
  })

  it('that made no request is not counted, so that a gap keeps its turn', () => {
    const report = newReport()
    report.stepTaken(before, before)
    expect(report.status.readSteps).toBe(0)
  })
})

describe('the status of a run', () => {
  it('is due 30 s after it was last written', async () => {
    const report = newReport()
    await clock.advance(30 * second - 1)
    expect(report.isDue()).toBe(false)
    await clock.advance(1)
    expect(report.isDue()).toBe(true)
  })

  it('names the log filters that took too many steps', async () => {
    const stream = { ...newStream(clock.now(), clock.now()), lastReadAt: clock.now(), filtersOff: ['slow'] }
    const streams = new Map(['a', 'b'].map((id) => [id, { ...stream, filtersOff: id === 'a' ? ['slow'] : ['slow', 'more'] }]))
    const report = newReport()
    await report.write({ streams, saved: streams, policy, gate: { outage: undefined } })
    expect(report.status.reason).toContain('Log filters took too many steps, and dropped nothing on the rest of a page: more, slow. Give ')
  })
})
