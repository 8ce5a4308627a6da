import { CreateTableCommand, type CreateTableCommandInput, DynamoDBClient, UpdateTimeToLiveCommand } from '@aws-sdk/client-dynamodb'
import { CreateEventBusCommand, EventBridgeClient, PutRuleCommand, PutTargetsCommand } from '@aws-sdk/client-eventbridge'
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager'
import {
  ChangeMessageVisibilityCommand,
  CreateQueueCommand,
  ReceiveMessageCommand,
  SendMessageCommand,
  SQSClient,
} from '@aws-sdk/client-sqs'
import { startAwsJson } from '../../local/services/aws-json.ts'
import { openDeliveryStream } from '../../local/services/firehose/delivery-stream.ts'
import { accessKeyId, startAwsProxy } from './aws-proxy.ts'
import { type EventSource, startQueueSource, startStreamSource } from './event-sources.ts'
import { type HostedFunction, hostFunction } from './lambda-host.ts'
import { startDynamoDbLocal, startMoto } from './services.ts'
import { account, arnOf, type Resource, region, Stack, streamLabel } from './template.ts'

export type Deployment = Awaited<ReturnType<typeof deploy>>

const credentials = { accessKeyId, secretAccessKey: 'secret' }

/**
 * Deploys the template onto this machine: its tables in DynamoDB Local, its queues, bus and secrets in moto, its delivery stream into
 * `dataDir`, its functions on Node, and its triggers between them. The functions and triggers call AWS through a proxy that records the
 * calls. The clients that this function returns do not.
 */
export async function deploy(assembly: string, dataDir: string) {
  const opened: Closable[] = []
  try {
    return await deployOn(opened, assembly, dataDir)
  } catch (error) {
    await closeAll(opened)
    throw error
  }
}

