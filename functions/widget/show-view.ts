import * as z from 'zod/mini'
import '../domain/schema-messages.ts'
import type { AnswerOf } from '../domain/operate/answers.ts'
import { recordSql, searchSql } from '../domain/operate/event-search.ts'
import type { Question, Refusal } from '../domain/operate/operation.ts'
import type { Clock } from '../domain/ports.ts'
import type { Result } from '../domain/result.ts'
import { connectorStates } from '../domain/status/connector-state.ts'
import { day } from '../domain/time.ts'
import type { Vendor } from '../domain/vendor.ts'
import { type Html, html } from './html.ts'
import { vendorCard } from './views/card.ts'
import { details } from './views/details.ts'
import { event, events, type Row } from './views/events.ts'
import { button, type Frame, framed } from './views/frame.ts'
import { overview } from './views/overview.ts'

/** Answers a question of the person who looks at the page. */
type AskOperator = <A extends Question['action']>(
  question: Extract<Question, { readonly action: A }>,
) => Promise<Result<AnswerOf[A], Refusal>>

export interface ViewPorts {
  readonly ask: AskOperator
  readonly clock: Pick<Clock, 'now'>
  /** Queries the lake. Absent where the lake is not at hand: then the query is shown to be copied. */
  readonly queryLake?: (sql: string) => Promise<Result<readonly Row[], string>>
  readonly vendors: ReadonlyMap<string, Vendor>
}

const text = z.catch(z.string().check(z.maxLength(128)), '')

/** An instant in UTC, such as `2026-11-24T12:00`; undefined if it is none. */
const time = z.pipe(
  text,
  z.transform((given) => {
    const at = Date.parse(/[zZ]|[+-]\d\d:\d\d$/.test(given) ? given : `${given}Z`)
    return Number.isNaN(at) ? undefined : at
  }),
)

/** A call of a page is untrusted: whatever does not fit is the first page. */
const callSchema = z.catch(
  z.discriminatedUnion('view', [
    z.object({
      view: z.literal('overview'),
      find: text,
      state: z.catch(z.enum(['', ...connectorStates]), ''),
      from: z.catch(z.coerce.number().check(z.int(), z.minimum(1)), 1),
    }),
    z.object({ view: z.literal('vendor'), type: text }),
    z.object({
      view: z.literal('events'),
      from: time,
      to: time,
      tenant: text,
      connectorId: text,
      service: text,
      eventType: text,
      text,
    }),
    z.object({ view: z.literal('event'), id: text }),
    z.object({ view: z.literal('details'), connectorId: z.string().check(z.minLength(1), z.maxLength(64)) }),
  ]),
  { view: 'overview' as const, find: '', state: '' as const, from: 1 },
)

/** Shows the view that the call asks for, as HTML. A refusal is shown as well. Throws only when a table fails. */
export async function showView(ports: ViewPorts, call: unknown, frame: Frame): Promise<string> {
  return framed(frame, await viewOf(ports, callSchema.parse(call), frame))
}

async function viewOf(ports: ViewPorts, call: z.output<typeof callSchema>, frame: Frame): Promise<Html> {
  const { ask, vendors } = ports
  switch (call.view) {
    case 'vendor': {
      const vendor = vendors.get(call.type)
      return vendor === undefined ? refused({ code: 'not-found', message: 'There is no such vendor.' }, frame) : vendorCard(vendor, frame)
    }
    case 'overview': {
      const { find, state, from } = call
      const listed = await ask({ action: 'list', find, ...(state === '' ? {} : { state }) })
      return listed.ok ? overview(listed.value, { find, state, from }, [...vendors.values()], frame) : refused(listed.failure, frame)
    }
    case 'events': {
      const now = ports.clock.now()
      const { view: _, from = now - day, to = now, ...rest } = call
      const search = { from: Math.min(from, to), to: Math.max(from, to), ...rest }
      const sql = searchSql(search)
      const found = await ports.queryLake?.(sql)
      const shown = found === undefined ? undefined : found.ok ? { rows: found.value } : { failure: found.failure }
      return events(search, sql, shown, [...vendors.values()], frame)
    }
    case 'event': {
      const found = await ports.queryLake?.(recordSql(call.id))
      return event(found?.ok === true ? found.value[0] : undefined, frame)
    }
    case 'details': {
      const { connectorId } = call
      const [shown, history] = await Promise.all([ask({ action: 'show', connectorId }), ask({ action: 'history', connectorId })])
      return shown.ok ? details(shown.value, history.ok ? history.value.entries : [], frame) : refused(shown.failure, frame)
    }
  }
}

function refused({ message, problems = [] }: Refusal, frame: Frame): Html {
  return html`<p class="tb-bar">${button(frame, { view: 'overview' }, 'All connectors')}</p><p><b>${message}</b></p>
${problems.map(({ path, message: problem }) => html`<p>${path}: ${problem}</p>`)}`
}
