import type { Change } from '../../functions/domain/operate/operation.ts'
import type { Item } from '../answers.ts'
import { answered } from '../answers.ts'
import { Mistake, type Outcome, problemLines, Refused } from '../outcome.ts'
import { ask, changeOf, isConfirmed, isSelectionConfirmed, type Selection, type Session, sayPlace, selectedIds } from '../session.ts'
import { instantOf } from '../times.ts'

/** Changes of connectors that exist. Each says the place first. */

/** The end of one change of one connector. */
export interface ChangeResult {
  readonly connectorId: string
  readonly action: string
  readonly ok: boolean
  readonly code?: string
  readonly message: string
  readonly problems?: readonly { readonly path: string; readonly message: string }[]
}

/** Carries one change out. A refusal is a result: the other connectors still get theirs. */
export async function carryOut({ place }: Session, connectorId: string, change: Change): Promise<ChangeResult> {
  const answer = await place.operator.ask(change)
  if (!answer.ok) return { connectorId, action: change.action, ...answer }
  return { connectorId, action: change.action, ok: true, message: answered('done', answer).message }
}

export function outcomeOf({ place }: Session, results: readonly ChangeResult[]): Outcome {
  const lines = results.flatMap(({ connectorId, ok, message, problems = [] }) => [
    ok ? message : `${connectorId}: refused: ${message}`,
    ...problemLines(problems),
  ])
  const isAnyDone = results.some(({ ok }) => ok)
  const notice = isAnyDone && place.notice !== undefined ? [place.notice] : []
  return {
    exit: results.every(({ ok }) => ok) ? 'done' : 'failed',
    result: { results, ...(notice.length === 0 ? {} : { notice: notice[0] }) },
    text: [...lines, ...notice].map((line) => `${line}\n`).join(''),
  }
}

export const nothingChanged: Outcome = { exit: 'failed', result: { results: [] }, text: 'Nothing was changed.\n' }

type Simple = 'pause' | 'resume' | 'collect'

export async function simpleChange(session: Session, action: Simple, selection: Selection): Promise<Outcome> {
  return eachSelected(session, action, selection, (connectorId) => ({ action, ...changeOf(session), connectorId }))
}

export interface RereadOptions {
  readonly from: string
  readonly to?: string
  readonly redeliver?: boolean
  readonly streams?: readonly string[]
}

export async function reread(session: Session, selection: Selection, options: RereadOptions): Promise<Outcome> {
  const now = session.terminal.now()
  const from = instantOf('--from', options.from, now)
  const to = instantOf('--to', options.to ?? 'now', now)
  if (from >= to) throw new Mistake('--from must be before --to.')
  const streams = options.streams === undefined ? {} : { streams: [...options.streams] }
  return eachSelected(session, 'reread', selection, (connectorId) => ({
    action: 'reread',
    ...changeOf(session),
    connectorId,
    from,
    to,
    redeliver: options.redeliver ?? false,
    ...streams,
  }))
}

export async function acknowledge(session: Session, connectorId: string, note: string): Promise<Outcome> {
  sayPlace(session)
  return outcomeOf(session, [await carryOut(session, connectorId, { action: 'acknowledge', ...changeOf(session), connectorId, note })])
}

async function eachSelected(
  session: Session,
  verb: string,
  selection: Selection,
  change: (connectorId: string) => Change,
): Promise<Outcome> {
  sayPlace(session)
  const ids = await selectedIds(session, selection)
  if (!(await isSelectionConfirmed(session, verb, ids, selection.ids.length > 0))) return nothingChanged
  const results: ChangeResult[] = []
  for (const connectorId of ids) results.push(await carryOut(session, connectorId, change(connectorId)))
  return outcomeOf(session, results)
}

export async function deleteConnectors(session: Session, ids: readonly string[]): Promise<Outcome> {
  sayPlace(session)
  const seen = new Map<string, string>()
  for (const connectorId of ids) seen.set(connectorId, (await storedItem(session, connectorId)).version)
  session.terminal.note(
    'Its records stay in the lake, and its secrets in Secrets Manager. Within 4 days the same id continues where it stopped.',
  )
  if (!(await isConfirmed(session, `Delete ${[...seen.keys()].join(', ')}?`, true))) return nothingChanged
  const results: ChangeResult[] = []
  for (const [connectorId, version] of seen) {
    results.push(await carryOut(session, connectorId, { action: 'delete', ...changeOf(session), connectorId, version }))
  }
  return outcomeOf(session, results)
}

/** The item as it is stored. Throws `Refused` if there is none. */
export async function storedItem(session: Session, connectorId: string): Promise<{ readonly item: Item; readonly version: string }> {
  const { item, version } = await ask(session, 'show', { action: 'show', connectorId })
  if (item !== undefined && version !== undefined) return { item, version }
  throw new Refused({ code: 'not-found', message: `The item of ${connectorId} was deleted. "create ${connectorId}" makes it again.` })
}
