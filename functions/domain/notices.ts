import type { FailureCode } from './failures.ts'
import type { ConnectorState } from './status.ts'
import type { Instant } from './time.ts'

/** One change of a connector's state. It is kept in the status until it has been told. */
export interface StateChange {
  /** Absent: the connector was not known before. */
  readonly from?: ConnectorState
  readonly to: ConnectorState
  readonly reason: string
  readonly since: Instant
  /** Why it is failing, and why it was. */
  readonly cause?: FailureCode
  readonly causeBefore?: FailureCode
}

/** Whether a person is told: of a problem, of its end, or not at all. */
export type Attention = 'problem' | 'recovery' | 'none'

/** What is put on the event bus. Times are ISO 8601, UTC. */
export type Notice =
  | {
      readonly type: 'Connector State Changed'
      readonly detail: {
        readonly attention: Attention
        /** The whole of it in one line, for a mail. */
        readonly summary: string
        readonly vendor: string
        readonly tenantName: string
        readonly connectorId: string
        readonly from: ConnectorState | 'new'
        readonly to: ConnectorState
        readonly reason: string
        readonly since: string
        readonly todo: string
        readonly cause?: FailureCode
      }
    }
  | {
      /** One outage of a vendor's site is one notice, however many connectors it stops: their own changes have the attention `none`. */
      readonly type: 'Vendor Outage Began' | 'Vendor Outage Ended'
      readonly detail: {
        readonly attention: Attention
        readonly summary: string
        readonly vendor: string
        /** `https://host`. */
        readonly site: string
        readonly since: string
        readonly until?: string
        readonly reason: string
        readonly todo: string
      }
    }

/** The source of every event on the bus. */
export const noticeSource = 'tributary'
