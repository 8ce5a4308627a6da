import * as ledger from '../../functions/domain/stream/ledger.ts'
import type { Range, StreamState } from '../../functions/domain/stream/stream.ts'
import { hour, minute, second } from '../../functions/domain/time.ts'

export const now = Date.UTC(2026, 10, 24, 12)
export const policy: ledger.ReadingPolicy = {
  retentionMs: 72 * hour,
  pageItemsMax: 500,
  lateMs: 10 * minute,
  intervalMs: 5 * minute,
  paceMs: 3 * second,
  clock: { lastMs: 0 },
  wantedTo: 0,
  usualTime: 0,
}
export const stream = (since: number, more: Partial<StreamState> = {}): StreamState => ({ ...ledger.newStream(since, since), ...more })
/** Completes a range whose last page was received at `receivedAt`. */
export const complete = (of: StreamState, read: Range, receivedAt: number, by = policy, more: { readonly clockErrorMs?: number } = {}) =>
  ledger.completeRange(of, read, { readSince: read.readSince ?? receivedAt, receivedAt, ...more }, by)
export const range = (kind: Range['kind'], from: number, to: number, more: Partial<Range> = {}): Range => ({
  kind,
  from,
  to,
  page: 1,
  items: 0,
  readSince: now,
  ...more,
})
/** A stream that is proven complete from `since` to `to`. */
export const coveredFrom = (since: number, to: number, more: Partial<StreamState> = {}) =>
  stream(since, { covered: [{ from: since, to }], readThrough: to, ...more })
