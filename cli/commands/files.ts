import type { KeyBudget } from '../../functions/domain/operate/test/budget.ts'
import { vendors } from '../../functions/vendors/index.ts'
import { formatTextTable } from '../../local/text-table.ts'
import { answered, type Item } from '../answers.ts'
import { budgetJson, budgetRow, budgetsOf } from '../budget.ts'
import { type FileConnector, formatConnectorsFile, parseConnectorsFile } from '../connectors-file.ts'
import { countText, Mistake, type Outcome, Refused } from '../outcome.ts'
import { type Plan, type PlannedChange, planLines, planOf, type StoredConnector } from '../plan.ts'
import { changeOf, isConfirmed, rowsOf, type Session, sayPlace } from '../session.ts'
import type { Terminal } from '../terminal.ts'
import { type ChangeResult, carryOut, nothingChanged, outcomeOf } from './changes.ts'
import { problemsHere } from './edits.ts'

/** Connectors in a file: check it, compare it, make the deployment equal to it, and write one. */

export interface ValidateOptions {
  readonly secretPrefix: string
  readonly allowedHosts: readonly string[]
}

/** Needs no deployment: it knows neither other connectors nor what the deployment allows. */
export function validate(terminal: Terminal, file: string, { secretPrefix, allowedHosts }: ValidateOptions): Outcome {
  const { connectors } = parseConnectorsFile(file, terminal.readFile(file))
  const problems = connectors.flatMap((connector) => placed(connector, problemsHere(connector.item, secretPrefix, allowedHosts)))
  return {
    exit: problems.length === 0 ? 'done' : 'failed',
    result: { connectors: connectors.length, problems },
    text:
      problems.length === 0 ? `${file}: ${countText(connectors.length, 'connector')}, no problem.\n` : problems.map(problemText).join(''),
  }
}

interface PlacedProblem {
  readonly place: string
  readonly connectorId: string
  readonly path: string
  readonly message: string
}

function placed({ connectorId, place }: FileConnector, problems: readonly { path: string; message: string }[]): readonly PlacedProblem[] {
  return problems.map(({ path, message }) => ({ place: place(path), connectorId, path, message }))
}

function problemText({ place, connectorId, path, message }: PlacedProblem): string {
  return `${place}: ${connectorId}: ${path}: ${message}\n`
}

export interface PlanOptions {
  readonly file: string
  readonly prune: boolean
}

interface Planned extends Plan {
  readonly budgets: readonly KeyBudget[]
}

export async function plan(session: Session, options: PlanOptions): Promise<Outcome> {
  const planned = await planFor(session, options)
  return {
    exit: planned.changes.length === 0 ? 'done' : 'wouldChange',
    result: { changes: planned.changes, unchanged: planned.unchanged, left: planned.left, budget: planned.budgets.map(budgetJson) },
    text: planned.changes.length === 0 ? planText(planned) : `${session.place.title}:\n${planText(planned)}`,
  }
}

export async function apply(session: Session, options: PlanOptions): Promise<Outcome> {
  sayPlace(session)
  const planned = await planFor(session, options)
  const { changes } = planned
  if (changes.length === 0) return { exit: 'done', result: { results: [] }, text: planText(planned) }
  session.terminal.note(planText(planned))
  const hasDeletion = changes.some(({ action }) => action === 'delete')
  if (!(await isConfirmed(session, `Make ${countText(changes.length, 'change')}?`, hasDeletion))) return nothingChanged
  const results: ChangeResult[] = []
  for (const each of changes) results.push(await carryOut(session, each.connectorId, operationOf(session, each)))
  return outcomeOf(session, results)
}

function operationOf(session: Session, planned: PlannedChange) {
  const { connectorId } = planned
  switch (planned.action) {
    case 'create':
      return { action: 'create' as const, ...changeOf(session), item: planned.item }
    case 'edit':
      return { action: 'edit' as const, ...changeOf(session), connectorId, version: planned.version, item: planned.item }
    case 'delete':
      return { action: 'delete' as const, ...changeOf(session), connectorId, version: planned.version }
  }
}

