import type { Bus } from '../../functions/domain/ports.ts'
import type { Notification } from '../../functions/domain/status/notifications.ts'

/** A bus in memory. It refuses everything while `refuses` is set. */
export class MemoryBus implements Bus {
  readonly notifications: Notification[] = []
  refuses = false

  async put(notifications: readonly Notification[]): Promise<void> {
    if (this.refuses) throw new Error('The bus refuses every notification')
    this.notifications.push(...notifications)
  }
}
