import type { Notice } from '../../functions/domain/notices.ts'
import type { Bus } from '../../functions/domain/ports.ts'

/** A bus in memory, that can be made to refuse. */
export class MemoryBus implements Bus {
  readonly notices: Notice[] = []
  refuses = false

  async put(notices: readonly Notice[]): Promise<void> {
    if (this.refuses) throw new Error('The bus takes nothing')
    this.notices.push(...notices)
  }
}
