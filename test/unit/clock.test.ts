import { afterEach, describe, expect, it, vi } from 'vitest'
import { systemClock } from '../../functions/adapters/clock.ts'
import { day } from '../../functions/domain/time.ts'

afterEach(() => {
  vi.useRealTimers()
  vi.restoreAllMocks()
})

describe('the system clock', () => {
  it('never wakes a sleeper before the instant, in real time', async () => {
    for (let i = 0; i < 30; i++) {
      const at = systemClock.now() + 2
      await systemClock.sleepUntil(at)
      expect(systemClock.now()).toBeGreaterThanOrEqual(at)
    }
  })

  it('returns at once if the instant has passed', async () => {
    vi.useFakeTimers()
    await systemClock.sleepUntil(systemClock.now() - 1)
    expect(vi.getTimerCount()).toBe(0)
  })

  it('goes on sleeping if a timer fires early', async () => {
    vi.useFakeTimers()
    const nows = [1_000, 1_099, 1_100]
    vi.spyOn(Date, 'now').mockImplementation(() => nows.shift() ?? 1_100)
    const slept = systemClock.sleepUntil(1_100)
    await vi.advanceTimersByTimeAsync(100)
    expect(vi.getTimerCount()).toBe(1)
    await vi.advanceTimersByTimeAsync(1)
    await slept
    expect(nows).toEqual([])
  })

  it('can sleep for longer than a single timer', async () => {
    vi.useFakeTimers()
    const at = systemClock.now() + 30 * day
    let awake = false
    const slept = systemClock.sleepUntil(at).then(() => {
      awake = true
    })
    await vi.advanceTimersByTimeAsync(30 * day - 1)
    expect(awake).toBe(false)
    await vi.advanceTimersByTimeAsync(1)
    await slept
    expect(systemClock.now()).toBe(at)
  })
})
