import type { Operation } from '../functions/domain/operate/operation.ts'
import { type Answers, answered, type answers, type Row } from './answers.ts'
import type { Place } from './operator.ts'
import { countText, Mistake, Refused } from './outcome.ts'
import type { Terminal } from './terminal.ts'

/** One command at work. */
export interface Session {
  readonly terminal: Terminal
  readonly place: Place
  /** Nothing is asked. */
  readonly yes: boolean
  /** The name that the person gives, for the history. */
  readonly says?: string
}

/** Asks for an answer of this kind. Throws `Refused`. */
export async function ask<K extends keyof typeof answers>({ place }: Session, kind: K, operation: Operation): Promise<Answers[K]> {
  return answered(kind, await place.operator.ask(operation))
}

/** The members that each change has. */
export function changeOf({ terminal, says }: Session): { readonly requestId: string; readonly says?: string } {
  return { requestId: terminal.newId(), ...(says === undefined ? {} : { says }) }
}

/** The connectors that a command is for: those that it names, or those of a tenant and a state. */
export interface Selection {
  readonly ids: readonly string[]
  readonly tenant?: string
  readonly state?: string
  readonly all?: boolean
}

/** The ids of the selected connectors, in the order of the list. Throws `Mistake` if nothing, or twice, is selected. */
export async function selectedIds(session: Session, { ids, tenant, state, all = false }: Selection): Promise<readonly string[]> {
  const isFiltered = tenant !== undefined || state !== undefined || all
  if (ids.length > 0 && isFiltered) throw new Mistake('Name connectors, or select them with --tenant, --state or --all. Not both.')
  if (ids.length > 0) return [...new Set(ids)]
  if (!isFiltered) throw new Mistake('Name one connector or more, or select them with --tenant, --state or --all.')
  const rows = await rowsOf(session, { ...(tenant === undefined ? {} : { tenant }), ...(state === undefined ? {} : { state }) })
  const found = rows.filter((row) => row.state !== 'retired').map(({ connectorId }) => connectorId)
  if (found.length === 0) throw new Refused({ code: 'not-found', message: 'No connector is selected. "list" shows all of them.' })
  return found
}

export async function rowsOf(session: Session, filter: { tenant?: string; state?: string; find?: string }): Promise<readonly Row[]> {
  return (await ask(session, 'list', { action: 'list', ...filter })).rows
}

/** Says the place, which every change prints first. */
export function sayPlace({ terminal, place }: Session): void {
  terminal.note(`${place.title}:`)
}

/** How many ids a question repeats (count). */
const shownMax = 10

function shownIds(ids: readonly string[]): string {
  return ids.length > shownMax ? `${ids.slice(0, shownMax).join(', ')}, …` : ids.join(', ')
}

/** Whether the person wants it. `needsYes`: nobody can be asked without a terminal, so --yes must be given there. */
export async function isConfirmed(session: Session, question: string, needsYes: boolean): Promise<boolean> {
  const { terminal, yes } = session
  if (yes) return true
  if (terminal.isInteractive) return terminal.ask.confirm(question)
  if (needsYes) throw new Mistake('Nothing was changed. Without a terminal, add --yes.')
  return true
}

/** Counts the selected connectors and asks. A connector that is named needs no question. */
export async function isSelectionConfirmed(session: Session, verb: string, ids: readonly string[], isNamed: boolean): Promise<boolean> {
  session.terminal.note(`${countText(ids.length, 'connector')}: ${shownIds(ids)}`)
  return isNamed || isConfirmed(session, `${verb} ${countText(ids.length, 'connector')}?`, false)
}