/** Throws `Mistake` for the file, and `Refused` with the problems of its items. */
async function planFor(session: Session, { file, prune }: PlanOptions): Promise<Planned> {
  const { connectors } = parseConnectorsFile(file, session.terminal.readFile(file))
  const rows = await rowsOf(session, {})
  const others = rows.filter(({ state }) => state !== 'retired').map(({ connectorId }) => connectorId)
  // The list may not have a connector of the last minute yet, so each one of the file is asked for.
  const ids = [...new Set([...connectors.map(({ connectorId }) => connectorId), ...others])]
  const stored = (await eachAtOnce(ids, (id) => storedConnector(session, id))).flat()
  const planned = planOf(
    connectors.map(({ item }) => item),
    stored,
    { prune, vendors },
  )
  const problems = (await eachAtOnce(planned.changes, (change) => problemsOfChange(session, change, connectors))).flat()
  if (problems.length > 0) {
    const paths = problems.map(({ place, connectorId, path, message }) => ({ path: `${place}: ${connectorId}: ${path}`, message }))
    throw new Refused({ code: 'wrong', message: `${file} has problems. Nothing was changed.`, problems: paths })
  }
  return { ...planned, budgets: budgetsOf(itemsAfter(planned, stored), vendors) }
}

async function problemsOfChange(
  { place }: Session,
  change: PlannedChange,
  connectors: readonly FileConnector[],
): Promise<readonly PlacedProblem[]> {
  const connector = connectors.find(({ connectorId }) => connectorId === change.connectorId)
  if (change.action === 'delete' || connector === undefined) return []
  const answer = await place.operator.ask({ action: 'validate', item: change.item })
  if (answer.ok) {
    const { problems } = answer
    return Array.isArray(problems) ? placed(connector, problems) : []
  }
  if (answer.code !== 'wrong') throw new Refused(answer)
  return placed(connector, answer.problems.length > 0 ? answer.problems : [{ path: 'item', message: answer.message }])
}

async function storedConnector({ place }: Session, connectorId: string): Promise<readonly StoredConnector[]> {
  const answer = await place.operator.ask({ action: 'show', connectorId })
  if (!answer.ok && answer.code === 'not-found') return []
  const { item, version } = answered('show', answer)
  return item === undefined || version === undefined ? [] : [{ connectorId, item, version }]
}

/** The items as they are after the changes. */
function itemsAfter({ changes }: Plan, stored: readonly StoredConnector[]): readonly Item[] {
  const after = new Map(stored.map(({ connectorId, item }) => [connectorId, item]))
  for (const change of changes) {
    if (change.action === 'delete') after.delete(change.connectorId)
    else after.set(change.connectorId, change.item)
  }
  return [...after.values()]
}

function planText(planned: Planned): string {
  const { changes, unchanged, left, budgets } = planned
  const count = (action: PlannedChange['action']) => changes.filter((change) => change.action === action).length
  const lines = [
    ...planLines(planned),
    changes.length === 0
      ? `Nothing to change: ${countText(unchanged, 'connector')} as the file says.`
      : `${count('create')} to create, ${count('edit')} to edit, ${count('delete')} to delete, ${unchanged} unchanged.`,
    ...(left.length === 0 ? [] : [`No longer in the file, and kept (--prune deletes them): ${left.join(', ')}`]),
  ]
  return `${lines.join('\n')}\n${budgets.length === 0 ? '' : `\n${formatTextTable(budgets.map(budgetRow))}`}`
}

export interface ExportOptions {
  readonly tenant?: string
}

/** Retired connectors have no item, so they are not in it. */
export async function exportFile(session: Session, options: ExportOptions): Promise<Outcome> {
  const rows = await rowsOf(session, options)
  const stored = (await eachAtOnce(rows, ({ connectorId }) => storedConnector(session, connectorId))).flat()
  const items = stored.sort((a, b) => (a.connectorId < b.connectorId ? -1 : 1)).map(({ item }) => item)
  return { exit: 'done', result: { connectors: items }, text: formatConnectorsFile(items) }
}

/** Questions that are under way at the same time (count). */
const atOnce = 8

/** The results in the order of `things`. */
async function eachAtOnce<T, R>(things: readonly T[], work: (thing: T) => Promise<R>): Promise<readonly R[]> {
  const results = new Array<R>(things.length)
  const rest = things.entries()
  async function next(): Promise<void> {
    for (const [i, thing] of rest) results[i] = await work(thing)
  }
  await Promise.all(Array.from({ length: atOnce }, next))
  return results
}

/** Throws `Mistake` without a file. */
export function fileOf(file: string | undefined): string {
  if (file === undefined || file === '') throw new Mistake('Name the file of connectors with -f FILE.')
  return file
}
