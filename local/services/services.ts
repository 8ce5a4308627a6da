import { randomBytes } from 'node:crypto'
import { DynamoDBClient } from '@aws-sdk/client-dynamodb'
import { connectorsTable, stateTable } from '../../functions/adapters/state-schema.ts'
import { streamTable } from '../triggers/table-stream.ts'
import { type AwsError, callAwsJson, startAwsJson } from './aws-json.ts'
import { ensureTable, startDynamoDb } from './dynamodb.ts'
import { eventBusOperations } from './event-bus.ts'
import { type Fault, flushOperation, openDeliveryStream } from './firehose/delivery-stream.ts'
import { type Addresses, findOwner, type Ownership, type Published, takeOwnership } from './ownership.ts'
import { startQueue } from './queue.ts'
import { secretsOperations } from './secrets-manager.ts'
import { StartupError } from './startup-error.ts'

export interface ServicesOptions {
  /** State, lake and what else there is to keep. */
  readonly dataDir: string
  /** Absent: free ones. */
  readonly ports?: { readonly dynamodb?: number; readonly firehose?: number; readonly queue?: number }
  /** Secret name → its text. Only the owner's count. */
  readonly secrets?: ReadonlyMap<string, string>
  /** What else the functions need in their environment, in whichever process they run. Only the owner's counts. */
  readonly environment?: Readonly<Record<string, string>>
  /** The time of arrival in the lake (epoch ms). */
  readonly now?: () => number
  /** How long a message that was received is hidden from the others. At least as long as a function may run. */
  readonly visibilitySeconds?: number
  /** For tests: asked with each batch of Firehose and each secret. */
  readonly fault?: { readonly firehose?: (records: number) => Fault | undefined; readonly secrets?: (name: string) => AwsError | undefined }
}

/** The AWS of one data folder, on this machine. */
export interface Services {
  readonly addresses: Addresses
  /** What a process must have in its environment to reach them: the SDK's endpoints and credentials, and the names in `functions/env.ts`. */
  readonly environment: Readonly<Record<string, string>>
  /** The same for a client of the SDK that is made by hand, less the endpoint. */
  readonly clientConfig: {
    readonly region: string
    readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string }
  }
  /** The process that runs them. */
  readonly ownerPid: number
  /** Whether that is this one. */
  readonly owner: boolean
  /** Resolves when they have ended. */
  readonly gone: Promise<void>
  /** Everything acknowledged so far is in the lake when it returns. */
  flush(): Promise<void>
  /** Ends them if this process is their owner, else only the connection. */
  close(): Promise<void>
}

export const stateTableName = 'tributary-state'
export const connectorsTableName = 'tributary-connectors'
const eventBusName = 'tributary'
const deliveryStreamName = 'tributary-syslog'
const region = 'us-east-1'

/** As the stack sets it: longer than `collect` may run. */
const visibilitySecondsDefault = 6 * 60

/** An owner that has the lock answers within this time, or has ended and left it to us (tries of 100 ms). */
const triesMax = 150

/**
 * The first process on a data folder starts its services and owns them; a later one connects. Throws `StartupError` when
 * the folder cannot be written to, a port is taken, or the owner does not answer.
 */
