import { type EventSearch, eventColumns, eventsShown, recordSql, searchSql } from '../../functions/domain/operate/event-search.ts'
import { day } from '../../functions/domain/time.ts'
import { vendors } from '../../functions/vendors/index.ts'
import { formatTextTable } from '../../local/text-table.ts'
import { type EventRow, eventRow } from '../answers.ts'
import type { Lake } from '../operator.ts'
import { countText, Mistake, type Outcome, Refused } from '../outcome.ts'
import type { Session } from '../session.ts'
import { timeText } from '../tables.ts'
import { instantOf } from '../times.ts'
import { refuseUnknownWord } from '../words.ts'

/** A search for events in the lake: carried out where the lake is at hand, and on AWS as the query for Athena. */

export interface EventsOptions {
  readonly connector?: string
  readonly tenant?: string
  readonly service?: string
  readonly eventType?: string
  readonly text?: string
  readonly from?: string
  readonly to?: string
}

/** `id`: the whole record of one event. Otherwise the events of the search, the newest first. Throws `Mistake` and `Refused`. */
export async function events(session: Session, id: string | undefined, options: EventsOptions): Promise<Outcome> {
  if (id !== undefined && Object.keys(options).length > 0) throw new Mistake('Give the id of one event, or options of a search. Not both.')
  return id === undefined ? search(session, searchOf(options, session.terminal.now())) : record(session, id)
}

/** Without a time it is the last day. */
function searchOf(options: EventsOptions, now: number): EventSearch {
  const { connector = '', tenant = '', service, eventType, text = '' } = options
  const offers = [...vendors.values()].map(({ offer }) => offer)
  refuseUnknownWord(
    '--service',
    service,
    'service',
    offers.flatMap(({ contentTypes }) => contentTypes),
  )
  refuseUnknownWord(
    '--event-type',
    eventType,
    'event type',
    offers.flatMap(({ eventTypes }) => eventTypes),
  )
  const to = instantOf('--to', options.to ?? 'now', now)
  const from = options.from === undefined ? to - day : instantOf('--from', options.from, now)
  if (from >= to) throw new Mistake('--from must be before --to.')
  return { from, to, tenant, connectorId: connector, service: service ?? '', eventType: eventType ?? '', text }
}

async function search({ place }: Session, wanted: EventSearch): Promise<Outcome> {
  const sql = searchSql(wanted)
  const lake = place.lake()
  if (lake.kind === 'athena') return athenaOutcome(lake, sql)
  const rows = await lake.query(sql)
  const shown =
    rows.length < eventsShown ? `${countText(rows.length, 'event')}, the newest first.` : `The newest ${eventsShown}. Narrow the search.`
  const next = 'The record of one: events ID.'
  return {
    exit: 'done',
    result: { sql, events: rows },
    text: rows.length === 0 ? noEvents(wanted) : `${formatTextTable(rows.map(cells))}${shown} ${next}\n`,
  }
}

function noEvents({ from, to }: EventSearch): string {
  return `No event from ${timeText(from)} to ${timeText(to)} UTC. One is in the lake about a minute after it was collected.\n`
}

function cells(row: EventRow): Readonly<Record<string, unknown>> {
  const columns = eventColumns.map((column) => [column.replace('_', ' '), row[column]] as const)
  return { ...Object.fromEntries(columns), timestamp: timeText(eventRow.parse(row).timestamp), id: row['id'] }
}

async function record({ place }: Session, id: string): Promise<Outcome> {
  const sql = recordSql(id)
  const lake = place.lake()
  if (lake.kind === 'athena') return athenaOutcome(lake, sql)
  const [found] = await lake.query(sql)
  if (found === undefined) throw new Refused({ code: 'not-found', message: `The lake has no event ${id}. "events" lists the ids.` })
  return { exit: 'done', result: { sql, record: found }, text: `${JSON.stringify(found, null, 2)}\n` }
}

/** The stack gives nobody access to the lake, so a person runs the query with their own rights. */
function athenaOutcome({ editor, workgroup, database }: Extract<Lake, { kind: 'athena' }>, sql: string): Outcome {
  return {
    exit: 'done',
    result: { sql, editor, workgroup, database },
    text: `${sql}\n\nRun it in Athena, in the workgroup ${workgroup} and the database ${database}:\n${editor}\n`,
  }
}
