import { tenantGroup } from '../../functions/domain/dispatch.ts'
import type { Clock, Queue } from '../../functions/domain/ports.ts'
import { type Instant, minute, second } from '../../functions/domain/time.ts'

/** The queue keeps a message this long (ms). */
const keptMs = 15 * minute

export interface WorkMessage {
  readonly connectorId: string
  /** The end of the claim. */
  readonly claim: Instant | undefined
  readonly sentAt: Instant
}

interface Options {
  readonly clock: Clock
  /** Runs at the same time, at most (count). */
  readonly places: number
  /** Receives a message in a place of its own. */
  readonly run: (message: WorkMessage) => Promise<void>
  readonly happened: (event: 'run waited for a place' | 'message expired') => void
}

/**
 * The work queue with the places of its runs. As on SQS, the next message is one of the group with the fewest runs under way, and a message
 * that waits too long is gone: https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-fair-queues.html
 */
export class WorkQueue implements Queue {
  private readonly options: Options
  /** By group, in the order in which they became visible. */
  private readonly waiting = new Map<string, WorkMessage[]>()
  private readonly underWay = new Map<string, number>()
  private placesTaken = 0

  constructor(options: Options) {
    this.options = options
  }

  async send(connectorId: string, delaySeconds: number, claim?: Instant): Promise<void> {
    void this.show({ connectorId, claim, sentAt: this.options.clock.now() }, delaySeconds * second)
  }

  private async show(message: WorkMessage, delayMs: number): Promise<void> {
    const { clock, places, happened } = this.options
    await clock.sleepUntil(clock.now() + delayMs)
    const group = tenantGroup(message.connectorId)
    this.waiting.set(group, [...(this.waiting.get(group) ?? []), message])
    if (this.placesTaken >= places) happened('run waited for a place')
    else this.serve()
  }

  private serve(): void {
    const message = this.take()
    if (message === undefined) return
    const group = tenantGroup(message.connectorId)
    this.placesTaken += 1
    this.underWay.set(group, this.runsOf(group) + 1)
    void this.options.run(message).finally(() => {
      this.placesTaken -= 1
      this.underWay.set(group, this.runsOf(group) - 1)
      this.serve()
    })
  }

  private take(): WorkMessage | undefined {
    for (;;) {
      const groups = [...this.waiting.keys()]
      const [first] = groups
      if (first === undefined) return undefined
      const group = groups.reduce((a, b) => (this.runsOf(b) < this.runsOf(a) ? b : a), first)
      const [message, ...later] = this.waiting.get(group) ?? []
      // A group that was served waits behind those with as many runs.
      this.waiting.delete(group)
      if (later.length > 0) this.waiting.set(group, later)
      if (message === undefined) continue
      if (this.options.clock.now() < message.sentAt + keptMs) return message
      this.options.happened('message expired')
    }
  }

  private runsOf(group: string): number {
    return this.underWay.get(group) ?? 0
  }
}
