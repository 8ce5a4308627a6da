import { tenantOfId } from '../../domain/connector/tenant.ts'
import {
  type Caller,
  type Change,
  type HistoryEntry,
  isChange,
  type Operation,
  parseOperation,
  type Question,
  type Refusal,
} from '../../domain/operate/operation.ts'
import { failed, ok, type Result } from '../../domain/result.ts'
import { cutText } from '../../domain/text.ts'
import type { Answer, Ask, AskPorts, Carry, Done, OperatePorts } from './carry.ts'
import { acknowledge } from './changes/acknowledge.ts'
import { create, edit, pause, remove, resume } from './changes/edit-item.ts'
import { collect, reread } from './changes/read-now.ts'
import { coverage, history, list, show, validate } from './questions.ts'
import { dismiss, test, testResult } from './test/test-connector.ts'
import { writeDown } from './write-down.ts'

/** The longest id of a connector (characters). */
const idMax = 64

const asks: { readonly [A in Question['action']]?: Ask<A> } = { list, show, history, coverage, validate, 'test-result': testResult }

const carries: { readonly [A in Change['action']]?: Carry<A> } = {
  create,
  edit,
  delete: remove,
  pause,
  resume,
  collect,
  reread,
  acknowledge,
  test,
  dismiss,
}

/**
 * Checks an untrusted request, carries it out, and writes each change into the history, whether it was carried out or refused. The same
 * change sent again gets the outcome of the first. Never throws: a fault is logged, and told as `failed`.
 */
export async function operate(ports: OperatePorts, request: unknown, caller: Caller): Promise<Result<Answer, Refusal>> {
  const parsed = parseOperation(request)
  if (!parsed.ok) return failed({ code: 'wrong', message: 'The request is wrong.', problems: parsed.failure })
  const operation = parsed.value
  const foreign = foreignTenant(operation, caller)
  if (foreign !== undefined) return failed(foreign)
  try {
    return isChange(operation) ? await change(ports, operation, caller) : await ask(ports, operation, caller)
  } catch (error) {
    ports.log({ level: 'error', event: 'operation-failed', message: `${operation.action} was not carried out to its end`, error })
    return failed({ code: 'failed', message: 'A service of Tributary failed. Try again: a change that was made is not made twice.' })
  }
}

/** A connector of another tenant is answered as one that does not exist: nobody learns its name. */
export function foreignTenant(operation: Operation, { tenant }: Caller): Refusal | undefined {
  if (tenant === 'all') return undefined
  const ids = [
    'connectorId' in operation ? operation.connectorId : undefined,
    'item' in operation ? operation.item?.['connectorId'] : undefined,
  ].filter((id) => id !== undefined)
  const asked = 'tenant' in operation && operation.tenant !== undefined ? [operation.tenant] : []
  // An id that names no tenant is of no operator of a tenant.
  const named = [...ids.map((id) => tenantOfId(String(id)) ?? ''), ...asked]
  const isOwn = named.every((name) => name === tenant) && (named.length > 0 || operation.action === 'list')
  return isOwn
    ? undefined
    : { code: 'not-allowed', message: `You operate the connectors of ${tenant} alone: their ids begin with ${tenant}.` }
}

async function ask<A extends Question['action']>(
  ports: AskPorts,
  question: Extract<Question, { readonly action: A }>,
  caller: Caller,
): ReturnType<Ask<A>> {
  const answer: Ask<A> | undefined = asks[question.action as A]
  if (answer === undefined) return failed(notHere(question.action))
  return answer(ports, question, caller)
}

async function change<A extends Change['action']>(
  ports: OperatePorts,
  asked: Extract<Change, { readonly action: A }>,
  caller: Caller,
): Promise<Result<Answer, Refusal>> {
  const { state } = ports
  const carry: Carry<A> | undefined = carries[asked.action as A]
  if (carry === undefined) return failed(notHere(asked.action))
  // A caller of one tenant cannot learn the outcome of another tenant's request by its id.
  const requestId = `${caller.tenant}/${asked.requestId}`
  const earlier = await state.beginRequest(requestId)
  if (earlier === 'running') return failed({ code: 'busy', message: 'This request is already being carried out.' })
  if (earlier?.outcome === 'done') return ok({ message: earlier.message })
  if (earlier !== undefined) return failed({ code: earlier.outcome, message: earlier.message })
  const begun = begunEntry(ports, asked, caller)
  // Whatever breaks off from here on, the history says that somebody began it.
  await state.addHistory({ ...begun, inLake: false })
  const result = await carry(ports, asked, caller)
  const outcome = result.ok ? ('done' as const) : result.failure.code
  const { message } = result.ok ? result.value : result.failure
  await writeDown(ports, endedEntry(begun, result))
  await state.endRequest(requestId, { outcome, message })
  return result.ok ? ok({ message }) : result
}

/** A name that the protocol has and this release does not carry out. */
function notHere(action: string): Refusal {
  return { code: 'wrong', message: `This release has no operation ${action}.` }
}

function begunEntry({ clock }: OperatePorts, asked: Change, caller: Caller): HistoryEntry {
  return {
    // A wrong id may be of any length, and this one becomes a key.
    connectorId: cutText('connectorId' in asked ? asked.connectorId : String(asked.item['connectorId']), idMax),
    at: clock.now(),
    action: asked.action,
    requestId: asked.requestId,
    awsRequestId: caller.awsRequestId,
    tenantOfCaller: caller.tenant,
    ...(asked.says === undefined ? {} : { says: asked.says }),
    outcome: 'begun',
  }
}

function endedEntry(begun: HistoryEntry, result: Result<Done, Refusal>): HistoryEntry {
  if (!result.ok) return { ...begun, outcome: result.failure.code, message: result.failure.message }
  const { before, after } = result.value
  return { ...begun, ...(before === undefined ? {} : { before }), ...(after === undefined ? {} : { after }), outcome: 'done' }
}
