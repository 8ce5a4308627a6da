import { randomUUID } from 'node:crypto'
import { type FileHandle, mkdir, open, readdir, readFile, rename, rm, truncate } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import * as z from 'zod'
import { AwsError, type Operation } from '../aws-json.ts'
import { makeFolder } from '../files.ts'
import { gzipMember, wholeMembersLength } from './gzip-members.ts'
import { type Layout, layoutOf } from './s3-destination.ts'

/** Firehose's limits. */
const batchRecordsMax = 500
const recordBytesMax = 1_000 * 1024
const batchBytesMax = 4 * 1024 * 1024

const putRecordBatch = z.object({
  DeliveryStreamName: z.string(),
  Records: z.array(z.object({ Data: z.string() })).min(1),
})

export interface DeliveryStream {
  readonly operations: Readonly<Record<string, Operation>>
  /** Everything acknowledged is in the lake when it returns. */
  flush(): Promise<void>
  close(): Promise<void>
}

export interface Fault {
  /** Positions in the batch that are refused (`ServiceUnavailableException`); the others are taken. */
  readonly refused?: readonly number[]
  /** The whole batch is refused. */
  readonly error?: AwsError
}

interface OpenObject {
  readonly name: string
  readonly file: FileHandle
  /** Uncompressed, as the buffering hint counts. */
  bytes: number
  /** Of the file, up to what was acknowledged. */
  length: number
}

/**
 * A Firehose delivery stream into `DATA/lake/`, by the UTC time when the object's oldest record arrived (epoch ms, `now`). Without a
 * destination objects lie where the stack's lie, `syslog/dt=YYYY-MM-DD/hour=HH/NAME.json.gz`, after a second at most. Throws an error
 * that names every property of a destination that is not understood.
 *
 * What is acknowledged survives a kill. Each batch is appended to the open object, outside the lake, as a gzip member of
 * its own, and is on disk before the answer. A full object is renamed into the lake: it is there whole or not at all, and
 * never twice. What a kill leaves open is cut after its last whole member (last whole line, where nothing is compressed) and
 * renamed at the next start.
 */
export async function openDeliveryStream(options: {
  readonly dataDir: string
  /** Firehose's `ExtendedS3DestinationConfiguration`. */
  readonly destination?: unknown
  readonly now?: () => number
  /** Asked with each batch, for tests. */
  readonly fault?: (records: number) => Fault | undefined
}): Promise<DeliveryStream> {
  const { dataDir, destination, now = Date.now, fault } = options
  const layout = layoutOf(destination)
  const openDir = openObjectsDir(dataDir)
  await makeFolder(openDir)
  await recover(dataDir, layout)

  let current: OpenObject | undefined
  let timer: NodeJS.Timeout | undefined
  let last: Promise<unknown> = Promise.resolve()

  /** One after the other: appends and the rename of what they append to. */
  function inTurn<T>(work: () => Promise<T>): Promise<T> {
    const done = last.then(work)
    last = done.catch(() => undefined)
    return done
  }

  async function append(data: Buffer): Promise<void> {
    const member = layout.gzip ? await gzipMember(data) : data
    await inTurn(async () => {
      current ??= await openObject()
      const object = current
      try {
        await writeAll(object.file, member, object.length)
        await object.file.datasync()
      } catch (thrown) {
        await object.file.truncate(object.length)
        throw thrown
      }
      object.length += member.length
      object.bytes += data.length
      if (object.bytes >= layout.bufferedBytesMax) await finish()
    })
  }

  async function openObject(): Promise<OpenObject> {
    const name = `${objectName(now())}${layout.extension}`
    const file = await open(join(openDir, name), 'wx')
    // An object that cannot be moved stays where the next start finds it.
    timer = setTimeout(() => void flush().catch(() => undefined), layout.bufferedMsMax)
    return { name, file, bytes: 0, length: 0 }
  }

  async function finish(): Promise<void> {
    clearTimeout(timer)
    const object = current
    if (object === undefined) return
    current = undefined
    await object.file.close()
    if (object.length > 0) await moveIntoLake(dataDir, layout, object.name)
    else await rm(join(openDir, object.name))
  }

  const flush = () => inTurn(finish)

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
    close: flush,
  }
}

/** Not Firehose's own: asked by a reader of the lake that wants to see everything acknowledged. */
export const flushOperation = 'Tributary.Flush'

/** Moves what a killed process left open into the lake, less what it was writing when it was killed; without a destination of its own. */
export function recoverOpenObjects(dataDir: string): Promise<void> {
  return recover(dataDir, layoutOf())
}

async function recover(dataDir: string, layout: Layout): Promise<void> {
  for (const name of await openObjectNames(dataDir)) {
    const path = join(openObjectsDir(dataDir), name)
    const content = await readFile(path)
    const whole = layout.gzip ? wholeMembersLength(content) : content.lastIndexOf('\n') + 1
    if (whole === 0) {
      await rm(path)
      continue
    }
    await truncate(path, whole)
    await moveIntoLake(dataDir, layout, name)
  }
}

/** What is not in the lake yet. */
export async function openObjectNames(dataDir: string): Promise<string[]> {
  const names = await readdir(openObjectsDir(dataDir)).catch(() => [])
  return names.filter((name) => arrival.test(name)).sort()
}

export function lakeDir(dataDir: string): string {
  return join(dataDir, 'lake')
}

function openObjectsDir(dataDir: string): string {
  return join(dataDir, 'firehose')
}

/** As Firehose names them, less the extension: the stream, its version, the UTC time, something random. */
function objectName(at: number): string {
  return `syslog-1-${new Date(at).toISOString().slice(0, 19).replaceAll(/[T:]/g, '-')}-${randomUUID()}`
}

const arrival = /^syslog-1-(\d{4}-\d\d-\d\d)-(\d\d)-/

async function moveIntoLake(dataDir: string, layout: Layout, name: string): Promise<void> {
  const [, day, hour] = arrival.exec(name) ?? []
  const path = join(lakeDir(dataDir), layout.folder(`${day}T${hour}`) + name)
  await mkdir(dirname(path), { recursive: true })
  await rename(join(openObjectsDir(dataDir), name), path)
}

async function writeAll(file: FileHandle, data: Buffer, position: number): Promise<void> {
  for (let written = 0; written < data.length; ) {
    written += (await file.write(data, written, data.length - written, position + written)).bytesWritten
  }
}

function checkLimits(records: readonly Buffer[]): void {
  const bytes = records.reduce((sum, record) => sum + record.length, 0)
  if (records.length > batchRecordsMax) throw invalid(`${records.length} records in a batch; at most ${batchRecordsMax} are allowed.`)
  if (bytes > batchBytesMax) throw invalid(`${bytes} bytes in a batch; at most ${batchBytesMax} are allowed.`)
  if (records.some((record) => record.length > recordBytesMax)) throw invalid(`A record of more than ${recordBytesMax} bytes.`)
}

function invalid(message: string): AwsError {
  return new AwsError('InvalidArgumentException', message)
}
