import type { Connector } from '../../connector/connector.ts'
import { type FailureCode, failures } from '../../failures.ts'
import type { StreamId } from '../../stream/stream.ts'
import { fieldOf } from '../explanations.ts'
import type { Fault, Probe, StepState } from './connector-test.ts'

/**
 * Decides which request of a Test comes next, and what the requests so far say about its steps 3, 4 and 5. No request is made twice: the one
 * that tries the address also tries a key and a stream.
 */

export interface ProbePlan {
  readonly connector: Pick<Connector, 'baseUrl' | 'contentTypes'>
  readonly streams: readonly StreamId[]
  /** The content type of a stream. */
  readonly contentTypeOf: (stream: StreamId) => string
  /** The keys by their secrets, each with its place in the item. */
  readonly keys: readonly { readonly name: string; readonly field: string }[]
}

/** `key`: the only one that may be used. Without it, any that the vendor accepts may. */
export interface NextProbe {
  readonly stream: StreamId
  readonly key?: string
}

/** A key is tried so often until a response tells whether it is accepted (count). One stream may be refused for itself. */
const triesOfKeyMax = 2
/** So many requests in a row that were one too many, or had no response, end the requests (count). */
const inRowMax = 2

/** A response to a request with a valid key. */
const provesKey: readonly FailureCode[] = ['bad-request', 'forbidden', 'too-large']

type Verdict = 'open' | 'accepted' | 'rejected' | 'unknown'

/** The next request; undefined if there is none. */
export function nextProbe(plan: ProbePlan, probes: readonly Probe[]): NextProbe | undefined {
  const { streams, keys } = plan
  const [first] = probes
  if (first !== undefined && isOfAddress(first)) return undefined
  const open = keys.find(({ name }) => verdictOf(plan, name, probes) === 'open')
  if (open !== undefined) {
    const stream = streamFor(open.name, streams, probes)
    return stream === undefined ? undefined : { stream, key: open.name }
  }
  if (acceptedKeys(plan, probes).length === 0 || isStopped(probes)) return undefined
  const left = streams.find((stream) => outcomeOf(plan, stream, probes) === undefined)
  return left === undefined ? undefined : { stream: left }
}

/** The names of the keys that the vendor accepts. */
export function acceptedKeys(plan: ProbePlan, probes: readonly Probe[]): readonly string[] {
  return plan.keys.flatMap(({ name }) => (verdictOf(plan, name, probes) === 'accepted' ? [name] : []))
}

export interface ProbedSteps {
  readonly address: StepState
  readonly keys: StepState
  readonly streams: StepState
}

export function stepsOf(plan: ProbePlan, probes: readonly Probe[]): ProbedSteps {
  const address = addressStep(plan, probes)
  const keys = keysStep(plan, probes, address)
  return { address, keys, streams: streamsStep(plan, probes, keys) }
}

function addressStep({ connector, keys }: ProbePlan, [first]: readonly Probe[]): StepState {
  const { baseUrl } = connector
  if (keys.length === 0) return { kind: 'left-out', why: 'There is no key to ask with.' }
  if (first === undefined) return { kind: 'running', done: 0, of: 1 }
  if (!isOfAddress(first)) return { kind: 'passed', words: `${baseUrl} is allowed, resolves and answers.` }
  return { kind: 'failed', words: `${baseUrl} does not answer.`, faults: [faultOf(first, `A request to ${baseUrl}`)] }
}

function keysStep(plan: ProbePlan, probes: readonly Probe[], address: StepState): StepState {
  if (address.kind === 'running') return { kind: 'waiting' }
  if (address.kind !== 'passed') return { kind: 'left-out', why: 'No request reached the vendor.' }
  const verdicts = plan.keys.map((key) => ({ ...key, verdict: verdictOf(plan, key.name, probes) }))
  const decided = verdicts.filter(({ verdict }) => verdict !== 'open')
  const of = verdicts.length
  if (decided.length < of) return { kind: 'running', done: decided.length, of }
  const bad = verdicts.filter(({ verdict }) => verdict !== 'accepted')
  const words = `The vendor accepts ${of - bad.length} of ${of} ${of === 1 ? 'key' : 'keys'}.`
  if (bad.length === 0) return { kind: 'passed', words }
  const faults = bad.flatMap(({ name, field }) => {
    const last = probes.findLast(({ key }) => key === name)
    if (last === undefined) return []
    const isKeys = last.failure?.code === 'unauthorized'
    return [{ ...faultOf(last, `A request for ${last.stream} with the key in ${name}`), ...(isKeys ? { field } : {}) }]
  })
  return { kind: 'failed', words, faults }
}

