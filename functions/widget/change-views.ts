import type { Refusal } from '../domain/operate/operation.ts'
import type { Result } from '../domain/result.ts'
import type { AskOperator } from './ask-operator.ts'
import type { ViewCall } from './call.ts'
import type { Html } from './html.ts'
import type { Call, Frame } from './views/frame.ts'
import { refused } from './views/refused.ts'
import { connectorOf, type PageChange, review, submitted } from './views/review.ts'
import { test } from './views/test.ts'

/** The ports of the views that change something. */
export interface ChangePorts {
  readonly ask: AskOperator
  /** Makes a ticket for a change that a person is to look at. Changes nothing. */
  readonly review: (change: PageChange) => Promise<Result<{ readonly ticket: string }, Refusal>>
  /** Carries a change out, if the ticket was made for exactly this one. */
  readonly submit: (change: PageChange, ticket: string) => Promise<Result<{ readonly message: string }, Refusal>>
}

type ReviewCall = Extract<ViewCall, { readonly view: 'review' }>
type SubmitCall = Extract<ViewCall, { readonly view: 'submit' }>

/** Asks the person before a change. */
export async function reviewView(ports: ChangePorts, call: ReviewCall, frame: Frame): Promise<Html> {
  const change = await changeOf(ports, call)
  if (!change.ok) return refused(change.failure, frame)
  const reviewed = await ports.review(change.value)
  if (!reviewed.ok) return refused(reviewed.failure, frame)
  return review(change.value, reviewed.value.ticket, call.action === 'test' ? await requestsOf(ports, call.connectorId) : '', frame)
}

/** The requests that a Test of the connector makes, in words. Of one that was never accepted nobody knows them yet. */
async function requestsOf({ ask }: ChangePorts, connectorId: string): Promise<string> {
  const shown = await ask({ action: 'show', connectorId })
  if (!shown.ok || shown.value.streams.length === 0) return ''
  const { streams, keys } = shown.value
  const count = Math.max(streams.length, keys.length)
  return `It makes about ${count} ${count === 1 ? 'request' : 'requests'} to the vendor.`
}

/**
 * Carries the change out, and says how it ended. A connector that was created or edited is tested at once. Where a Test runs already, that
 * one is shown.
 */
export async function submitView(
  ports: ChangePorts,
  { change, ticket, back: form }: Pick<SubmitCall, 'ticket'> & { readonly change: PageChange; readonly back?: object | undefined },
  frame: Frame,
): Promise<Html> {
  const connectorId = connectorOf(change)
  const back = callIn(form)
  const result = await ports.submit(change, ticket)
  if (change.action === 'test' && !result.ok && result.failure.code === 'busy')
    return testView(ports, { connectorId, back: form }, result.failure.message, frame)
  if (!result.ok || !['create', 'edit', 'test'].includes(change.action)) return submitted(connectorId, result, back, frame)
  const { message } = result.value
  if (change.action === 'test') return testView(ports, { connectorId, back: form }, message, frame)
  const begun = await beginTest(ports, connectorId)
  return testView(ports, { connectorId }, begun.ok ? message : `${message} ${begun.failure.message}`, frame)
}

/** The person has asked for the Test by submitting the form, which says so. */
async function beginTest({ review: issue, submit }: ChangePorts, connectorId: string): Promise<Result<unknown, Refusal>> {
  const change: PageChange = { action: 'test', connectorId }
  const issued = await issue(change)
  return issued.ok ? submit(change, issued.value.ticket) : issued
}

/** Shows the last Test of a connector. */
export async function testView(
  { ask }: Pick<ChangePorts, 'ask'>,
  { connectorId, back }: { readonly connectorId: string; readonly back?: object | undefined },
  said: string | undefined,
  frame: Frame,
): Promise<Html> {
  const found = await ask({ action: 'test-result', connectorId })
  return found.ok ? test(found.value, said, callIn(back), frame) : submitted(connectorId, found, undefined, frame)
}

/** The call of the form that a view leads back to. It is untrusted, and is parsed again when it is made. */
function callIn(back: object | undefined): Call | undefined {
  return back !== undefined && 'view' in back && typeof back.view === 'string' ? { ...back, view: back.view } : undefined
}

/** The change that a call of a form asks for. A deletion names the item that the person sees now. */
async function changeOf({ ask }: ChangePorts, call: ReviewCall): Promise<Result<PageChange, Refusal>> {
  const { action, connectorId } = call
  switch (action) {
    case 'delete': {
      const shown = await ask({ action: 'show', connectorId })
      return shown.ok ? { ok: true, value: { action, connectorId, version: shown.value.version ?? '' } } : shown
    }
    case 'reread': {
      const { from, to, stream, redeliver } = call
      if (from === undefined || to === undefined) return { ok: false, failure: wrongTime }
      return {
        ok: true,
        value: { action, connectorId, from, to, redeliver: redeliver === 'yes', ...(stream === '' ? {} : { streams: [stream] }) },
      }
    }
    case 'acknowledge':
      return { ok: true, value: { action, connectorId, note: call.note } }
    default:
      return { ok: true, value: { action, connectorId } }
  }
}

const wrongTime: Refusal = { code: 'wrong', message: 'A time is wrong. Give it in UTC, such as 2026-11-24T12:00.' }
