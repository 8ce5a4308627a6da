import type { Clock, Queue } from '../../functions/domain/ports.ts'
import type { Instant } from '../../functions/domain/time.ts'

/** A queue in memory. It delivers each message once. */
export class MemoryQueue implements Queue {
  readonly #clock: Clock
  /** In the order of arrival. */
  messages: { readonly connectorId: string; readonly visibleAt: Instant; readonly claim?: Instant }[] = []

  constructor(clock: Clock) {
    this.#clock = clock
  }

  async send(connectorId: string, delaySeconds: number, claim?: Instant): Promise<void> {
    if (!Number.isInteger(delaySeconds) || delaySeconds < 0 || delaySeconds > 900) {
      throw new RangeError(`A delay of ${delaySeconds} s; allowed are whole seconds from 0 to 900`)
    }
    this.messages.push({ connectorId, visibleAt: this.#clock.now() + delaySeconds * 1_000, ...(claim === undefined ? {} : { claim }) })
  }

  /** Removes and returns all messages whose delay is over. */
  receive(): string[] {
    const now = this.#clock.now()
    const visible = this.messages.filter(({ visibleAt }) => visibleAt <= now)
    this.messages = this.messages.filter(({ visibleAt }) => visibleAt > now)
    return visible.map(({ connectorId }) => connectorId)
  }
}
