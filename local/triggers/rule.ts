import { randomUUID } from 'node:crypto'
import type { ScheduledEvent } from 'aws-lambda'
import { account, invoke, region, type Trigger, type TriggerOptions } from './invocation.ts'
import { repeat } from './repeat.ts'

const everyMsDefault = 60_000

/**
 * The rule that ticks every minute: at once, and then each time a minute has passed, whether or not the function has come to an end. A tick
 * says the time it was meant for; those that a machine slept through are left out.
 */
export function startRule(options: TriggerOptions<ScheduledEvent> & { readonly everyMs?: number; readonly now?: () => number }): Trigger {
  const { everyMs = everyMsDefault, now = Date.now } = options
  const running = new Set<Promise<unknown>>()
  let nextAt = now()

  async function tick(): Promise<void> {
    const missed = Math.floor((now() - nextAt) / everyMs)
    const at = nextAt + Math.max(0, missed) * everyMs
    nextAt = at + everyMs
    // The function logs what went wrong in it; the next tick makes up for it.
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
