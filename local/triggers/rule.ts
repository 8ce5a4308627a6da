import { randomUUID } from 'node:crypto'
import type { ScheduledEvent } from 'aws-lambda'
import { account, invoke, region, type Trigger, type TriggerOptions } from './invocation.ts'
import { repeat } from './repeat.ts'

const everyMsDefault = 60_000

/**
 * Starts the rule that ticks every minute. The first tick comes at once, and the next ones do not wait for the function to end. A tick
 * carries the time at which it was due. Ticks that were due while the machine slept are left out.
 */
export function startRule(options: TriggerOptions<ScheduledEvent> & { readonly everyMs?: number; readonly now?: () => number }): Trigger {
  const { everyMs = everyMsDefault, now = Date.now } = options
  const running = new Set<Promise<unknown>>()
  let nextAt = now()

  async function tick(): Promise<void> {
    const missed = Math.floor((now() - nextAt) / everyMs)
    const at = nextAt + Math.max(0, missed) * everyMs
    nextAt = at + everyMs
    // The function logs its failure, and the next tick does the work.
    const invocation = invoke(options, 'dispatch', scheduledEvent(at))
      .catch(() => undefined)
      .finally(() => running.delete(invocation))
    running.add(invocation)
  }

  const ticking = repeat(tick, () => Math.max(0, nextAt - now()))
  return {
    async stop() {
      await ticking.stop()
      await Promise.all(running)
    },
  }
}

function scheduledEvent(at: number): ScheduledEvent {
  return {
    version: '0',
    id: randomUUID(),
    'detail-type': 'Scheduled Event',
    source: 'aws.events',
    account,
    time: `${new Date(at).toISOString().slice(0, 19)}Z`,
    region,
    resources: [`arn:aws:events:${region}:${account}:rule/tributary-tick`],
    detail: {},
  }
}
