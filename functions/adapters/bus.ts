import { type EventBridgeClient, PutEventsCommand } from '@aws-sdk/client-eventbridge'
import type { Bus } from '../domain/ports.ts'
import { notificationSource } from '../domain/status/notifications.ts'

/** The most entries of one PutEvents (count). https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutEvents.html */
const entriesMax = 10

/** The stack's own bus on EventBridge. Throws the errors of the SDK, and an error if entries were refused. */
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
        const response = await client.send(new PutEventsCommand({ Entries }))
        if ((response.FailedEntryCount ?? 0) === 0) continue
        const codes = new Set(response.Entries?.flatMap(({ ErrorCode }) => ErrorCode ?? []))
        throw new Error(`EventBridge refused ${response.FailedEntryCount} of ${Entries.length} events: ${[...codes].join(', ')}`)
      }
    },
  }
}
