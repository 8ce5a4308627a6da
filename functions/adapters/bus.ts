import { type EventBridgeClient, PutEventsCommand } from '@aws-sdk/client-eventbridge'
import type { Bus } from '../domain/ports.ts'
import { notificationSource } from '../domain/status/notifications.ts'

/** One PutEvents takes no more. https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutEvents.html */
const entriesMax = 10

/** The stack's own bus on EventBridge. Throws what the SDK throws, and for entries that were refused. */
export function eventBridgeBus({ client, bus }: { readonly client: EventBridgeClient; readonly bus: string }): Bus {
  return {
    async put(notifications) {
      for (let from = 0; from < notifications.length; from += entriesMax) {
        const Entries = notifications.slice(from, from + entriesMax).map(({ type, detail }) => ({
          EventBusName: bus,
          Source: notificationSource,
          DetailType: type,
          Detail: JSON.stringify(detail),
        }))
        const answer = await client.send(new PutEventsCommand({ Entries }))
        if ((answer.FailedEntryCount ?? 0) === 0) continue
        const codes = new Set(answer.Entries?.flatMap(({ ErrorCode }) => ErrorCode ?? []))
        throw new Error(`EventBridge refused ${answer.FailedEntryCount} of ${Entries.length} events: ${[...codes].join(', ')}`)
      }
    },
  }
}
