import { randomBytes } from 'node:crypto'
import { setTimeout as wait } from 'node:timers/promises'
import { DynamoDBClient } from '@aws-sdk/client-dynamodb'
import { SQSClient } from '@aws-sdk/client-sqs'
import { connectorsTableDefinition, stateTableDefinition } from '../../functions/adapters/state-table/table-definitions.ts'
import { awsClient } from '../../functions/runtime/aws-client.ts'
import { streamTableDefinition } from '../triggers/table-stream.ts'
import { type AwsError, callAwsJson, startAwsJson } from './aws-json.ts'
import { eventBusOperations } from './event-bus.ts'
import { cannotWrite, isFileError, pathOf } from './files.ts'
import { type Fault, flushOperation, openDeliveryStream } from './firehose/delivery-stream.ts'
import { keptSecrets } from './kept-secrets.ts'
import { type Addresses, findOwner, type Ownership, type Published, takeOwnership } from './ownership.ts'
import { secretsOperations } from './secrets-manager.ts'
import { StartupError } from './startup-error.ts'
import { createQueue, ensureTable, startThirdParty } from './third-party/third-party.ts'

export interface ServicesOptions {
  /** State, lake and everything else that is kept lies here. */
  readonly dataDir: string
  /** A port that is absent is any free one. */
  readonly ports?: { readonly dynamodb?: number; readonly firehose?: number; readonly queue?: number }
  /** The text of each secret by its name. Those of a process that is not the owner have no effect. */
  readonly secrets?: ReadonlyMap<string, string>
  /** The owner calls it before it makes anything in the folder but its lock. */
  readonly begin?: () => Promise<void>
  /** The owner calls it with the name of each secret that is stored while it runs. */
  readonly onSecretStored?: (name: string) => void
  /** The functions need these variables too, in every process. Those of a process that is not the owner have no effect. */
  readonly environment?: Readonly<Record<string, string>>
  /** Gives the time of arrival in the lake (epoch ms). */
  readonly now?: () => number
  /** A received message is hidden from other receivers for this time: at least as long as a function may run. */
  readonly visibilitySeconds?: number
  /** Lets tests make a batch of Firehose or a read of a secret fail; called with each of them. */
  readonly fault?: { readonly firehose?: (records: number) => Fault | undefined; readonly secrets?: (name: string) => AwsError | undefined }
}

/** The AWS services of one data folder, on this machine. */
export interface Services {
  readonly addresses: Addresses
  /** A process needs these variables to reach the services: the SDK's endpoints and credentials, and the names in `functions/env.ts`. */
  readonly environment: Readonly<Record<string, string>>
  /** An SDK client that does not read the environment needs these options beside its endpoint. */
  readonly clientConfig: {
    readonly region: string
    readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string }
  }
  /** The process that runs the services. */
  readonly ownerPid: number
  /** True when this process runs the services. */
  readonly owner: boolean
  /** Resolves when the services have ended. */
  readonly gone: Promise<void>
  /** Resolves with a sentence when the services of this process can store nothing more, as when the disk is full. */
  readonly failed: Promise<string>
  /** Returns when every record acknowledged so far is in the lake. */
  flush(): Promise<void>
  /** Ends the services if this process is their owner, otherwise only the connection to them. */
  close(): Promise<void>
}

export const stateTableName = 'tributary-state'
export const connectorsTableName = 'tributary-connectors'
const eventBusName = 'tributary'
const deliveryStreamName = 'tributary-syslog'
const region = 'us-east-1'

/** The stack has the same: longer than `collect` may run. */
const visibilitySecondsDefault = 6 * 60

/** The cause of a failed request is known within this time (ms). */
const failWithinMs = 2_000

/** Within this time an owner that has the lock is ready, or it has ended and the lock is free (tries of 100 ms). */
const triesMax = 150

/**
 * The first process on a data folder starts the services and owns them; a later process connects to them. Throws `StartupError`
 * when the folder cannot be written to, another program uses a port, or the owner does not respond.
 */
export async function startOrConnect(options: ServicesOptions): Promise<Services> {
  for (let attempt = 1; attempt <= triesMax; attempt += 1) {
    const services = (await ownServices(options)) ?? (await connectServices(options.dataDir))
    if (services !== undefined) return services
    await wait(100)
  }
  throw new StartupError(`Another process uses ${options.dataDir} and does not respond. End it, or name another folder with --data.`)
}

/** Starts the services. Throws `StartupError` also when another process is their owner. */
export async function startServices(options: ServicesOptions): Promise<Services> {
  const services = await ownServices(options)
  if (services !== undefined) return services
  throw new StartupError(`Another process uses ${options.dataDir}. End it, or name another folder with --data.`)
}

