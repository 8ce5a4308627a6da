import { describe, expect, it } from 'vitest'
import { VirtualClock } from '../../simulation/fakes/clock.ts'

describe('the virtual clock', () => {
  it('wakes those of one instant in the order in which they lay down', async () => {
    const clock = new VirtualClock(0)
    const order: number[] = []
    for (const n of [1, 2, 3, 4]) void clock.sleepUntil(10).then(() => order.push(n))
    await clock.run(10)
    expect(order).toEqual([1, 2, 3, 4])
  })

  it('lets everything that can go on go on before time passes', async () => {
    const clock = new VirtualClock(0)
    const seen: number[] = []
    void (async () => {
      await clock.sleepUntil(10)
      for (let i = 0; i < 100; i += 1) await Promise.resolve()
      seen.push(clock.now())
      await clock.sleepUntil(15)
      seen.push(clock.now())
    })()
    void clock.sleepUntil(11)
    await clock.run(20)
    expect(seen).toEqual([10, 15])
    expect(clock.now()).toBe(20)
  })

  it('says so when what is waited for will never be done', async () => {
    await expect(new VirtualClock(0).finish(new Promise(() => undefined))).rejects.toThrow(
      'Not done at 1970-01-01T00:00:00.000Z, with 0 asleep',
    )
  })

  it('shows a skewed clock the same time, off by the skew', async () => {
    const clock = new VirtualClock(1_000)
    const skewed = clock.skewed(-400)
    const woken = skewed.sleepUntil(800).then(() => clock.now())
    await clock.run(5_000)
    expect(await woken).toBe(1_200)
    expect(skewed.now()).toBe(4_600)
  })

  it('simulates a week of ten thousand sleepers in seconds', async () => {
    const clock = new VirtualClock(0)
    let wakes = 0
    const sleeper = async (every: number) => {
      for (let at = every; at <= 7 * 24 * 60; at += 60) {
        await clock.sleepUntil(at)
        wakes += 1
      }
    }
    for (let n = 1; n <= 10_000; n += 1) void sleeper(n % 60)
    await clock.run(7 * 24 * 60)
    expect(wakes).toBeGreaterThan(1_600_000)
  }, 20_000)
})
