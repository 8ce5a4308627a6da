import { AsyncLocalStorage } from 'node:async_hooks'
import type { Clock, Delivery } from '../functions/domain/ports.ts'
import type { LakeRecord } from '../functions/domain/record/record.ts'
import { type Instant, minute, second } from '../functions/domain/time.ts'
import { drawFault, type FaultKind, type FaultRates, Killed, serviceError } from './faults.ts'
import type { Process } from './process.ts'

/** A clock stays so near the right time (ms). */
const clockStepMaxMs = 400
/** A process is frozen for this long at least and at most (ms). */
const freezeMinMs = second
const freezeMaxMs = 30 * minute

/** One invocation of a function. */
interface Invocation {
  readonly process: Process
  /** It was killed, or has ended: no later call of it has an effect. */
  isDead: boolean
  /** A service failed it, so it may fail. */
  isFaulted: boolean
  /** Records that it knows to be delivered, and has no checkpoint for yet. */
  readonly acknowledged: LakeRecord[]
}

/** The end of an invocation. `error`: of its own, and not of a fault. */
export interface InvocationEnd {
  readonly isDone: boolean
  readonly isDead: boolean
  readonly error?: unknown
}

interface Settings {
  readonly clock: Clock
  readonly faults: Partial<FaultRates>
  readonly clockStepRate: number
  readonly happened: (kind: FaultKind) => void
  readonly trace: (by: string, text: () => string) => void
}

/** The invocations of all functions. Each call of a service by one of them is an effect, at which a fault may happen. */
export class Invocations {
  /** From then on no fault happens. */
  isCalm = false
  private readonly settings: Settings
  private readonly current = new AsyncLocalStorage<Invocation>()

  constructor(settings: Settings) {
    this.settings = settings
  }

  /** Runs a function as one invocation of a process. Lambda ends it at `timeoutAt`. */
  async invoke(process: Process, work: () => Promise<unknown>, timeoutAt?: Instant): Promise<InvocationEnd> {
    const invocation: Invocation = { process, isDead: false, isFaulted: false, acknowledged: [] }
    if (!this.isCalm && process.random() < this.settings.clockStepRate) {
      process.clock.set(Math.round((process.random() - 0.5) * 2 * clockStepMaxMs))
      this.settings.happened('clock step of a process')
    }
    if (timeoutAt !== undefined) void this.endAt(timeoutAt, invocation)
    try {
      await this.current.run(invocation, work)
      return { isDone: !invocation.isDead, isDead: invocation.isDead }
    } catch (error) {
      const isOwn = !invocation.isDead && !invocation.isFaulted
      return { isDone: false, isDead: invocation.isDead, ...(isOwn ? { error } : {}) }
    } finally {
      invocation.isDead = true
    }
  }

  /** One call of a service by the invocation that is under way. Without one, a test calls it, and nothing happens to it. */
  async effect<T>(service: string, call: () => Promise<T>): Promise<T> {
    const invocation = this.current.getStore()
    if (invocation === undefined) return call()
    if (invocation.isDead) throw new Killed()
    const kind = this.drawn(service, invocation)
    switch (kind) {
      case undefined:
        return call()
      case 'crash before a call':
        return die(invocation)
      case 'crash after a call':
        await call()
        return die(invocation)
      case 'freeze before a call':
        await this.freeze(invocation)
        return call()
      case 'freeze after a call': {
        const result = await call()
        await this.freeze(invocation)
        return result
      }
      case 'lost response, and the call sent again':
        await call().catch(() => undefined)
        return call()
      case 'timed-out call with effect':
        await call()
        return fail(invocation, kind)
      case 'throttled call':
      case 'timed-out call without effect':
        return fail(invocation, kind)
    }
  }

  /** The invocation under way knows these records to be delivered. */
  acknowledge(records: readonly LakeRecord[], delivery: Delivery): void {
    const known = records.filter((_, number) => delivery.ok || delivery.acknowledged?.has(number))
    this.current.getStore()?.acknowledged.push(...known)
  }

  /** The invocation under way has saved a checkpoint. Returns the records that it knew to be delivered. */
  checkpoint(): readonly LakeRecord[] {
    return this.current.getStore()?.acknowledged.splice(0) ?? []
  }

  private drawn(service: string, { process }: Invocation) {
    const { faults, happened, trace } = this.settings
    const { crash = 0, freeze = 0, service: ofService = 0 } = faults
    if (this.isCalm || crash + freeze + ofService === 0) return undefined
    // The simulated vendor has failures of its own.
    const rates = { crash, freeze, service: service === 'source' ? 0 : ofService }
    const kind = drawFault(rates, process.random())
    if (kind !== undefined) {
      happened(kind)
      trace(process.name, () => `FAULT at ${service}: ${kind}`)
    }
    return kind
  }

  private async endAt(timeoutAt: Instant, invocation: Invocation): Promise<void> {
    await this.settings.clock.sleepUntil(timeoutAt)
    if (invocation.isDead) return
    invocation.isDead = true
    this.settings.happened('function timed out')
  }

  private async freeze(invocation: Invocation): Promise<void> {
    const { clock } = this.settings
    // Seconds are as likely as minutes, since Lambda ends a process that is frozen for long.
    const forMs = freezeMinMs * (freezeMaxMs / freezeMinMs) ** invocation.process.random()
    await clock.sleepUntil(clock.now() + Math.floor(forMs))
    // Lambda may have ended it meanwhile. A process that it only froze goes on.
    if (invocation.isDead) throw new Killed()
  }
}

function die(invocation: Invocation): never {
  invocation.isDead = true
  throw new Killed()
}

function fail(invocation: Invocation, kind: FaultKind): never {
  invocation.isFaulted = true
  throw serviceError(kind)
}