async function deployOn(opened: Closable[], assembly: string, dataDir: string) {
  const keep = <T extends Closable>(service: T) => {
    opened.push(service)
    return service
  }
  const template = new Stack(assembly)
  const destination = template.only('AWS::KinesisFirehose::DeliveryStream').properties['ExtendedS3DestinationConfiguration']
  const [dynamoDb, moto] = await Promise.all([startDynamoDbLocal().then(keep), startMoto().then(keep)])
  const delivery = keep(await openDeliveryStream({ dataDir, destination }))
  const { operations } = delivery
  const firehose = keep(await startAwsJson({ operations, accessKeyId, port: 0 }))

  const config = { region, credentials }
  const dynamodb = new DynamoDBClient({ ...config, endpoint: dynamoDb.address })
  const sqs = new SQSClient({ ...config, endpoint: moto.address })
  const events = new EventBridgeClient({ ...config, endpoint: moto.address })
  const secrets = new SecretsManagerClient({ ...config, endpoint: moto.address })

  const names: [string, string][] = []
  for (const table of template.ofType('AWS::DynamoDB::Table')) {
    const label = await createTable(dynamodb, table)
    if (label !== undefined) names.push([`${table.arn}/stream/${streamLabel}`, `${localArn(table.arn)}/stream/${label}`])
  }
  names.push([arnOf('dynamodb', ''), localArn(arnOf('dynamodb', ''))])

  const backends = {
    dynamodb: dynamoDb.address,
    sqs: moto.address,
    secretsmanager: moto.address,
    events: moto.address,
    firehose: firehose.address,
  }
  const proxy = keep(await startAwsProxy({ backends, names, invoke: invokeLater }))
  const queues = template.ofType('AWS::SQS::Queue')
  // On AWS the SDK sends to the host of the queue's URL. Here that must be the proxy.
  const stack = template.withRefs(
    Object.fromEntries(queues.map(({ logicalId, name }) => [logicalId, `${proxy.address}/${account}/${name}`])),
  )
  // A redrive policy names another queue, which must be made first.
  for (const queue of queues.toSorted((a, b) => Number('RedrivePolicy' in a.properties) - Number('RedrivePolicy' in b.properties)))
    await createQueue(sqs, queue)
  for (const { name } of stack.ofType('AWS::Events::EventBus')) await events.send(new CreateEventBusCommand({ Name: name }))

  /** The queues for all events on the bus, and for the events that the template's rules send to people. */
  const published = await queueFor('published')
  const sentToPeople = await queueFor('sent-to-people')
  const bus = stack.only('AWS::Events::EventBus')
  await forward('everything', { account: [account] }, published)
  for (const { properties, logicalId } of stack.ofType('AWS::Events::Rule'))
    if (properties['EventBusName'] === bus.name) await forward(logicalId, properties['EventPattern'], sentToPeople)

  async function queueFor(name: string): Promise<string> {
    await sqs.send(new CreateQueueCommand({ QueueName: name }))
    return name
  }

  async function forward(rule: string, pattern: unknown, queue: string): Promise<void> {
    await events.send(new PutRuleCommand({ Name: rule, EventBusName: bus.name, EventPattern: JSON.stringify(pattern) }))
    await events.send(new PutTargetsCommand({ Rule: rule, EventBusName: bus.name, Targets: [{ Id: queue, Arn: arnOf('sqs', queue) }] }))
  }

  const endpoints = Object.fromEntries(
    ['DYNAMODB', 'SQS', 'SECRETS_MANAGER', 'EVENTBRIDGE', 'FIREHOSE', 'LAMBDA'].map((service) => [
      `AWS_ENDPOINT_URL_${service}`,
      proxy.address,
    ]),
  )
  const functions = new Map<string, HostedFunction>()
  for (const { logicalId, arn, properties } of stack.ofType('AWS::Lambda::Function'))
    if (String(properties['Runtime']).startsWith('nodejs')) functions.set(arn, keep(hostFunction(stack, logicalId, endpoints)))
  const fn = (prefix: string) => byArn(stack.only('AWS::Lambda::Function', prefix).arn)
  function byArn(arn: unknown): HostedFunction {
    const found = functions.get(String(arn))
    if (found === undefined) throw new Error(`There is no function ${String(arn)}`)
    return found
  }

  /** A failed invocation leaves nothing but its log. */
  function invokeLater(functionName: string, alias: string, event: unknown): void {
    const target = [...functions.values()].find(({ resource }) => resource.name === functionName)
    target?.invoke(event, alias).catch(() => undefined)
  }

  function mappingOf(type: 'dynamodb' | 'sqs') {
    const mapping = stack
      .ofType('AWS::Lambda::EventSourceMapping')
      .find(({ properties }) => String(properties['EventSourceArn']).includes(`:${type}:`))
    if (mapping === undefined) throw new Error(`There is no mapping of ${type}`)
    const { FunctionName } = mapping.properties
    const target = [...functions.values()].find(({ resource }) => resource.name === FunctionName || resource.arn === FunctionName)
    if (target === undefined) throw new Error(`There is no function ${String(FunctionName)}`)
    return { stack, mapping, target, endpoint: proxy.address }
  }

  const work = stack.only('AWS::SQS::Queue', 'WorkQueue')
  const startStream = () => startStreamSource(mappingOf('dynamodb'))
  // A message that failed is visible again at once, so that no test waits for its time-out.
  const onFailure = async ({ ReceiptHandle }: { readonly ReceiptHandle?: string | undefined }) => {
    await sqs.send(new ChangeMessageVisibilityCommand({ QueueUrl: urlOf(work), ReceiptHandle, VisibilityTimeout: 0 }))
  }
  const startQueue = () => startQueueSource({ ...mappingOf('sqs'), onFailure })
  const stream = pausable(startStream)
  const queue = pausable(startQueue)

  function urlOf({ name }: Pick<Resource, 'name'>): string {
    return `${moto.address}/${account}/${name}`
  }

  return {
    stack,
    /** The address of SQS, EventBridge, Secrets Manager and CloudFormation. */
    moto: moto.address,
    dynamodb,
    secrets,
    proxy,
    function: fn,
    stateTable: stack.only('AWS::DynamoDB::Table', 'State').name,
    connectorsTable: stack.only('AWS::DynamoDB::Table', 'Connectors').name,
    functions: () => [...functions.values()],

    /** Sends the rule's tick of the given time (epoch ms) to each of its targets. A failed invocation leaves nothing but its log. */
    async tick(at: number): Promise<void> {
      const [rule] = stack.ofType('AWS::Events::Rule').filter(({ properties }) => properties['ScheduleExpression'] !== undefined)
      const time = `${new Date(at).toISOString().slice(0, 19)}Z`
      const base = { version: '0', id: '00000000-0000-0000-0000-000000000000', 'detail-type': 'Scheduled Event', source: 'aws.events' }
      const event = { ...base, account, time, region, resources: [rule?.arn], detail: {} }
      for (const { Arn, Input } of (rule?.properties['Targets'] ?? []) as { Arn: string; Input?: string }[]) {
        const target = byArn(Arn)
        await target.invoke(Input === undefined ? event : JSON.parse(Input)).catch(() => undefined)
      }
    },

    /** The triggers. While one is paused, its stream or queue keeps what comes. Pausing waits for the invocations under way. */
    stream,
    queue,

    /** Puts a message into the work queue, as another program might. */
    async sendWork(body: string): Promise<void> {
      await sqs.send(new SendMessageCommand({ QueueUrl: urlOf(work), MessageBody: body }))
    },
    /** The bodies of the messages in a queue of the template. The messages stay there. */
    messages: (prefix: string) => bodies(urlOf(stack.only('AWS::SQS::Queue', prefix))),
    /** The events that were put on the bus since the last call. */
    published: () => taken(published),
    /** Those of them that the rules send to people. */
    sentToPeople: () => taken(sentToPeople),

    /** Resolves when all that was delivered is in objects. */
    flush: () => delivery.flush(),

    async close(): Promise<void> {
      try {
        await Promise.all([stream.pause(), queue.pause()])
      } finally {
        await closeAll(opened)
        for (const client of [dynamodb, sqs, events, secrets]) client.destroy()
      }
    },
  }

  async function bodies(QueueUrl: string): Promise<readonly string[]> {
    const { Messages = [] } = await sqs.send(new ReceiveMessageCommand({ QueueUrl, MaxNumberOfMessages: 10, VisibilityTimeout: 0 }))
    return Messages.map(({ Body = '' }) => Body)
  }

  async function taken(queue: string): Promise<readonly BusEvent[]> {
    const QueueUrl = urlOf({ name: queue })
    const all: BusEvent[] = []
    for (;;) {
      const { Messages = [] } = await sqs.send(new ReceiveMessageCommand({ QueueUrl, MaxNumberOfMessages: 10, VisibilityTimeout: 3_600 }))
      if (Messages.length === 0) return all
      for (const { Body = '' } of Messages) all.push(JSON.parse(Body))
    }
  }
}

