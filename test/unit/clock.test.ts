import { afterEach, describe, expect, it, vi } from 'vitest'
import { countClockSteps, systemClock } from '../../functions/adapters/clock.ts'
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

describe('the steps of a clock', () => {
  /** A machine whose two clocks run together until one is set. */
  function machine() {
    const now = { wall: 1_000_000, monotonic: 5_000.25 }
    const clocks = { wallMs: () => Math.floor(now.wall), monotonicMs: () => now.monotonic }
    const pass = (ms: number) => Object.assign(now, { wall: now.wall + ms, monotonic: now.monotonic + ms })
    return { now, clocks, pass, steps: countClockSteps(clocks) }
  }

  it('are none while time passes, however long', () => {
    const { pass, steps } = machine()
    for (let i = 0; i < 1_000; i++) {
      pass(997.3)
      expect(steps()).toBe(0)
    }
  })

  it.each([400, -400, 6, -6])('are counted once each: %i ms', (ms) => {
    const { now, pass, steps } = machine()
    pass(10)
    steps()
    now.wall += ms
    pass(day)
    expect(steps()).toBe(1)
    expect(steps()).toBe(1)
    now.wall -= ms
    expect(steps()).toBe(2)
  })

  it('are not counted when the process is interrupted between its readings', () => {
    const { clocks, pass } = machine()
    let readings = 0
    const interrupted = {
      wallMs: () => {
        if (readings++ % 2 === 1) pass(300)
        return clocks.wallMs()
      },
      monotonicMs: clocks.monotonicMs,
    }
    const steps = countClockSteps(interrupted)
    for (let i = 0; i < 20; i++) expect(steps()).toBe(0)
  })
})
