import { type ReadStep, stepsTogether } from '../../domain/stream/schedule.ts'
import type { StreamId, StreamState } from '../../domain/stream/stream.ts'
import { pageRequest } from './deliver-page.ts'
import { type BegunRequest, fetchPage, type StepContext, type StepPorts } from './read-range.ts'

/** A read step whose first request is under way. */
export interface BegunStep {
  readonly step: ReadStep
  readonly request: BegunRequest
}

/** The streams that may be read now, and what decides their order. */
interface Ready {
  readonly streams: ReadonlyMap<StreamId, StreamState>
  readonly readSteps: number
}

/**
 * The first requests of quiet streams, sent together, so that a run waits for the vendor once and not once a stream. Their pages are read one
 * after the other. No request waits for a token, and each response may take its part of the memory of one.
 */
export class FirstRequests {
  private readonly ports: StepPorts
  private begun: readonly BegunStep[] = []
  /** The requests without an outcome, also those whose step was taken or forgotten. */
  private readonly underWay = new Set<Promise<void>>()

  constructor(ports: StepPorts) {
    this.ports = ports
  }

  /** Sends them, if there are at least two. Only when none is under way. */
  async begin(context: Omit<StepContext, 'keyWorks'>, { streams, readSteps }: Ready): Promise<void> {
    const steps = stepsTogether(streams, readSteps, this.ports.clock.now(), context.policy)
    if (steps.length < 2) return
    for (const step of steps) {
      const request = pageRequest({ ...context, stream: step.stream }, step.range)
      if (!request.ok) return
      const answer = await context.keys.admit({ waitMaxMs: 0, together: steps.length - this.begun.length })
      if (answer.kind !== 'go') return
      const requestedAt = this.ports.clock.now()
      const page = fetchPage({ ports: this.ports, context }, request.value, answer, 1 / steps.length)
      // Whoever awaits it gets the error.
      const ended = page.then(
        () => {},
        () => {},
      )
      this.underWay.add(ended)
      void ended.then(() => this.underWay.delete(ended))
      this.begun = [...this.begun, { step, request: { key: answer.key, requestedAt, page } }]
    }
  }

  /** The next one, in the order of the steps. Those of a key that has left the pool are forgotten. */
  next(keys: StepContext['keys']): BegunStep | undefined {
    const [next, ...later] = this.begun.filter(({ request }) => keys.has(request.key.fingerprint))
    this.begun = later
    return next
  }

  /** Waits for those that nobody has awaited, so that their tokens are settled. Their streams are read again. */
  async settle(): Promise<void> {
    await Promise.all(this.underWay)
    this.begun = []
  }
}
