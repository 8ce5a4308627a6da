import { tenantOf } from '../../functions/domain/connector/tenant.ts'
import { keyAge, keyState, keyUsers } from '../../functions/domain/status/key-texts.ts'
import { shownStates } from '../../functions/domain/status/shown-state.ts'
import { durationText, iso } from '../../functions/domain/time.ts'
import { formatTextTable } from '../../local/text-table.ts'
import { answered } from '../answers.ts'
import { formatItem } from '../connectors-file.ts'
import type { Outcome } from '../outcome.ts'
import { ask, rowsOf, type Selection, type Session, selectedIds } from '../session.ts'
import { type ConnectorCoverage, coverageTables, historyTable, listTable, lostOf, showTable, timeText } from '../tables.ts'
import { instantOf } from '../times.ts'
import { refuseUnknownWord } from '../words.ts'

/** Commands that change nothing. */

export interface ListOptions {
  readonly tenant?: string
  readonly state?: string
  readonly find?: string
}

export async function list(session: Session, options: ListOptions): Promise<Outcome> {
  refuseUnknownWord('--state', options.state, 'state', shownStates)
  const answer = await session.place.operator.ask({ action: 'list', ...options })
  const { rows, asOf } = answered('list', answer)
  return { exit: 'done', result: answer, text: listTable(rows, asOf) }
}

export async function show(session: Session, connectorId: string): Promise<Outcome> {
  const answer = await ask(session, 'show', { action: 'show', connectorId })
  const { version: itemVersion, ...rest } = answer
  const { row, asOf, item, streams, keys } = rest
  const streamRows = streams.map(({ stream, provenTo, counts, trouble }) => ({
    stream,
    'proven to (UTC)': timeText(provenTo),
    delivered: counts.delivered ?? 0,
    trouble: trouble === undefined ? '' : `${trouble.failure.message ?? 'failing'}; next try ${timeText(trouble.until)}`,
  }))
  const keyRows = keys.map((key) => ({
    secret: key.secret,
    fingerprint: key.fingerprint,
    age: keyAge(key, asOf),
    state: keyState(key, asOf),
    'also used by': keyUsers(key),
  }))
  const parts = [
    showTable(row, asOf),
    ...(streamRows.length === 0 ? [] : [formatTextTable(streamRows)]),
    ...(keyRows.length === 0 ? [] : [formatTextTable(keyRows)]),
    item === undefined ? 'Its item was deleted.\n' : formatItem(item),
  ]
  return { exit: 'done', result: { ...rest, ...(itemVersion === undefined ? {} : { itemVersion }) }, text: parts.join('\n') }
}

export async function history(session: Session, connectorId: string, options: { readonly before?: string }): Promise<Outcome> {
  const before = options.before === undefined ? {} : { before: instantOf('--before', options.before, session.terminal.now()) }
  const answer = await ask(session, 'history', { action: 'history', connectorId, ...before })
  return { exit: 'done', result: answer, text: historyTable(answer) }
}

/** Without a selection: of every connector. */
export async function coverage(session: Session, selection: Selection): Promise<Outcome> {
  const isAll = selection.ids.length === 0 && selection.tenant === undefined && selection.state === undefined
  const ids = await selectedIds(session, isAll ? { ...selection, all: true } : selection)
  const tenantNames = new Map((await rowsOf(session, {})).map(({ connectorId, tenantName }) => [connectorId, tenantName]))
  const all: ConnectorCoverage[] = []
  for (const connectorId of ids) {
    const answer = await session.place.operator.ask({ action: 'coverage', connectorId })
    // An item that was never accepted has no streams.
    if (!answer.ok && answer.code === 'not-found' && selection.ids.length === 0) continue
    const { asOf, streams } = answered('coverage', answer)
    all.push({ connectorId, tenant: tenantOf({ connectorId, tenantName: tenantNames.get(connectorId) ?? '' }), asOf, streams })
  }
  return {
    exit: 'done',
    result: { connectors: all.map(coverageJson) },
    text: coverageTables(all) || 'No streams.\n',
  }
}

function coverageJson({ connectorId, tenant, asOf, streams }: ConnectorCoverage) {
  return {
    connectorId,
    tenant,
    asOf: iso(asOf),
    streams: streams.map((stream) => ({
      stream: stream.stream,
      from: iso(stream.since),
      provenTo: iso(stream.provenTo),
      notProven: durationText(asOf - stream.provenTo),
      lost: { ...lostOf([stream]), ranges: stream.lostRanges.map(({ from, to, reason }) => ({ from: iso(from), to: iso(to), reason })) },
    })),
  }
}
