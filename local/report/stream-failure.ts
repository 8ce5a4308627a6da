import { type Failure, formatFailure, isLasting } from '../../functions/domain/failures.ts'
import { isLossNew } from '../../functions/domain/status/loss.ts'
import { type ShownState, shownState, traitsOfShown } from '../../functions/domain/status/shown-state.ts'
import type { StreamId, StreamState } from '../../functions/domain/stream/stream.ts'
import type { Instant } from '../../functions/domain/time.ts'
import { localWords } from '../local-words.ts'
import { type ConnectorRun, streamsOf, type Vendors } from './runs.ts'

/** A stream's failure that has not passed. A connector says it only once it lasts, and of three streams at most. */
export interface StreamFailure {
  /** One sentence about what happened, without a full stop. */
  readonly detail: string
  /** The same, and what to do. */
  readonly text: string
  readonly isLasting: boolean
  /** Absent: its next turn comes as that of any other stream. */
  readonly nextTryAt?: Instant
}

export function failureOf(stream: StreamState | undefined): StreamFailure | undefined {
  const { trouble, givenUp } = stream ?? {}
  if (trouble !== undefined) return { ...described(trouble.failure, trouble.attempts), nextTryAt: trouble.until }
  // A dead link is nothing unusual, as long as the range is read in the end.
  if (givenUp === undefined || !isLasting(givenUp.failure.code, givenUp.count)) return undefined
  return described(givenUp.failure, givenUp.count)
}

function described(failure: Failure, attempts: number): StreamFailure {
  const { code, detail } = failure
  return { detail: localWords(detail), text: localWords(formatFailure(failure)), isLasting: isLasting(code, attempts) }
}

/** The state of its status. A connector of which nothing was read, and each stream failed, is no longer `starting`. */
export function stateOf(each: ConnectorRun, vendors: Vendors): ShownState {
  const { status } = each.run
  const state = status === undefined ? 'starting' : shownState(status.state, isLossNew(status))
  const streams = streamsOf(each, vendors)
  const isAllFailing = streams.length > 0 && streams.every(({ stream }) => stream?.lastReadAt === undefined && failureOf(stream))
  return state === 'starting' && isAllFailing ? 'failing' : state
}

/** The connectors that have a problem: by their state, or because a stream fails lastingly, or failed and was never read. */
export function findProblems(runs: readonly ConnectorRun[], vendors: Vendors): readonly string[] {
  return runs.flatMap((each) => {
    const state = traitsOfShown(stateOf(each, vendors))
    if (state.isProblem) return [`${each.connectorId} (${state.title})`]
    const failing = state.collects ? streamsOf(each, vendors).filter(({ stream }) => isProblem(stream)) : []
    return failing.length === 0 ? [] : [`${each.connectorId} (${streamsText(failing.map(({ id }) => id))})`]
  })
}

function isProblem(stream: StreamState | undefined): boolean {
  const failure = failureOf(stream)
  return failure !== undefined && (failure.isLasting || stream?.lastReadAt === undefined)
}

/** Streams that are named one by one (count). */
const namedMax = 3

function streamsText(ids: readonly StreamId[]): string {
  const more = ids.length > namedMax ? ` and ${ids.length - namedMax} more` : ''
  return `${ids.slice(0, namedMax).join(', ')}${more} ${ids.length === 1 ? 'fails' : 'fail'}`
}

/** The last line of --for. */
export function problemsText(problems: readonly string[]): string {
  const count = problems.length === 1 ? 'a connector has a problem' : `${problems.length} connectors have a problem`
  return `Exit code 1, because ${count}: ${problems.join(', ')}. The summary says why, and what to do.`
}