export async function startOrConnect(options: ServicesOptions): Promise<Services> {
  for (let attempt = 1; attempt <= triesMax; attempt += 1) {
    const services = (await ownServices(options)) ?? (await connectServices(options.dataDir))
    if (services !== undefined) return services
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
  throw new StartupError(`Another process uses ${options.dataDir} and does not answer. End it, or name another folder with --data.`)
}

/** Throws `StartupError` also when another process is the owner. */
export async function startServices(options: ServicesOptions): Promise<Services> {
  const services = await ownServices(options)
  if (services !== undefined) return services
  throw new StartupError(`Another process uses ${options.dataDir}. End it, or name another folder with --data.`)
}

/** The services that another process runs for this folder; undefined when none does. */
export async function connectServices(dataDir: string): Promise<Services | undefined> {
  const owner = await findOwner(dataDir)
  if (owner === undefined) return undefined
  return {
    ...access(owner),
    ownerPid: owner.pid,
    owner: false,
    gone: owner.gone,
    flush: () => callAwsJson(owner.addresses.firehose, owner.accessKeyId, flushOperation, {}),
    async close() {
      owner.close()
    },
  }
}

async function ownServices(options: ServicesOptions): Promise<Services | undefined> {
  const ownership = await takeOwnership(options.dataDir)
  if (ownership === undefined) return undefined
  const opened: { close(): Promise<void> }[] = []
  try {
    return await start(options, ownership, opened)
  } catch (thrown) {
    await closeAll(opened)
    await ownership.release()
    throw thrown
  }
}

/** What it opens it adds to `opened`, so that a start that fails half-way can be undone. */
async function start(options: ServicesOptions, ownership: Ownership, opened: { close(): Promise<void> }[]): Promise<Services> {
  const { dataDir, ports = {}, secrets = new Map<string, string>(), now = Date.now, fault = {} } = options
  const { visibilitySeconds = visibilitySecondsDefault, environment = {} } = options
  const keep = <T extends { close(): Promise<void> }>(service: T) => {
    opened.push(service)
    return service
  }
  const accessKeyId = randomBytes(20).toString('hex')
  const clientConfig = clientConfigOf(accessKeyId)

  const stream = keep(await openDeliveryStream({ dataDir, now, ...(fault.firehose && { fault: fault.firehose }) }))
  const secretText = (name: string) => {
    const error = fault.secrets?.(name)
    if (error !== undefined) throw error
    return secrets.get(name)
  }
  const operations = { ...stream.operations, ...secretsOperations(secretText), ...eventBusOperations({ dataDir, now }) }
  const json = keep(await startAwsJson({ operations, accessKeyId, port: ports.firehose ?? 0 }))
  const queue = keep(await startQueue({ port: ports.queue ?? 0, clientConfig, visibilitySeconds }))
  const dynamodb = keep(await startDynamoDb({ dataDir, port: ports.dynamodb ?? 0 }))

  const client = new DynamoDBClient({ ...clientConfig, endpoint: dynamodb.address })
  await ensureTable(client, stateTable(stateTableName))
  await ensureTable(client, connectorsTable(connectorsTableName))
  await ensureTable(client, streamTable(connectorsTableName))
  client.destroy()

  const addresses = { dynamodb: dynamodb.address, firehose: json.address, secretsManager: json.address, queueUrl: queue.queueUrl }
  const published = { accessKeyId, addresses, environment }
  await ownership.publish(published)

  const gone = Promise.withResolvers<void>()
  return {
    ...access(published),
    ownerPid: process.pid,
    owner: true,
    gone: gone.promise,
    flush: stream.flush,
    async close() {
      await closeAll(opened)
      await ownership.release()
      gone.resolve()
    },
  }
}

/** The last opened first: what takes requests ends before what keeps them. */
async function closeAll(opened: { close(): Promise<void> }[]): Promise<void> {
  for (let service = opened.pop(); service !== undefined; service = opened.pop()) await service.close()
}

function access({ accessKeyId, addresses, environment: others }: Pick<Published, 'accessKeyId' | 'addresses' | 'environment'>) {
  const environment = {
    ...others,
    AWS_REGION: region,
    AWS_ACCESS_KEY_ID: accessKeyId,
    AWS_SECRET_ACCESS_KEY: accessKeyId,
    AWS_ENDPOINT_URL_DYNAMODB: addresses.dynamodb,
    AWS_ENDPOINT_URL_FIREHOSE: addresses.firehose,
    AWS_ENDPOINT_URL_SECRETS_MANAGER: addresses.secretsManager,
    AWS_ENDPOINT_URL_EVENTBRIDGE: addresses.firehose,
    EVENT_BUS: eventBusName,
    AWS_ENDPOINT_URL_SQS: new URL(addresses.queueUrl).origin,
    STATE_TABLE: stateTableName,
    CONNECTORS_TABLE: connectorsTableName,
    DELIVERY_STREAM: deliveryStreamName,
    QUEUE_URL: addresses.queueUrl,
  }
  return { addresses, environment, clientConfig: clientConfigOf(accessKeyId) }
}

function clientConfigOf(accessKeyId: string) {
  return { region, credentials: { accessKeyId, secretAccessKey: accessKeyId } }
}
