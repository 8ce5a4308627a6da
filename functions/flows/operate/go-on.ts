import { type Caller, type Change, isChange, parseOperation, type Refusal } from '../../domain/operate/operation.ts'
import { failed, ok, type Result } from '../../domain/result.ts'
import type { Instant } from '../../domain/time.ts'
import type { Answer, OperatePorts } from './carry.ts'
import { issueTicket, redeemTicket } from './tickets.ts'

/** Work of a change that takes longer than its answer may. `until`: it has to end by then. Throws only when a table fails. */
type GoOn<A extends Change['action']> = (
  ports: OperatePorts,
  change: Extract<Change, { readonly action: A }>,
  caller: Caller,
  until: Instant,
) => Promise<void>

/** The changes that go on after they were answered. */
export type GoOns = { readonly [A in Change['action']]?: GoOn<A> }

/** Makes the function go on with a change after its answer, in another call of the same alias. Only that call can use the ticket. */
export async function goOnLater(ports: OperatePorts, change: Change, caller: Caller): Promise<void> {
  const ticket = ports.newTicket()
  await issueTicket(ports, ticket, { purpose: 'go-on', caller, change })
  await ports.later.call({ goOn: change, ticket }, caller)
}

/** The call that `goOnLater` makes. Anybody else who makes one is refused, and so is the same call made again. Never throws. */
export async function goOn<A extends Change['action']>(
  ports: OperatePorts,
  call: { readonly goOn: unknown; readonly ticket?: unknown },
  caller: Caller,
  until: Instant,
  goOns: GoOns,
): Promise<Result<Answer, Refusal>> {
  const parsed = parseOperation(call.goOn)
  try {
    if (!(parsed.ok && isChange(parsed.value))) return failed(notOwn)
    const change = parsed.value as Extract<Change, { readonly action: A }>
    if (!(await redeemTicket(ports, call.ticket, { purpose: 'go-on', caller, change }))) return failed(notOwn)
    const work = goOns[change.action as A]
    if (work === undefined) throw new Error(`nothing goes on with ${change.action}`)
    await work(ports, change, caller, until)
    return ok({})
  } catch (error) {
    ports.log({ level: 'error', event: 'operation-failed', message: 'A change did not go on to its end', error })
    return failed({ code: 'failed', message: 'A service of Tributary failed.' })
  }
}

const notOwn: Refusal = { code: 'not-allowed', message: 'Only the function itself calls this.' }
