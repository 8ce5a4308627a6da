import type { Instant } from '../../functions/domain/time.ts'
import type { Totals } from '../../local/simulator/account.ts'
import { type BenchProcess, startSimulatorProcess } from '../processes.ts'

/** An event as the simulator made it. */
export interface MadeEvent {
  readonly id: string
  readonly stream: string
  /** The vendor shows it from then on. */
  readonly visibleAt: Instant
}

export interface Vendor extends BenchProcess {
  readonly url: string
  totals(): Promise<Totals>
  /** The events of a time, as the vendor made them. */
  events(from: Instant, to: Instant): Promise<readonly MadeEvent[]>
}

/** Starts the simulator in a process of its own. */
export async function startVendor(flags: readonly string[]): Promise<Vendor> {
  const { url, stop } = await startSimulatorProcess([...flags, '--account', 'totals'])
  return {
    url,
    stop,
    totals: async () => (await (await fetch(`${url}/simulator/account`)).json()) as Totals,
    async events(from, to) {
      const text = await (await fetch(`${url}/simulator/events?from=${from}&to=${to}`)).text()
      return text
        .split('\n')
        .filter(Boolean)
        .map((line) => JSON.parse(line))
    },
  }
}
