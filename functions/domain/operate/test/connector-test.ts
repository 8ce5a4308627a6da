import type { Problem } from '../../connector/problems.ts'
import type { Failure } from '../../failures.ts'
import type { StreamId } from '../../stream/stream.ts'
import { type Instant, minute } from '../../time.ts'

/**
 * The Test of a connector as state: seven steps, one after the other. It goes on while nobody waits for it, so everything that a person sees
 * of it is here, and so is all that another process needs to go on with it. No text of it holds an API key.
 */
export interface ConnectorTest {
  /** Goes up by one with each write. */
  readonly version: number
  readonly connectorId: string
  readonly begunAt: Instant
  /** The person who began it, by their own words. */
  readonly says?: string
  /** The type of the connector, if it is known. */
  readonly vendor?: string
  /** Set if the item is not saved: its attributes that the Test needs. It goes when the Test ends. */
  readonly item?: Readonly<Record<string, unknown>>
  /** The item was not saved when the Test began. */
  readonly isUnsaved: boolean
  readonly steps: readonly StepState[]
  /** The requests to the vendor so far. */
  readonly probes: readonly Probe[]
  /** The process that works on it. Absent: the next one that comes does. */
  readonly holder?: string
  /** When a process last worked on it. */
  readonly aliveAt: Instant
  readonly endedAt?: Instant
}

export type StepState =
  | { readonly kind: 'waiting' }
  /** `done` of `of` parts are done. `note`: the reason for a wait. */
  | { readonly kind: 'running'; readonly done: number; readonly of: number; readonly note?: string }
  | { readonly kind: 'passed'; readonly words: string }
  | { readonly kind: 'failed'; readonly words: string; readonly faults: readonly Fault[] }
  | { readonly kind: 'left-out'; readonly why: string }

/** One thing that is wrong: a failure, or a problem of the item in words. */
export interface Fault {
  /** The thing that was tried. */
  readonly tried: string
  /** The place in the item that mends it. */
  readonly field?: string
  readonly failure?: Failure
  readonly message?: string
  /** When a request that was one too many is tried again. */
  readonly againAt?: Instant
}

/** One request of a Test, and its outcome. */
export interface Probe {
  readonly stream: StreamId
  /** The secret of its key, as an item names it. */
  readonly key: string
  readonly failure?: Failure
  readonly againAt?: Instant
  /** Events on the page (count). Nothing else of them is kept. */
  readonly events: number
}

export const stepTitles = [
  'The item is valid',
  'Each secret can be read and holds a key',
  'The address is allowed, resolves and answers',
  'The vendor accepts each key',
  'Each content type and event type answers',
  'The lake takes a line',
  'The key has room for the requests',
] as const

/** The number of each step, as people see it. */
export const steps = { item: 1, secrets: 2, address: 3, keys: 4, streams: 5, lake: 6, budget: 7 } as const

export type StepNumber = (typeof steps)[keyof typeof steps]

/** A Test whose process wrote nothing for so long (ms) is over. A process writes at least every 100 s: a wait, a request and its bounds. */
export const silentMaxMs = 3 * minute

/** A Test that begins. `former`: the state of the last one. */
export function newTest(
  about: Pick<ConnectorTest, 'connectorId' | 'says' | 'vendor' | 'item' | 'isUnsaved'>,
  former: ConnectorTest | undefined,
  now: Instant,
): ConnectorTest {
  const waiting = stepTitles.map((): StepState => ({ kind: 'waiting' }))
  return { ...about, version: (former?.version ?? 0) + 1, begunAt: now, steps: waiting, probes: [], aliveAt: now }
}

/** The same Test as its next write, by the process that holds it. */
export function written(test: ConnectorTest, change: Partial<ConnectorTest>, now: Instant): ConnectorTest {
  return { ...test, ...change, version: test.version + 1, aliveAt: now }
}

export function stepOf(test: ConnectorTest, number: StepNumber): StepState {
  return test.steps[number - 1] ?? { kind: 'waiting' }
}

export function withStep(all: ConnectorTest['steps'], number: StepNumber, state: StepState): ConnectorTest['steps'] {
  return all.map((step, index) => (index === number - 1 ? state : step))
}

/** The problems of an item as the failure of the first step. */
export function itemFailed(problems: readonly Problem[]): StepState {
  const count = problems.length === 1 ? 'a problem' : `${problems.length} problems`
  const faults = problems.map(({ path, message }) => ({ tried: 'The item, by the rules for connectors', field: path, message }))
  return { kind: 'failed', words: `The item has ${count}.`, faults }
}

export function isDecided({ kind }: StepState): boolean {
  return kind !== 'waiting' && kind !== 'running'
}

/** Whether it has ended, or the process that worked on it has. */
export function isOver(test: ConnectorTest, now: Instant): boolean {
  return test.endedAt !== undefined || isAbandoned(test, now)
}

/** Whether its process ended before it did. */
export function isAbandoned({ endedAt, aliveAt }: ConnectorTest, now: Instant): boolean {
  return endedAt === undefined && now - aliveAt > silentMaxMs
}

/** Whether a process may go on with it: nobody works on it. */
export function isFree(test: ConnectorTest, now: Instant): boolean {
  return test.endedAt === undefined && (test.holder === undefined || isAbandoned(test, now))
}

/** Whether every step has passed. */
export function hasPassed({ steps: all }: ConnectorTest): boolean {
  return all.every(({ kind }) => kind === 'passed')
}

/** "3 of 7": the step that runs, or all of them. */
export function progressText({ steps: all }: ConnectorTest): string {
  const open = all.findIndex((step) => !isDecided(step))
  return `${open === -1 ? all.length : open + 1} of ${all.length}`
}