function streamsStep(plan: ProbePlan, probes: readonly Probe[], keys: StepState): StepState {
  const { streams } = plan
  const of = streams.length
  if (keys.kind === 'waiting' || keys.kind === 'running') return { kind: 'waiting' }
  if (keys.kind === 'left-out') return keys
  if (acceptedKeys(plan, probes).length === 0) return { kind: 'left-out', why: 'The vendor accepts no key.' }
  const outcomes = streams.flatMap((stream) => outcomeOf(plan, stream, probes) ?? [])
  const untried = of - outcomes.length
  if (untried > 0 && !isStopped(probes)) return { kind: 'running', done: outcomes.length, of }
  const bad = outcomes.filter(({ failure }) => failure !== undefined)
  const answers = `${outcomes.length - bad.length} of ${of} ${of === 1 ? 'stream answers' : 'streams answer'}.`
  if (bad.length === 0 && untried === 0) return { kind: 'passed', words: answers }
  const faults = bad.map((probe) => ({ ...faultOf(probe, `A data request for ${probe.stream}`), ...streamField(plan, probe) }))
  if (untried === 0) return { kind: 'failed', words: answers, faults }
  const why = `${untried} of them ${untried === 1 ? 'was' : 'were'} not asked to the end, because ${inRowMax} requests in a row failed alike.`
  const last = probes.at(-1)
  const all = faults.length > 0 || last === undefined ? faults : [faultOf(last, `A data request for ${last.stream}`)]
  return { kind: 'failed', words: `${answers} ${why}`, faults: all }
}

function faultOf({ failure, againAt }: Probe, tried: string): Fault {
  if (failure === undefined) return { tried }
  const field = fieldOf(failure.code)
  return { tried, failure, ...(field === undefined ? {} : { field }), ...(againAt === undefined ? {} : { againAt }) }
}

/** A response about one stream is about its content type, unless the failure names another attribute. */
function streamField({ connector, contentTypeOf }: ProbePlan, { stream, failure }: Probe): Pick<Fault, 'field'> {
  const isStreams = failure?.code === 'forbidden' || failure?.code === 'bad-request' || failure?.code === 'unauthorized'
  const index = connector.contentTypes.indexOf(contentTypeOf(stream))
  return isStreams && index !== -1 ? { field: `contentTypes[${index}]` } : {}
}

/** Whether nothing behind the address can be asked: no response, or one that says that the API is not here. */
function isOfAddress({ failure }: Probe): boolean {
  return failure !== undefined && (failures[failure.code].scope === 'origin' || failure.code === 'host-refused')
}

function verdictOf({ streams }: ProbePlan, name: string, probes: readonly Probe[]): Verdict {
  const own = probes.filter(({ key }) => key === name)
  if (own.some(({ failure }) => failure === undefined || provesKey.includes(failure.code))) return 'accepted'
  const rejections = own.filter(({ failure }) => failure?.code === 'unauthorized').length
  if (rejections >= Math.min(triesOfKeyMax, streams.length)) return 'rejected'
  if (own.length < triesOfKeyMax) return 'open'
  return rejections > 0 ? 'rejected' : 'unknown'
}

/** A stream for the next try of a key: one that nobody has asked for, if there is one. */
function streamFor(name: string, streams: readonly StreamId[], probes: readonly Probe[]): StreamId | undefined {
  const unasked = streams.find((stream) => !probes.some((probe) => probe.stream === stream))
  return unasked ?? streams.find((stream) => !probes.some((probe) => probe.stream === stream && probe.key === name)) ?? streams[0]
}

/** The request that tells about the stream; undefined if none does yet. */
function outcomeOf(plan: ProbePlan, stream: StreamId, probes: readonly Probe[]): Probe | undefined {
  const own = probes.filter((probe) => probe.stream === stream)
  const answered = own.find(({ failure }) => failure === undefined)
  if (answered !== undefined) return answered
  const tells = ({ failure, key }: Probe) => {
    if (failure?.code === 'unauthorized') return verdictOf(plan, key, probes) === 'accepted'
    if (failure?.code === 'throttled') return own.filter(isThrottled).length >= inRowMax
    return true
  }
  return own.findLast(tells)
}

function isThrottled({ failure }: Probe): boolean {
  return failure?.code === 'throttled'
}

function isStopped(probes: readonly Probe[]): boolean {
  const last = probes.slice(-inRowMax)
  return last.length === inRowMax && (last.every(isThrottled) || last.every(isOfAddress))
}
