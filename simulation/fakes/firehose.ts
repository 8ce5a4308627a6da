import type { FirehoseClient, PutRecordBatchCommand } from '@aws-sdk/client-firehose'
import type { LakeRecord } from '../../functions/domain/record/record.ts'

/** A fault of one batch. `taken`: so many of its Firehose records are taken. */
export type BatchFault =
  | { readonly kind: 'refused'; readonly taken: number; readonly errorCode: string }
  | { readonly kind: 'lost'; readonly taken: number }

/**
 * A delivery stream of Firehose in memory, at the level of the client: the real adapter runs over it, so each of its calls can fail by
 * itself. `arrived` is called with the records of each batch that are taken, read back from their lines.
 */
export class MemoryFirehose {
  private readonly arrived: (records: readonly LakeRecord[]) => Promise<unknown>
  private readonly drawFault: (records: number) => BatchFault | undefined

  constructor(
    arrived: (records: readonly LakeRecord[]) => Promise<unknown>,
    drawFault: (records: number) => BatchFault | undefined = () => undefined,
  ) {
    this.arrived = arrived
    this.drawFault = drawFault
  }

  /** The part of a client that the sink uses. */
  get client(): FirehoseClient {
    return this as unknown as FirehoseClient
  }

  async send({ input: { Records = [] } }: PutRecordBatchCommand): Promise<unknown> {
    const fault = this.drawFault(Records.length)
    const taken = Records.slice(0, fault?.taken)
    await this.arrived(taken.flatMap(({ Data }) => linesOf(Data)))
    if (fault?.kind === 'lost') throw Object.assign(new Error('Injected: the acknowledgement is lost'), { name: 'TimeoutError' })
    return {
      FailedPutCount: Records.length - taken.length,
      RequestResponses: Records.map((_, index) =>
        index < taken.length ? { RecordId: String(index) } : { ErrorCode: fault?.errorCode ?? 'InternalFailure' },
      ),
    }
  }
}

function linesOf(data: Uint8Array | undefined): LakeRecord[] {
  const lines = Buffer.from(data ?? []).toString('utf8')
  return (
    lines
      .split('\n')
      .filter((line) => line !== '')
      .map((line): LakeRecord => JSON.parse(line))
      // As in every view of the lake: a line without an id is no record.
      .filter(({ id }) => id !== undefined)
  )
}
