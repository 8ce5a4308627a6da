import type { Delivery, RecordDetail, Sink } from '../../functions/domain/ports.ts'
import { canonicalJson } from '../../functions/domain/record/json-text.ts'
import type { LakeRecord } from '../../functions/domain/record/record.ts'
import { ok } from '../../functions/domain/result.ts'
import { eventKey } from '../expected-record.ts'
import { key } from '../key-in-events.ts'

/** A lake that keeps only what an audit needs: how often each item arrived, by `eventKey`. */
export class LakeOfIds implements Sink {
  readonly byConnector = new Map<string, Map<string, number>>()
  /** Ids of malformed items. Two of them may be equal and have the same id. */
  readonly malformed = new Set<string>()
  /** Events that were delivered again after a checkpoint. */
  readonly again: string[] = []
  records = 0
  /** Records from which a key was removed. */
  redacted = 0
  /** Records that hold the first key of the world, by connector. */
  readonly withKey = new Map<string, number>()
  /** Ids of records. */
  private readonly settled = new Set<string>()

  /** A run has saved its checkpoint, and so remembers these events: nobody may deliver them again. */
  settle(records: readonly LakeRecord[]): void {
    for (const { id } of records) this.settled.add(id)
  }

  async deliver(records: Iterable<LakeRecord>, _detail?: RecordDetail): Promise<Delivery> {
    for (const record of records) {
      this.records += 1
      const { id: recordId, connector_id, raw, malformed, redacted } = record
      if (redacted === true) this.redacted += 1
      if (`${JSON.stringify(record)}${canonicalJson(raw)}`.includes(key))
        this.withKey.set(connector_id, (this.withKey.get(connector_id) ?? 0) + 1)
      const id = eventKey(raw)
      if (malformed === true) this.malformed.add(id)
      else if (this.settled.has(recordId)) this.again.push(`${connector_id} ${recordId}`)
      const ids = this.byConnector.get(connector_id) ?? new Map<string, number>()
      ids.set(id, (ids.get(id) ?? 0) + 1)
      this.byConnector.set(connector_id, ids)
    }
    return ok(undefined)
  }
}
