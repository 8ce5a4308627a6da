import type { Connector } from '../../../domain/connector/connector.ts'
import { failure } from '../../../domain/failures.ts'
import { type Probe, type StepState, steps, withStep } from '../../../domain/operate/test/connector-test.ts'
import { acceptedKeys, type NextProbe, nextProbe, type ProbePlan, stepsOf } from '../../../domain/operate/test/probing.ts'
import { timeText } from '../../../domain/operate/test/test-answer.ts'
import type { Clock, Source } from '../../../domain/ports.ts'
import { withoutEchoes } from '../../../domain/redaction/shown-page.ts'
import { floorToSecond, hour, type Instant, minute, second } from '../../../domain/time.ts'
import type { Vendor } from '../../../domain/vendor.ts'
import { parsePage } from '../../collect/deliver-page.ts'
import { KeyPool } from '../../collect/key-pool.ts'
import { type LimiterPorts, type Permit, RateLimiter } from '../../collect/rate-limiter.ts'
import { requestOutcome } from '../../collect/read-range.ts'
import { type OpenKey, secretText } from '../../open-keys.ts'
import type { TestRecord } from './test-record.ts'

export interface ProbePorts extends LimiterPorts {
  readonly clock: Clock
  readonly source: Source
  /** In [0, 1). */
  readonly random: () => number
}

/** The connector that is tested, with the keys that may be sent to its origin. */
export interface Subject {
  readonly connector: Connector
  readonly vendor: Vendor
  /** Each key once. `field`: the place of its secret in the item. */
  readonly keys: readonly { readonly key: OpenKey; readonly field: string }[]
  /** Every key that could be read. No text of the vendor may hold one. */
  readonly apiKeys: ReadonlySet<string>
}

/** A data request asks for events of so long (ms): enough for a page, and not for a backlog. */
const askedMs = 5 * minute
/** A request waits for the limit so long (ms). After that the limit itself is the fault. */
const waitMaxMs = 5 * minute
/** Progress is written this often while a request waits (ms), so that everybody sees that the Test goes on. */
const waitOnceMs = minute
/** A wait, a request and a write take this long at most (ms). Nothing begins later than this before the deadline. */
const roundMaxMs = 110 * second
/** A Test that has not come to its end after this time (ms) ends. */
const testMaxMs = hour

/**
 * Steps 3, 4 and 5: asks the vendor, and keeps to the limits of the keys as a run does. Returns false if the time of this process is up and
 * another one must go on. Nothing of a page is delivered or remembered, so its events are not lost.
 */
export async function probeVendor(ports: ProbePorts, record: TestRecord, subject: Subject, deadline: Instant): Promise<boolean> {
  const limiter = new RateLimiter(ports)
  const plan = planOf(subject)
  const asker = new Asker(ports, record, subject, plan, limiter)
  try {
    for (let asked = 0; ; asked++) {
      await record.save({ steps: withProbed(record, plan) })
      const next = nextProbe(plan, record.test.probes)
      if (next === undefined) return true
      if (ports.clock.now() - record.test.begunAt > testMaxMs) return await giveUp(record)
      // A first request is always made, so that processes which hand over to each other come to an end.
      const probe = await asker.ask(next, asked === 0 ? Number.POSITIVE_INFINITY : deadline)
      if (probe === 'out-of-time') return false
      await record.save({ probes: [...record.test.probes, probe] })
    }
  } finally {
    await limiter.flush()
  }
}

function planOf({ connector, vendor, keys }: Subject): ProbePlan {
  return {
    connector,
    streams: vendor.streams(connector),
    contentTypeOf: (stream) => vendor.describe(stream).service,
    keys: keys.map(({ key, field }) => ({ name: secretText(key.reference), field })),
  }
}

function withProbed(record: TestRecord, plan: ProbePlan): readonly StepState[] {
  const { address, keys, streams } = stepsOf(plan, record.test.probes)
  return withStep(withStep(withStep(record.test.steps, steps.address, address), steps.keys, keys), steps.streams, streams)
}

