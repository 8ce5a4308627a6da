import type { Caller, Change } from '../../domain/operate/operation.ts'
import { boundTo, hashOfTicket, isTicket, type TicketPurpose, ticketMs } from '../../domain/operate/ticket.ts'
import type { OperatePorts } from './carry.ts'

type TicketPorts = Pick<OperatePorts, 'clock' | 'digest'> & { readonly state: Pick<OperatePorts['state'], 'putTicket' | 'redeemTicket'> }

/** All that a ticket is good for. `version`: of the connector's item, if there is one. */
export interface TicketUse {
  readonly purpose: TicketPurpose
  readonly caller: Pick<Caller, 'tenant'>
  readonly change: Change
  readonly version?: string | undefined
}

/** Makes `ticket` good for this change, once, for 10 minutes. Only a hash of it is stored. */
export async function issueTicket({ clock, digest, state }: TicketPorts, ticket: string, use: TicketUse): Promise<void> {
  const { purpose, caller, change, version } = use
  const stored = { hash: hashOfTicket(digest, ticket), boundTo: boundTo(digest, purpose, caller, change, version) }
  await state.putTicket({ ...stored, until: clock.now() + ticketMs })
}

/** Uses an untrusted ticket up. Returns false, and changes nothing, unless it was issued for exactly this and is neither used nor late. */
export async function redeemTicket({ clock, digest, state }: TicketPorts, ticket: unknown, use: TicketUse): Promise<boolean> {
  if (!isTicket(ticket)) return false
  const { purpose, caller, change, version } = use
  return state.redeemTicket({ hash: hashOfTicket(digest, ticket), boundTo: boundTo(digest, purpose, caller, change, version) }, clock.now())
}
