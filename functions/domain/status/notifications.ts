import { type FailureCode, failures, isVendorsOwn } from '../failures.ts'
import { type Instant, iso } from '../time.ts'
import { type ConnectorState, isSwitchedOff, type StateChange, traitsOfState } from './connector-state.ts'
import type { Outage } from './outage.ts'

/** Whether a person is told: of a problem, of its end, or not at all. */
export type Attention = 'problem' | 'recovery' | 'none'

interface ChangeDetail {
  readonly attention: Attention
  /** The whole of it in one line, for a mail. */
  readonly summary: string
  readonly vendor: string
  readonly tenantName: string
  readonly connectorId: string
  readonly from: ConnectorState
  readonly to: ConnectorState
  readonly reason: string
  readonly since: string
  readonly remedy: string
  readonly cause?: FailureCode
}

interface OutageDetail {
  readonly attention: Attention
  readonly summary: string
  readonly vendor: string
  /** `https://host`. */
  readonly origin: string
  readonly since: string
  /** When it was seen to be over. */
  readonly until?: string
  readonly reason: string
  readonly remedy: string
}

/** What is put on the event bus. Times are ISO 8601, UTC; texts of users are as they wrote them. */
export type Notification =
  | { readonly type: 'Connector State Changed'; readonly detail: ChangeDetail }
  /** One outage of a vendor's site is one notification, however many connectors it stops: their own changes have the attention `none`. */
  | { readonly type: 'Vendor Outage Began' | 'Vendor Outage Ended'; readonly detail: OutageDetail }

/** The source of every event on the bus. */
export const notificationSource = 'tributary'

/** `connector` is whom it happened to. */
export function changeNotification(
  connector: { readonly connectorId: string; readonly tenantName: string; readonly vendor: string },
  change: StateChange,
): Notification {
  const { from, to, reason, since, cause, refusedEdit } = change
  const { connectorId, tenantName, vendor } = connector
  const remedy =
    refusedEdit === true ? traitsOfState('refused').remedy : cause === undefined ? traitsOfState(to).remedy : failures[cause].remedy
  const what = refusedEdit === true ? `${to}, but an edit was refused at` : `${from} → ${to} since`
  const detail: ChangeDetail = {
    attention: attentionOf(change),
    summary: `Connector ${connectorId} of ${tenantName}: ${what} ${iso(since)}. ${reason === '' ? remedy : reason}`,
    vendor,
    tenantName,
    connectorId,
    from,
    to,
    reason,
    since: iso(since),
    remedy,
    ...(cause === undefined ? {} : { cause }),
  }
  return { type: 'Connector State Changed', detail }
}

/** What the vendor's outage caused is told once, for all of its connectors. */
function attentionOf({ from, to, cause, causeBefore, refusedEdit }: StateChange): Attention {
  if (refusedEdit === true) return 'problem'
  if (traitsOfState(to).isProblem) return cause !== undefined && isVendorsOwn(cause) ? 'none' : 'problem'
  // After an edit it is only tried again.
  if (!traitsOfState(from).isProblem || isSwitchedOff(to) || (to === 'starting' && from !== 'refused')) return 'none'
  return causeBefore !== undefined && isVendorsOwn(causeBefore) ? 'none' : 'recovery'
}

export function outageNotification({ vendor, origin, since, reason }: Outage, until?: Instant): Notification {
  const remedy = 'Nothing, unless it lasts for hours: then ask the vendor. What was missed is read when the site is back.'
  const shared = { vendor, origin, since: iso(since), reason, remedy }
  if (until === undefined) {
    const summary = `${origin} (${vendor}) fails since ${iso(since)}: ${reason} ${remedy}`
    return { type: 'Vendor Outage Began', detail: { attention: 'problem', summary, ...shared } }
  }
  const summary = `${origin} (${vendor}) answers again, seen at ${iso(until)}; it had failed since ${iso(since)}. What was missed is being read.`
  return { type: 'Vendor Outage Ended', detail: { attention: 'recovery', summary, ...shared, until: iso(until) } }
}
