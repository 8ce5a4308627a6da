import type { Bus } from '../../functions/domain/ports.ts'
import type { Notice } from '../../functions/domain/status/notifications.ts'

/** A bus in memory, that can be made to refuse. */
export class MemoryBus implements Bus {
  readonly notices: Notice[] = []
  refuses = false

  async put(notices: readonly Notice[]): Promise<void> {
    if (this.refuses) throw new Error('The bus takes nothing')
    this.notices.push(...notices)
  }
}
