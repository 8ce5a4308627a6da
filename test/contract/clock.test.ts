import { describe, expect, it } from 'vitest'
import { systemClock } from '../../functions/adapters/clock.ts'
import type { Clock } from '../../functions/domain/ports.ts'
import { VirtualClock } from '../../simulation/fakes/clock.ts'

interface Open {
  readonly clock: Clock
  /** Lets as much time pass as the work needs. */
  finish<T>(work: Promise<T>): Promise<T>
}

const clocks: readonly [string, () => Open][] = [
  ['of the simulation', () => openVirtual()],
  ['of the machine', () => ({ clock: systemClock, finish: (work) => work })],
]

function openVirtual(): Open {
  const clock = new VirtualClock()
  return { clock, finish: (work) => clock.finish(work) }
}

describe.each(clocks)('the clock %s', (_, open) => {
  it('never wakes a sleeper early', async () => {
    const { clock, finish } = open()
    const at = clock.now() + 25
    await finish(clock.sleepUntil(at))
    expect(clock.now()).toBeGreaterThanOrEqual(at)
  })

  it('returns at once if the instant has passed', async () => {
    const { clock, finish } = open()
    await finish(clock.sleepUntil(clock.now() - 1_000_000))
  })

  it('wakes the earliest sleeper first, in whatever order they came', async () => {
    const { clock, finish } = open()
    const order: string[] = []
    const sleep = async (ms: number, name: string) => {
      await clock.sleepUntil(clock.now() + ms)
      order.push(name)
    }
    await finish(Promise.all([sleep(40, 'last'), sleep(5, 'first'), sleep(20, 'second')]))
    expect(order).toEqual(['first', 'second', 'last'])
  })
})
