import type { PutEventsCommand } from '@aws-sdk/client-eventbridge'
import type { Bus } from '../../functions/domain/ports.ts'
import type { Notification } from '../../functions/domain/status/notifications.ts'

/** A bus in memory, as a port and at the level of the client. It refuses everything while `refuses` is set. */
export class MemoryBus implements Bus {
  readonly notifications: Notification[] = []
  refuses = false

  async put(notifications: readonly Notification[]): Promise<void> {
    if (this.refuses) throw new Error('The bus refuses every notification')
    this.notifications.push(...notifications)
  }

  /** One call of the client, as the real adapter makes it. */
  async send({ input: { Entries = [] } }: PutEventsCommand): Promise<unknown> {
    await this.put(Entries.map(({ DetailType, Detail = '{}' }) => ({ type: DetailType, detail: JSON.parse(Detail) }) as Notification))
    return { FailedEntryCount: 0 }
  }
}
