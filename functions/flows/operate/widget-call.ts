import { type Caller, type Change, isChange, type Operation, parseOperation, type Refusal } from '../../domain/operate/operation.ts'
import { requestIdOf } from '../../domain/operate/ticket.ts'
import { failed, ok, type Result } from '../../domain/result.ts'
import { digestItem } from '../item-digest.ts'
import type { Answer, OperatePorts } from './carry.ts'
import { foreignTenant, type operate } from './operate.ts'
import { issueTicket, redeemTicket } from './tickets.ts'

/**
 * Calls from a page, on a dashboard or on one machine. Whoever may edit a dashboard can make the browser of an operator send any of them,
 * so none changes anything by itself:
 *
 *     a question                          is answered
 *     { review: change }                  answers with a ticket for this change. Only a page that a person reads gets it
 *     { submit: change, ticket }          carries the change out
 *     a change, anything else             is refused
 *
 * A change here has no `requestId`: the ticket makes one. `act` answers what may be carried out. Never throws.
 */
export async function widgetCall(
  ports: OperatePorts,
  call: Readonly<Record<string, unknown>>,
  caller: Caller,
  act: typeof operate,
): Promise<Result<Answer, Refusal>> {
  try {
    if ('submit' in call) return await submit(ports, call['submit'], call['ticket'], caller, act)
    if ('review' in call) return await review(ports, call['review'], caller)
    return isChangeRequest(call) ? failed(withoutTicket) : await act(ports, call, caller)
  } catch (error) {
    ports.log({ level: 'error', event: 'operation-failed', message: 'A call from a dashboard was not carried out', error })
    return failed({ code: 'failed', message: 'A service of Tributary failed, and nothing was changed. Try again.' })
  }
}

/** Checks a change and makes a ticket for it. Changes no connector. */
async function review(ports: OperatePorts, request: unknown, caller: Caller): Promise<Result<ReviewedChange & Answer, Refusal>> {
  const ticket = ports.newTicket()
  const change = changeOf(ports, request, ticket, caller)
  if (!change.ok) return change
  await issueTicket(ports, ticket, { purpose: 'page', caller, change: change.value, version: await versionOf(ports, change.value) })
  return ok({ ticket, change: change.value })
}

/** A change that a person looks at before it is carried out. */
interface ReviewedChange {
  /** It is in the button of the review page, and nowhere else. */
  readonly ticket: string
  readonly change: Change
}

/** Carries a change out if the ticket was issued for exactly it, and the connector's item is still the one that the person has seen. */
async function submit(
  ports: OperatePorts,
  request: unknown,
  ticket: unknown,
  caller: Caller,
  act: typeof operate,
): Promise<Result<Answer, Refusal>> {
  const change = changeOf(ports, request, ticket, caller)
  if (!change.ok) return change
  const version = await versionOf(ports, change.value)
  const isGood = await redeemTicket(ports, ticket, { purpose: 'page', caller, change: change.value, version })
  return isGood ? act(ports, change.value, caller) : failed(wrongTicket)
}

function changeOf({ digest }: OperatePorts, request: unknown, ticket: unknown, caller: Caller): Result<Change, Refusal> {
  if (typeof ticket !== 'string') return failed(withoutTicket)
  const given = typeof request === 'object' && request !== null ? request : {}
  const parsed = parseOperation({ ...given, requestId: requestIdOf(digest, ticket) })
  if (!parsed.ok) return failed({ code: 'wrong', message: 'The change is wrong.', problems: parsed.failure })
  const change: Operation = parsed.value
  if (!isChange(change)) return failed({ code: 'wrong', message: `${change.action} changes nothing, so there is nothing to review.` })
  const foreign = foreignTenant(change, caller)
  return foreign === undefined ? ok(change) : failed(foreign)
}

/** The version of the item in the connectors table that the change is for; nothing if there is none. */
async function versionOf({ items, digest }: OperatePorts, change: Change): Promise<string | undefined> {
  const connectorId = 'connectorId' in change ? change.connectorId : change.item['connectorId']
  const item = typeof connectorId === 'string' && connectorId !== '' ? await items.readItem(connectorId) : undefined
  return item === undefined ? undefined : digestItem(digest, item)
}

/** Whether a call is meant as a change, whatever is wrong with it. */
function isChangeRequest(call: Readonly<Record<string, unknown>>): boolean {
  const parsed = parseOperation(call)
  return parsed.ok && isChange(parsed.value)
}

const withoutTicket: Refusal = {
  code: 'not-allowed',
  message: 'A dashboard changes nothing without the review page of Tributary. Open the connector, choose the change, and confirm it there.',
}

const wrongTicket: Refusal = {
  code: 'not-allowed',
  message:
    'Nothing was changed. This page was sent already, is older than 10 minutes, or the connector has changed since. Look at its history, open it again, and confirm the change there.',
}
