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
  withProbe,
} from '../../functions/domain/origin.ts'
import { minute, second } from '../../functions/domain/time.ts'

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
    expect(mayAsk(down, at(119))).toBe('leave')
    expect(mayAsk(down, at(120))).toBe('probe')
  })

  it('the run that claims the probe is the only one, until its claim ends after 45 s', () => {
    const claimed = withProbe(down!, 'prober', at(120))
    expect(mayAsk(claimed, at(164))).toBe('leave')
    expect(mayAsk(claimed, at(165))).toBe('probe')
  })

  it('a probe that failed is followed by the next one a minute after it began', () => {
    const claimed = withProbe(down!, 'prober', at(120))
    const failed = afterSilence(claimed, { key: 'c', sentAt: at(120), failure: why }, 'prober', at(150))
    expect(mayAsk(failed, at(179))).toBe('leave')
    expect(mayAsk(failed, at(180))).toBe('probe')
  })

  it('a request that was under way changes nothing', () => {
    expect(afterSilence(down, { key: 'c', sentAt: at(50), failure: why }, 'another', at(80))).toBeUndefined()
  })

  it('the run that asked asks again with the next probe if it is alone, and lets others go first if not', () => {
    const alone = silent(['a', 30], ['a', 65], ['a', 105])
    expect(nextProbeOf(alone!)).toBe(start + 105 * second + minute)
    expect(nextProbeOf(down!)).toBe(start + 60 * second + minute + 10 * second)
  })

  it('any response ends it, and the next needs no record', () => {
    const up = responds(withProbe(down!, 'prober', at(120)), 'a', 150)
    expect(mayAsk(up, at(150))).toBe('ask')
    expect(afterResponse(up, 'b', at(151))).toBeUndefined()
    expect(afterResponse(undefined, 'b', at(151))).toBeUndefined()
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
