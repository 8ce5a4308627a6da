import {
  type ConnectorTest,
  progressText,
  type StepNumber,
  type StepState,
  silentMaxMs,
  withStep,
  written,
} from '../../../domain/operate/test/connector-test.ts'
import type { Clock, StatusStore, TestStore } from '../../../domain/ports.ts'
import type { ConnectorStatus } from '../../../domain/status/status.ts'
import { type Instant, minute } from '../../../domain/time.ts'

/** Another process works on the Test, or somebody began a new one: this process must end. */
export class Superseded extends Error {
  override readonly name = 'Superseded'
}

export interface RecordPorts {
  readonly clock: Clock
  readonly state: TestStore & Pick<StatusStore, 'updateStatus'>
}

/** The state of a Test that this process works on. Each change is written at once, so that a person sees it and another process can go on. */
export class TestRecord {
  private readonly ports: RecordPorts
  private last: ConnectorTest
  /** The progress that the connector's status shows, and since when. */
  private shown: { readonly progress: string; readonly at: Instant } | undefined

  constructor(ports: RecordPorts, held: ConnectorTest) {
    this.ports = ports
    this.last = held
  }

  get test(): ConnectorTest {
    return this.last
  }

  /** Throws `Superseded` if the Test is no longer this process's. */
  async save(change: Partial<ConnectorTest>): Promise<void> {
    const next = written(this.last, change, this.ports.clock.now())
    if (!(await this.ports.state.writeTest(next, this.last))) throw new Superseded()
    this.last = next
    await this.showProgress()
  }

  async step(number: StepNumber, state: StepState): Promise<void> {
    await this.save({ steps: withStep(this.last.steps, number, state) })
  }

  /** The same Test with nobody at work on it: the next process that comes goes on. */
  async letGo(): Promise<void> {
    const { holder: _, ...free } = written(this.last, {}, this.ports.clock.now())
    if (!(await this.ports.state.writeTest(free, this.last))) throw new Superseded()
    this.last = free
  }

  /** The item goes: nobody needs it any more. */
  async end(): Promise<void> {
    const now = this.ports.clock.now()
    const { holder: _, item: __, ...ended } = written(this.last, { endedAt: now }, now)
    if (!(await this.ports.state.writeTest(ended, this.last))) throw new Superseded()
    this.last = ended
    await this.showInStatus(undefined)
  }

  /** A step may take minutes, and the status forgets a Test that nobody moves on. */
  private async showProgress(): Promise<void> {
    const progress = progressText(this.last)
    const at = this.ports.clock.now()
    if (progress === this.shown?.progress && at - this.shown.at < minute) return
    this.shown = { progress, at }
    await this.showInStatus({ progress, until: at + silentMaxMs })
  }

  private async showInStatus(test: ConnectorStatus['test']): Promise<void> {
    await this.ports.state.updateStatus(this.last.connectorId, (status) => {
      if (status === undefined) return undefined
      const { test: _, ...others } = status
      return test === undefined ? others : { ...others, test }
    })
  }
}
