import type { ConnectorState } from './status.ts'

/** How all connectors are, in numbers. */
export interface FleetHealth {
  readonly connectors: number
  readonly byState: Readonly<Partial<Record<ConnectorState, number>>>
  /** How far the proof of the stalest connector lags behind now (ms). */
  readonly lagMostMs: number
  /** Until the first unread event of any connector passes its horizon (ms); absent when nothing collects. */
  readonly horizonLeastMs?: number
}
