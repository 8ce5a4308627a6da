import type { Failure } from '../../functions/domain/failures.ts'
import type { Sink } from '../../functions/domain/ports.ts'
import { type LakeRecord, serialise } from '../../functions/domain/record/record.ts'
import { failed, ok } from '../../functions/domain/result.ts'

/** A lake in memory. */
export class MemorySink implements Sink {
  /** All records that arrived, in their order, as their lines have them. */
  readonly records: LakeRecord[] = []

  /** Called once for each delivery. It returns the failure of this delivery, and how many of its records still arrive. */
  fault: (records: readonly LakeRecord[]) => { readonly failure: Failure; readonly arrived?: number } | undefined = () => undefined

  async deliver(given: Iterable<LakeRecord>) {
    const records: LakeRecord[] = Array.from(given, (record) => JSON.parse(serialise(record)))
    const fault = this.fault(records)
    this.records.push(...records.slice(0, fault === undefined ? records.length : (fault.arrived ?? 0)))
    return fault === undefined ? ok(undefined) : failed(fault.failure)
  }
}
