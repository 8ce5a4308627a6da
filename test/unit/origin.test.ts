import { describe, expect, it } from 'vitest'
import { failure } from '../../functions/domain/failures.ts'
import {
  afterResponse,
  afterSilence,
  isResponse,
  isSilence,
  mayAsk,
  nextProbeOf,
  type OriginHealth,
  turnOf,
  withProbe,
  withTurn,
} from '../../functions/domain/origin.ts'
import { second } from '../../functions/domain/time.ts'

const start = Date.UTC(2026, 10, 24, 12)
const why = failure('timed-out', 'No response within 30 s')

/** The health after requests without a response, each with its key and the second in which it failed, 30 s after it was sent. */
function silent(...seen: readonly (readonly [key: string, failedAtSecond: number])[]): OriginHealth | undefined {
  return seen.reduce<OriginHealth | undefined>((health, [key, at]) => fails(health, key, at), undefined)
}

function fails(health: OriginHealth | undefined, key: string, atSecond: number): OriginHealth | undefined {
  const now = start + atSecond * second
  return afterSilence(health, { key, sentAt: now - 30 * second, failure: why }, `run of ${key}`, now) ?? health
}

function responds(health: OriginHealth | undefined, key: string, atSecond: number): OriginHealth | undefined {
  return afterResponse(health, key, start + atSecond * second) ?? health
}

const isDown = (health: OriginHealth | undefined) => health?.down !== undefined

describe('an origin is down', () => {
  it('when two keys had no response for a minute', () => {
    expect(isDown(silent(['a', 30], ['b', 59]))).toBe(false)
    expect(isDown(silent(['a', 30], ['b', 60]))).toBe(true)
  })

  it('when the only key had none three times', () => {
    expect(isDown(silent(['a', 30], ['a', 65]))).toBe(false)
    expect(isDown(silent(['a', 30], ['a', 65], ['a', 105]))).toBe(true)
  })

  it('not by three failures within a minute', () => {
    expect(isDown(silent(['a', 30], ['a', 40], ['a', 50]))).toBe(false)
  })

  it('not by failures around a response of any status', () => {
    expect(isDown(fails(responds(silent(['a', 30]), 'b', 40), 'a', 75))).toBe(false)
  })

  it('not while another key had a response lately, however often one fails', () => {
    let health = responds(silent(['a', 30]), 'b', 40)
    for (let at = 80; at < 600; at += 40) health = fails(health, 'a', at)
    expect(isDown(health)).toBe(false)
    expect(isDown(fails(health, 'b', 600))).toBe(true)
  })

  it('not by a request that was sent before the last response', () => {
    expect(fails(responds(silent(['a', 30], ['b', 60]), 'b', 65), 'a', 90)).toEqual(responds(silent(['a', 30], ['b', 60]), 'b', 65))
  })

  it('not by two failures with a long time without requests between them', () => {
    expect(isDown(silent(['a', 30], ['b', 30 + 601]))).toBe(false)
  })
})

describe('while an origin is down', () => {
  const down = silent(['a', 30], ['b', 60])
  const at = (seconds: number) => start + seconds * second

  it('nobody asks for a minute, then one may', () => {
    expect(mayAsk(down, 'any', at(119))).toBe('leave')
    expect(mayAsk(down, 'any', at(120))).toBe('probe')
  })

  it('the run that claims the probe is the only one, until its claim ends after 45 s', () => {
    const claimed = withProbe(down!, 'prober', at(120))
    expect(mayAsk(claimed, 'any', at(164))).toBe('leave')
    expect(mayAsk(claimed, 'any', at(165))).toBe('probe')
  })

  it('a probe that failed is followed by the next one a minute after it began', () => {
    const claimed = withProbe(down!, 'prober', at(120))
    const failed = afterSilence(claimed, { key: 'c', sentAt: at(120), failure: why }, 'prober', at(150))
    expect(mayAsk(failed, 'any', at(179))).toBe('leave')
    expect(mayAsk(failed, 'any', at(180))).toBe('probe')
  })

  it('a request that was under way changes nothing', () => {
    expect(afterSilence(down, { key: 'c', sentAt: at(50), failure: why }, 'another', at(80))).toBeUndefined()
  })

  it('the run that asked asks again with the next tick that is half a minute later', () => {
    const foundBy = (seconds: number) => silent(['a', 30], ['b', seconds])
    expect([60, 89, 90, 91].map((seconds) => nextProbeOf(foundBy(seconds)!))).toEqual([at(120), at(120), at(120), at(180)])
  })

  it('any response ends it, and the next needs no record', () => {
    const up = responds(withProbe(down!, 'prober', at(120)), 'a', 150)
    expect(mayAsk(up, 'any', at(150))).toBe('ask')
    expect(afterResponse(up, 'b', at(151))).toBeUndefined()
    expect(afterResponse(undefined, 'b', at(151))).toBeUndefined()
  })
})

