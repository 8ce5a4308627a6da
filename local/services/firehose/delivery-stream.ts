import { randomUUID } from 'node:crypto'
import * as z from 'zod'
import { AwsError, type Operation } from '../aws-json.ts'
import { makeFolder } from '../files.ts'
import { moveOpenObjects, openObjectsDir } from './lake-objects.ts'
import { objectWriter } from './object-writer.ts'
import { layoutOf } from './s3-destination.ts'

/** Firehose has the same limits. */
const batchRecordsMax = 500
const recordBytesMax = 1_000 * 1024
const batchBytesMax = 4 * 1024 * 1024

const putRecordBatch = z.object({
  DeliveryStreamName: z.string(),
  Records: z.array(z.object({ Data: z.string() })).min(1),
})

export interface DeliveryStream {
  readonly operations: Readonly<Record<string, Operation>>
  /** Returns when every acknowledged record is in the lake. Throws when that is impossible now. */
  flush(): Promise<void>
  close(): Promise<void>
}

/** A failure that a test asks for. */
export interface Fault {
  /** These positions of the batch are refused (`ServiceUnavailableException`); the other records are taken. */
  readonly refused?: readonly number[]
  /** The whole batch is refused with this error. */
  readonly error?: AwsError
}

/** Firehose has no such operation. A reader of the lake calls it to see every acknowledged record. */
export const flushOperation = 'Tributary.Flush'

/**
 * Opens a Firehose delivery stream into `DATA/lake/`. The UTC time when the oldest record of an object arrived (`now`, epoch ms) gives
 * its folder. Without a destination, objects have the place that the stack gives them, `syslog/dt=YYYY-MM-DD/hour=HH/NAME.json.gz`, and
 * arrive there within a second. Throws an error that names every property of a destination that is not supported.
 *
 * An acknowledged record survives a kill: it is on disk before the response. A full object is renamed into the lake, so it is there
 * as a whole or not at all, and never twice. The next start repairs an object that a kill left open and renames it too.
 */
export async function openDeliveryStream(options: {
  readonly dataDir: string
  /** Firehose's `ExtendedS3DestinationConfiguration`. */
  readonly destination?: unknown
  readonly now?: () => number
  /** Lets a test make a batch fail; called with each batch. */
  readonly fault?: (records: number) => Fault | undefined
  /** Takes the error when an object cannot be moved into the lake. */
  readonly onFault?: (thrown: unknown) => void
}): Promise<DeliveryStream> {
  const { dataDir, destination, now = Date.now, fault, onFault = () => undefined } = options
  const layout = layoutOf(destination)
  await makeFolder(openObjectsDir(dataDir))
  await moveOpenObjects(dataDir, layout)
  const { append, flush } = objectWriter({ dataDir, layout, now, onFault })
  return {
    operations: {
      async 'Firehose_20150804.PutRecordBatch'(input) {
        const { Records } = putRecordBatch.parse(input)
        const { refused = [], error } = fault?.(Records.length) ?? {}
        if (error !== undefined) throw error
        const records = Records.map(({ Data }) => Buffer.from(Data, 'base64'))
        checkLimits(records)
        const accepted = records.filter((_, index) => !refused.includes(index))
        if (accepted.length > 0) await append(Buffer.concat(accepted))
        return {
          FailedPutCount: records.length - accepted.length,
          RequestResponses: records.map((_, index) =>
            refused.includes(index) ? { ErrorCode: 'ServiceUnavailableException', ErrorMessage: 'Slow down.' } : { RecordId: randomUUID() },
          ),
        }
      },
      async [flushOperation]() {
        await flush()
        return {}
      },
    },
    flush,
    // A failure to move it was told to `onFault`.
    close: () => flush().catch(() => undefined),
  }
}

function checkLimits(records: readonly Buffer[]): void {
  const bytes = records.reduce((sum, record) => sum + record.length, 0)
  if (records.length > batchRecordsMax) throw invalid(`The batch has ${records.length} records; at most ${batchRecordsMax} are allowed.`)
  if (bytes > batchBytesMax) throw invalid(`The batch has ${bytes} bytes; at most ${batchBytesMax} are allowed.`)
  if (records.some((record) => record.length > recordBytesMax)) throw invalid(`A record has more than ${recordBytesMax} bytes.`)
}

function invalid(message: string): AwsError {
  return new AwsError('InvalidArgumentException', message)
}
