import { cutText, visible } from '../../text.ts'
import { type Instant, iso } from '../../time.ts'
import { explain, statusListUrl, type Words } from '../explanations.ts'
import { type ConnectorTest, type Fault, hasPassed, isAbandoned, isOver, progressText, stepTitles } from './connector-test.ts'

/** The state of a Test for people and programs, with an explanation beside each fault. */
export interface TestAnswer {
  readonly asOf: Instant
  readonly connectorId: string
  readonly begunAt: Instant
  readonly says?: string
  readonly isUnsaved: boolean
  /** `broken-off`: the process that worked on it ended before it did. */
  readonly state: 'running' | 'passed' | 'failed' | 'broken-off'
  /** "3 of 7". */
  readonly progress: string
  /** A sentence about all of it. */
  readonly summary: string
  readonly endedAt?: Instant
  readonly steps: readonly StepAnswer[]
  /** The full list of HTTP status codes. */
  readonly statusList: string
}

interface StepAnswer {
  readonly number: number
  readonly title: string
  readonly state: 'waiting' | 'running' | 'passed' | 'failed' | 'left-out'
  readonly words: string
  /** Parts that are done, and all of them, while it runs (count). */
  readonly done?: number
  readonly of?: number
  readonly faults: readonly FaultAnswer[]
}

interface FaultAnswer {
  readonly tried: string
  /** One sentence about the outcome. */
  readonly seen: string
  /** The HTTP status of the response, if there was one. */
  readonly status?: number
  /** The standard name of the status, or that of the fault. */
  readonly name: string
  readonly explanation: string
  readonly recommendation: string
  readonly traceId?: string
  readonly againAt?: Instant
  /** The attribute at which an edit mends it. */
  readonly field?: string
}

/** Texts of an answer are cut to this (characters). The state is bounded already; this holds whoever wrote it. */
const textMax = 1_000

export function testAnswer(test: ConnectorTest, card: Words | undefined, now: Instant): TestAnswer {
  const state = stateOf(test, now)
  return {
    asOf: now,
    connectorId: test.connectorId,
    begunAt: test.begunAt,
    ...(test.says === undefined ? {} : { says: shown(test.says) }),
    isUnsaved: test.isUnsaved,
    state,
    progress: progressText(test),
    summary: summaryOf(test, state),
    ...(test.endedAt === undefined ? {} : { endedAt: test.endedAt }),
    steps: stepTitles.map((title, index) => stepAnswer(test, index, title, card)),
    statusList: statusListUrl,
  }
}

function stateOf(test: ConnectorTest, now: Instant): TestAnswer['state'] {
  if (isAbandoned(test, now)) return 'broken-off'
  if (!isOver(test, now)) return 'running'
  return hasPassed(test) ? 'passed' : 'failed'
}

function summaryOf(test: ConnectorTest, state: TestAnswer['state']): string {
  const { begunAt, connectorId, endedAt = 0, steps } = test
  switch (state) {
    case 'running':
      return `The Test of ${connectorId} runs since ${timeText(begunAt)}: ${progressText(test)}.`
    case 'passed':
      return `All ${steps.length} steps passed at ${timeText(endedAt)}.`
    case 'failed': {
      const of = (kind: string) => steps.filter((step) => step.kind === kind).length
      return `${of('failed')} of ${steps.length} steps failed, ${of('left-out')} could not be tried. It ended at ${timeText(endedAt)}.`
    }
    case 'broken-off':
      return `The process of this Test ended at ${progressText(test)}. Begin it again.`
  }
}

function stepAnswer({ steps }: ConnectorTest, index: number, title: string, card: Words | undefined): StepAnswer {
  const step = steps[index] ?? { kind: 'waiting' }
  const about = { number: index + 1, title, state: step.kind, faults: [] }
  switch (step.kind) {
    case 'waiting':
      return { ...about, words: '' }
    case 'running': {
      const { done, of, note = '' } = step
      return { ...about, words: [`${done} of ${of}.`, note].filter((part) => part !== '').join(' '), done, of }
    }
    case 'passed':
      return { ...about, words: shown(step.words) }
    case 'failed':
      return { ...about, words: shown(step.words), faults: step.faults.map((fault) => faultAnswer(fault, card)) }
    case 'left-out':
      return { ...about, words: `Left out: ${shown(step.why)}` }
  }
}

function faultAnswer({ tried, field, failure, message = '', againAt }: Fault, card: Words | undefined): FaultAnswer {
  const place = field === undefined ? {} : { field: shown(field) }
  if (failure === undefined) {
    return { tried: shown(tried), seen: shown(message), name: 'Configuration', explanation: '', recommendation: '', ...place }
  }
  const { detail, status, traceId } = failure
  return {
    tried: shown(tried),
    seen: shown(detail),
    ...(status === undefined ? {} : { status }),
    ...explain(failure, card, againAt),
    ...(traceId === undefined ? {} : { traceId: shown(traceId) }),
    ...(againAt === undefined ? {} : { againAt }),
    ...place,
  }
}

function shown(text: string): string {
  return visible(cutText(text, textMax))
}

/** `12:00:05 UTC`. */
export function timeText(at: Instant): string {
  return `${iso(at).slice(11, 19)} UTC`
}
