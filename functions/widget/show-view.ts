import { recordSql, searchSql } from '../domain/operate/event-search.ts'
import type { Clock } from '../domain/ports.ts'
import type { Result } from '../domain/result.ts'
import { day, hour } from '../domain/time.ts'
import { callSchema, type ViewCall } from './call.ts'
import { reviewView, submitView, testView } from './change-views.ts'
import { type FormPorts, formView } from './form/form-views.ts'
import type { Html } from './html.ts'
import { vendorCard } from './views/card.ts'
import { details } from './views/details.ts'
import { event, events, type Row } from './views/events.ts'
import { type Frame, framed } from './views/frame.ts'
import { overview } from './views/overview.ts'
import { refused } from './views/refused.ts'
import { acknowledgeForm, rereadForm } from './views/review.ts'

export interface ViewPorts extends FormPorts {
  readonly clock: Pick<Clock, 'now'>
  /** Queries the lake. Absent where the lake is not at hand: then the query is shown to be copied. */
  readonly queryLake?: (sql: string) => Promise<Result<readonly Row[], string>>
}

/** Shows the view that the call asks for, as HTML. A refusal is shown as well. Throws only when a table fails. */
export async function showView(ports: ViewPorts, call: unknown, frame: Frame): Promise<string> {
  return framed(frame, await viewOf(ports, callSchema.parse(call), frame))
}

async function viewOf(ports: ViewPorts, call: ViewCall, frame: Frame): Promise<Html> {
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
    case 'create':
    case 'edit':
      return formView(ports, call, frame)
    case 'test':
      return testView(ports, call, undefined, frame)
    case 'review':
      return reviewView(ports, call, frame)
    case 'submit':
      return submitView(ports, call, frame)
    case 'reread-form':
    case 'acknowledge-form': {
      const { connectorId } = call
      const shown = await ask({ action: 'show', connectorId })
      if (!shown.ok) return refused(shown.failure, frame)
      const { streams, row } = shown.value
      const now = ports.clock.now()
      if (call.view === 'acknowledge-form') return acknowledgeForm(connectorId, row.loss ?? 'Nothing is lost.', frame)
      return rereadForm(
        connectorId,
        streams.map(({ stream }) => stream),
        now - hour,
        now,
        frame,
      )
    }
    case 'details': {
      const { connectorId } = call
      const [shown, history, tested] = await Promise.all([
        ask({ action: 'show', connectorId }),
        ask({ action: 'history', connectorId }),
        ask({ action: 'test-result', connectorId }),
      ])
      if (!shown.ok) return refused(shown.failure, frame)
      return details(shown.value, history.ok ? history.value.entries : [], tested.ok ? tested.value : undefined, frame)
    }
  }
}
