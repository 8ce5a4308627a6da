import { randomUUID } from 'node:crypto'
import { appendFile } from 'node:fs/promises'
import { join } from 'node:path'
import * as z from 'zod'
import type { Operation } from './aws-json.ts'

const putEvents = z.object({
  Entries: z
    .array(z.object({ Source: z.string(), DetailType: z.string(), Detail: z.string() }))
    .min(1)
    .max(10),
})

/** Holds every event that was put on the bus, one JSON object a line, the oldest first. */
function notificationsFile(dataDir: string): string {
  return join(dataDir, 'notifications.ndjson')
}

/** Serves EventBridge: each event is appended to a file of the data folder, in the form that a rule of the bus would receive. */
export function eventBusOperations(options: { readonly dataDir: string; readonly now: () => number }): Readonly<Record<string, Operation>> {
  return {
    async 'AWSEvents.PutEvents'(input) {
      const { Entries } = putEvents.parse(input)
      const events = Entries.map(({ Source, DetailType, Detail }) => ({
        id: randomUUID(),
        time: new Date(options.now()).toISOString(),
        source: Source,
        'detail-type': DetailType,
        detail: JSON.parse(Detail) as unknown,
      }))
      await appendFile(notificationsFile(options.dataDir), events.map((event) => `${JSON.stringify(event)}\n`).join(''), { mode: 0o600 })
      return { FailedEntryCount: 0, Entries: events.map(({ id }) => ({ EventId: id })) }
    },
  }
}