describe('the turn of the next probe', () => {
  const at = (seconds: number) => start + seconds * second
  const down = silent(['a', 30], ['b', 60])
  const comes = (health: OriginHealth | undefined, connectorId: string, seconds: number, askedAt = at(seconds - 3_600)) =>
    withTurn(health, { connectorId, askedAt }, at(seconds)) ?? health

  it('is that of the connector that has not asked for longest, whichever comes first', () => {
    const turn = comes(comes(comes(down, 'late', 70, at(50)), 'early', 80, at(20)), 'later', 90, at(55))
    expect(['late', 'early', 'later'].map((each) => turnOf(turn, each))).toEqual([undefined, at(120), undefined])
  })

  it('is kept for ten seconds', () => {
    const turn = comes(down, 'next', 70)
    expect([120, 129, 130].map((seconds) => mayAsk(turn, 'other', at(seconds)))).toEqual(['leave', 'leave', 'probe'])
    expect(mayAsk(turn, 'next', at(119))).toBe('leave')
    expect(mayAsk(turn, 'next', at(120))).toBe('probe')
  })

  it('comes with the tick after the probe under way, and is free again when it is taken', () => {
    const turn = comes(withProbe(down!, 'prober', at(120)), 'next', 125)
    expect(turnOf(turn, 'next')).toBe(at(180))
    expect(turnOf(withProbe(turn!, 'run of next', at(180)), 'next')).toBeUndefined()
  })

  it('is not taken while a probe may be claimed, nor of an origin that is not down', () => {
    expect(withTurn(down, { connectorId: 'next', askedAt: 0 }, at(120))).toBeUndefined()
    expect(withTurn(silent(['a', 30]), { connectorId: 'next', askedAt: 0 }, at(40))).toBeUndefined()
  })

  it('is kept by the failure of the probe before it', () => {
    const turn = comes(withProbe(down!, 'prober', at(120)), 'next', 125)
    const failed = afterSilence(turn, { key: 'a', sentAt: at(120), failure: why }, 'prober', at(150))
    expect([turnOf(failed, 'next'), mayAsk(failed, 'other', at(180))]).toEqual([at(180), 'leave'])
  })
})

describe('a silence that goes on', () => {
  it('is recorded once a minute, so that a thousand runs write little', () => {
    const health = silent(['a', 30], ['b', 31])
    expect(afterSilence(health, { key: 'c', sentAt: start + 10 * second, failure: why }, 'run', start + 40 * second)).toBeUndefined()
    expect(health?.version).toBe(2)
  })
})

describe('a failure', () => {
  it.each(['timed-out', 'unreachable'] as const)('%s is silence', (code) => {
    expect([isSilence(failure(code, '')), isResponse(failure(code, ''))]).toEqual([true, false])
  })

  it.each(['unauthorized', 'throttled', 'vendor-error', 'redirected', 'not-found'] as const)('%s is a response', (code) => {
    expect([isSilence(failure(code, '')), isResponse(failure(code, ''))]).toEqual([false, true])
  })

  it.each(['tls-failed', 'address-refused', 'host-refused'] as const)('%s is neither', (code) => {
    expect([isSilence(failure(code, '')), isResponse(failure(code, ''))]).toEqual([false, false])
  })

  it('in the middle of a response is a response', () => {
    const broken = failure('timed-out', '', { status: 200 })
    expect([isSilence(broken), isResponse(broken)]).toEqual([false, true])
  })
})
