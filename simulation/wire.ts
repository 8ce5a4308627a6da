import { readResponse } from '../functions/adapters/http/response.ts'
import { failure } from '../functions/domain/failures.ts'
import type { Clock, Source } from '../functions/domain/ports.ts'
import { failed, type Result } from '../functions/domain/result.ts'
import { type Instant, second } from '../functions/domain/time.ts'
import { requestTimeoutMs } from '../functions/domain/token-bucket.ts'
import type { VendorResponse } from '../functions/domain/vendor.ts'
import type { VendorModel } from '../local/simulator/model.ts'

/** An origin that does not respond from one instant to another, or takes its time. */
export interface OriginTrouble {
  readonly origin: string
  readonly kind: 'request to a dead origin' | 'request to a slow origin'
  readonly from: Instant
  readonly to: Instant
}

/** A response of a slow origin comes so much later (ms). With the way there and back it is within the time-out. */
const slowMs = 25 * second

interface WireOptions {
  readonly clock: Clock
  /** One way (ms). */
  readonly networkMs: number
  readonly troubles: readonly OriginTrouble[]
  readonly model: () => Pick<VendorModel, 'respond'>
  /** Changes the bodies of the vendor. `page`: how many came before. */
  readonly rewrite?: (body: string, page: number) => string
  readonly happened: (kind: OriginTrouble['kind']) => void
}

/** The network between the processes and the simulated vendor. */
export class Wire {
  private readonly options: WireOptions
  private pages = 0

  constructor(options: WireOptions) {
    this.options = options
  }

  /** The vendor for a process with this clock. */
  source(clock: Clock): Source {
    // A release before 0.4.0 names no instant.
    return { fetch: ({ url }, apiKey, _, sendBy = Number.POSITIVE_INFINITY) => this.fetch(clock, url, apiKey, sendBy) }
  }

  private async fetch(ownClock: Clock, url: string, apiKey: string, sendBy: Instant): Promise<Result<VendorResponse> | 'too-late'> {
    if (ownClock.now() > sendBy) return 'too-late'
    const { clock, networkMs, model, rewrite = (text) => text } = this.options
    const sentAt = clock.now()
    const { pathname, search, origin } = new URL(url)
    const trouble = this.troubleOf(origin, sentAt)
    if (trouble === 'request to a dead origin') return this.timedOut(sentAt)
    await clock.sleepUntil(sentAt + networkMs)
    const response = model().respond({ path: pathname, query: search, authorization: `Bearer ${apiKey}`, origin }, clock.now())
    const doneAt = clock.now() + response.delayMs + networkMs + (trouble === undefined ? 0 : slowMs)
    if (doneAt - sentAt > requestTimeoutMs) return this.timedOut(sentAt)
    await clock.sleepUntil(doneAt)
    const { status, headers, truncateAt } = response
    const body = rewrite(response.body, this.pages++)
    if (truncateAt !== undefined && truncateAt < body.length) return failed(failure('malformed-response', 'The response broke off'))
    return readResponse(status, headers, body, ownClock.now())
  }

  private troubleOf(origin: string, now: Instant): OriginTrouble['kind'] | undefined {
    const trouble = this.options.troubles.find((each) => each.origin === origin && each.from <= now && now < each.to)
    if (trouble !== undefined) this.options.happened(trouble.kind)
    return trouble?.kind
  }

  private async timedOut(sentAt: Instant): Promise<Result<never>> {
    await this.options.clock.sleepUntil(sentAt + requestTimeoutMs)
    return failed(failure('timed-out', 'The vendor did not respond within 30 s'))
  }
}
