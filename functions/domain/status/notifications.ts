import { tenantOf } from '../connector/tenant.ts'
import { type FailureCode, failures, isVendorsOwn } from '../failures.ts'
import { type Instant, iso } from '../time.ts'
import { type ConnectorState, isSwitchedOff, type StateChange, traitsOfState } from './connector-state.ts'
import type { Outage } from './outage.ts'

/** Whether a person is notified: about a problem, about its end, or not at all. */
export type Attention = 'problem' | 'recovery' | 'none'

interface ChangeDetail {
  readonly attention: Attention
  /** The whole notification in one line, for a mail. */
  readonly summary: string
  readonly vendor: string
  /** From the id; `~` and `tenantName` if it names none. `~` alone, which no connector has, if nothing was ever accepted under the id. */
  readonly tenant: string
  /** For people: any connector may have any. */
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
  /** When the end of the outage was noticed. */
  readonly until?: string
  readonly reason: string
  readonly remedy: string
}

/** An event on the bus. Times are ISO 8601, UTC. Texts of users are unchanged. */
export type Notification =
  | { readonly type: 'Connector State Changed'; readonly detail: ChangeDetail }
  /** One outage of an origin is one notification, for all connectors that it stops: their own changes have the attention `none`. */
  | { readonly type: 'Vendor Outage Began' | 'Vendor Outage Ended'; readonly detail: OutageDetail }

/** The source of every event on the bus. */
export const notificationSource = 'tributary'

/** The notification of a change of state of `connector`. */
export function changeNotification(
  connector: { readonly connectorId: string; readonly tenantName: string | undefined; readonly vendor: string },
  change: StateChange,
): Notification {
  const { from, to, reason, since, cause, refusedEdit } = change
  const { connectorId, tenantName = 'unknown', vendor } = connector
  const remedy =
    refusedEdit === true ? traitsOfState('refused').remedy : cause === undefined ? traitsOfState(to).remedy : failures[cause].remedy
  const what = refusedEdit === true ? `${to}, but an edit was refused at` : `${from} → ${to} since`
  const detail: ChangeDetail = {
    attention: attentionOf(change),
    summary: `Connector ${connectorId} of ${tenantName}: ${what} ${iso(since)}. ${reason === '' ? remedy : reason}`,
    vendor,
    tenant: tenantOf({ connectorId, tenantName: connector.tenantName ?? '' }),
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

/** A change that the vendor's outage caused needs no attention: the outage has a notification of its own. */
function attentionOf({ from, to, cause, causeBefore, refusedEdit }: StateChange): Attention {
  if (refusedEdit === true) return 'problem'
  if (traitsOfState(to).isProblem) return cause !== undefined && isVendorsOwn(cause) ? 'none' : 'problem'
  // After an edit the connector only tries again, so `starting` is no recovery.
  if (!traitsOfState(from).isProblem || isSwitchedOff(to) || (to === 'starting' && from !== 'refused')) return 'none'
  return causeBefore !== undefined && isVendorsOwn(causeBefore) ? 'none' : 'recovery'
}

/** The notification that an outage began or, with `until`, that it ended. */
export function outageNotification({ vendor, origin, since, reason }: Outage, until?: Instant): Notification {
  const remedy = 'Nothing, unless it lasts for hours: then ask the vendor. Missed events are read when the vendor responds again.'
  const shared = { vendor, origin, since: iso(since), reason, remedy }
  if (until === undefined) {
    const summary = `${origin} (${vendor}) has failed since ${iso(since)}: ${reason} ${remedy}`
    return { type: 'Vendor Outage Began', detail: { attention: 'problem', summary, ...shared } }
  }
  const summary = `${origin} (${vendor}) responds again, seen at ${iso(until)}; it had failed since ${iso(since)}. Missed events are being read.`
  return { type: 'Vendor Outage Ended', detail: { attention: 'recovery', summary, ...shared, until: iso(until) } }
}