interface Closable {
  close(): Promise<void>
}

/** Closes the services in the reverse order. */
async function closeAll(opened: Closable[]): Promise<void> {
  for (let service = opened.pop(); service !== undefined; service = opened.pop()) await service.close()
}

function pausable(start: () => EventSource) {
  let source: EventSource | undefined = start()
  return {
    async pause(): Promise<void> {
      const running = source
      source = undefined
      await running?.stop()
    },
    resume(): void {
      source ??= start()
    },
  }
}

export interface BusEvent {
  readonly source: string
  readonly 'detail-type': string
  readonly detail: Readonly<Record<string, string>>
}

function localArn(arn: string): string {
  return arn.replace(arnOf('dynamodb', ''), 'arn:aws:dynamodb:ddblocal:000000000000:')
}

/** Returns the label of the table's stream, if it has one. */
export async function createTable(client: DynamoDBClient, { name, properties }: Resource, TableName = name): Promise<string | undefined> {
  const { StreamSpecification, TimeToLiveSpecification } = properties as {
    StreamSpecification?: { StreamViewType: string }
    TimeToLiveSpecification?: { AttributeName: string; Enabled: boolean }
  }
  const { BillingMode, AttributeDefinitions, KeySchema, GlobalSecondaryIndexes } = properties as Partial<CreateTableCommandInput>
  const { TableDescription } = await client.send(
    new CreateTableCommand({
      TableName,
      BillingMode,
      AttributeDefinitions,
      KeySchema,
      GlobalSecondaryIndexes,
      ...(StreamSpecification && { StreamSpecification: { StreamEnabled: true, ...StreamSpecification } }),
    } as CreateTableCommandInput),
  )
  if (TimeToLiveSpecification !== undefined) await client.send(new UpdateTimeToLiveCommand({ TableName, TimeToLiveSpecification }))
  return TableDescription?.LatestStreamLabel
}

async function createQueue(client: SQSClient, { name, properties }: Resource): Promise<void> {
  const { RedrivePolicy, ...others } = properties
  const texts = ['VisibilityTimeout', 'MessageRetentionPeriod', 'DelaySeconds', 'ReceiveMessageWaitTimeSeconds'].flatMap((attribute) =>
    others[attribute] === undefined ? [] : [[attribute, String(others[attribute])]],
  )
  const redrive = RedrivePolicy === undefined ? {} : { RedrivePolicy: JSON.stringify(RedrivePolicy) }
  await client.send(new CreateQueueCommand({ QueueName: name, Attributes: { ...Object.fromEntries(texts), ...redrive } }))
}