async function giveUp(record: TestRecord): Promise<true> {
  const ended: StepState = {
    kind: 'failed',
    words: 'It did not come to its end within an hour. The limit of the key leaves no room.',
    faults: [],
  }
  await record.save({
    steps: record.test.steps.map((step, index) =>
      index + 1 <= steps.streams && (step.kind === 'running' || step.kind === 'waiting') ? ended : step,
    ),
  })
  return true
}

/** Makes the requests of one process. */
class Asker {
  private readonly ports: ProbePorts
  private readonly record: TestRecord
  private readonly subject: Subject
  private readonly plan: ProbePlan
  private readonly limiter: RateLimiter

  constructor(ports: ProbePorts, record: TestRecord, subject: Subject, plan: ProbePlan, limiter: RateLimiter) {
    this.ports = ports
    this.record = record
    this.subject = subject
    this.plan = plan
    this.limiter = limiter
  }

  /** Waits for the limit, and asks. */
  async ask(next: NextProbe, deadline: Instant): Promise<Probe | 'out-of-time'> {
    const { clock, stop } = this.ports
    const latest = clock.now() + waitMaxMs
    const pool = this.poolFor(next)
    for (;;) {
      if (stop.aborted || clock.now() + roundMaxMs > deadline) return 'out-of-time'
      const answer = await pool.admit({ waitMaxMs: waitOnceMs, beforeWaiting: (until) => this.note(until) })
      if (answer.kind === 'go') {
        const probe = await this.request(next, answer.key, answer.permit)
        if (probe !== undefined) return probe
      } else {
        const freeAt = answer.kind === 'wait' ? answer.freeAt : latest
        if (freeAt > latest) return noRoom(next, pool, freeAt)
        await this.note(freeAt)
        await this.limiter.wait(Math.min(freeAt, clock.now() + waitOnceMs))
      }
      if (clock.now() > latest) return noRoom(next, pool, clock.now())
    }
  }

  /** The keys that the request may use, in turn from one request to the next. */
  private poolFor({ key: only }: NextProbe): KeyPool {
    const names = only === undefined ? acceptedKeys(this.plan, this.record.test.probes) : [only]
    const keys = this.subject.keys.flatMap(({ key }) => (names.includes(secretText(key.reference)) ? [key] : []))
    return new KeyPool(this.ports, this.limiter, keys, this.record.test.probes.length)
  }

  private async note(until: Instant): Promise<true> {
    const note = `It keeps to the limit of the key: the next request is due at ${timeText(until)}.`
    const noted = this.record.test.steps.map((step) => (step.kind === 'running' ? { ...step, note } : step))
    await this.record.save({ steps: noted })
    return true
  }

  /** Returns nothing if the request was not sent, because this process was frozen. */
  private async request({ stream }: NextProbe, key: OpenKey, permit: Permit): Promise<Probe | undefined> {
    const { clock, source, random } = this.ports
    const { connector, vendor, apiKeys } = this.subject
    const now = clock.now()
    const to = floorToSecond(now)
    const response = await source.fetch(
      vendor.firstRequest(connector.baseUrl, stream, to - askedMs, to),
      key.apiKey,
      connector,
      permit.sendBy,
    )
    if (response === 'too-late') {
      this.limiter.release(permit, { outcome: 'unsent' })
      return undefined
    }
    const page = withoutEchoes(response.ok ? parsePage(vendor, response.value, now) : response, apiKeys)
    const outcome = requestOutcome(page, clock.now(), random)
    if (outcome !== undefined) this.limiter.release(permit, outcome)
    const about = { stream, key: secretText(key.reference) }
    if (page.ok) return { ...about, events: page.value.items.length }
    if (page.failure.code !== 'throttled') return { ...about, failure: page.failure, events: 0 }
    await this.limiter.flush()
    const againAt = Math.max(...key.limiters.map(({ bucket }) => this.limiter.lastSeen(bucket)?.closedUntil ?? 0))
    return { ...about, failure: page.failure, againAt, events: 0 }
  }
}

/** The limit left no room for a request, so it was not made. */
function noRoom({ stream }: NextProbe, pool: KeyPool, againAt: Instant): Probe {
  const detail = `The limit of the key left no room for a request within ${waitMaxMs / minute} min, so it was not made`
  const [key] = pool.all
  return { stream, key: key === undefined ? '' : secretText(key.reference), failure: failure('throttled', detail), againAt, events: 0 }
}