/** Connects to the services that another process runs for this folder. Returns undefined when no process does. */
export async function connectServices(dataDir: string): Promise<Services | undefined> {
  const owner = await findOwner(dataDir)
  if (owner === undefined) return undefined
  return {
    ...accessTo(owner),
    ownerPid: owner.pid,
    owner: false,
    gone: owner.gone,
    // The owner then ends.
    failed: new Promise(() => undefined),
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

/** Adds each service to `opened` as soon as it runs, so that the caller can close them when a later one fails to start. */
async function start(options: ServicesOptions, ownership: Ownership, opened: { close(): Promise<void> }[]): Promise<Services> {
  const { dataDir, ports = {}, secrets = new Map<string, string>(), now = Date.now, fault = {} } = options
  const { visibilitySeconds = visibilitySecondsDefault, environment = {} } = options
  const opens = <T extends { close(): Promise<void> }>(service: T) => {
    opened.push(service)
    return service
  }
  await options.begin?.()
  const accessKeyId = randomBytes(20).toString('hex')
  const clientConfig = clientConfigOf(accessKeyId)

  const failed = Promise.withResolvers<string>()
  const onFault = (thrown: unknown) => {
    if (isFileError(thrown)) failed.resolve(cannotWrite(pathOf(thrown) ?? dataDir, thrown).message)
  }

  const thirdParty = startThirdParty({ dataDir, ports: { dynamodb: ports.dynamodb ?? 0, queue: ports.queue ?? 0 }, accessKeyId })
  // It starts while the lake is opened, and is closed even if that fails.
  opened.push({
    close: () =>
      thirdParty.then(
        ({ close }) => close(),
        () => undefined,
      ),
  })
  const stream = opens(await openDeliveryStream({ dataDir, now, onFault, ...(fault.firehose && { fault: fault.firehose }) }))
  const secretText = (name: string) => {
    const error = fault.secrets?.(name)
    if (error !== undefined) throw error
    return secrets.get(name)
  }
  const operations = {
    ...stream.operations,
    ...secretsOperations({ text: secretText, names: () => [...secrets.keys()] }, await keptSecrets(dataDir, now, options.onSecretStored)),
    ...eventBusOperations({ dataDir, now }),
  }
  const json = opens(await startAwsJson({ operations, accessKeyId, port: ports.firehose ?? 0, onFault }))
  const { dynamodb, queue, failed: thirdPartyFailed } = await thirdParty
  void thirdPartyFailed.then(failed.resolve)

  const queueUrl = await prepare({ clientConfig, dynamodb, queue, visibilitySeconds }).catch(async (thrown) => {
    // A request fails a moment before its cause is known.
    const why = await Promise.race([failed.promise, wait(failWithinMs)])
    throw why === undefined ? thrown : new StartupError(why)
  })

  const addresses = { dynamodb, firehose: json.address, secretsManager: json.address, queueUrl }
  const published = { accessKeyId, addresses, environment }
  await ownership.publish(published)

  const gone = Promise.withResolvers<void>()
  return {
    ...accessTo(published),
    ownerPid: process.pid,
    owner: true,
    gone: gone.promise,
    failed: failed.promise,
    flush: stream.flush,
    async close() {
      await closeAll(opened)
      await ownership.release()
      gone.resolve()
    },
  }
}

/** Creates the tables and the queue, whose URL it returns. */
async function prepare(options: {
  readonly clientConfig: Services['clientConfig']
  readonly dynamodb: string
  readonly queue: string
  readonly visibilitySeconds: number
}): Promise<string> {
  const { clientConfig, dynamodb, queue, visibilitySeconds } = options
  const client = new DynamoDBClient({ ...clientConfig, endpoint: dynamodb })
  await ensureTable(client, stateTableDefinition(stateTableName))
  await ensureTable(client, connectorsTableDefinition(connectorsTableName))
  await ensureTable(client, streamTableDefinition(connectorsTableName))
  client.destroy()
  const sqs = new SQSClient({ ...clientConfig, endpoint: queue })
  const queueUrl = await createQueue(sqs, queue, visibilitySeconds)
  sqs.destroy()
  return queueUrl
}

/** Closes the last opened first, so that a service that takes requests ends before the one that stores them. */
async function closeAll(opened: { close(): Promise<void> }[]): Promise<void> {
  for (let service = opened.pop(); service !== undefined; service = opened.pop()) await service.close()
}

function accessTo({ accessKeyId, addresses, environment: others }: Pick<Published, 'accessKeyId' | 'addresses' | 'environment'>) {
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
  return { ...awsClient, region, credentials: { accessKeyId, secretAccessKey: accessKeyId } }
}
