import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { text } from 'node:stream/consumers'
import { listen, loopback } from '../../local/services/listen.ts'
import { arnOf } from './template.ts'

/** One call of AWS, as IAM sees it. */
export interface Call {
  /** The access key id of the caller. */
  readonly by: string
  /** The action by its name in a policy: `dynamodb:GetItem`. */
  readonly action: string
  readonly resource: string
  readonly context: Readonly<Record<string, string | readonly string[]>>
}

export interface AwsProxy {
  readonly address: string
  /** Each different call once, in the order of its first occurrence. */
  calls(): readonly Call[]
  /** Refuses such calls with `AccessDeniedException`. Call the returned function to allow them again. */
  deny(matches: (call: Call) => boolean): () => void
  close(): Promise<void>
}

/** The services by their names in a policy. */
export type Backends = Readonly<Record<'dynamodb' | 'sqs' | 'secretsmanager' | 'events' | 'firehose', string>>

const services: Readonly<Record<string, keyof Backends>> = {
  DynamoDB_20120810: 'dynamodb',
  DynamoDBStreams_20120810: 'dynamodb',
  AmazonSQS: 'sqs',
  secretsmanager: 'secretsmanager',
  AWSEvents: 'events',
  Firehose_20150804: 'firehose',
}

/** The access key id of every call that the proxy passes on. */
export const accessKeyId = 'proxy'

/** The context of every call: each one is over TLS. */
const contextOfAll = { 'aws:SecureTransport': 'true' }

/**
 * Starts a proxy in the place of AWS. It records each call and passes it on to the service. `names` are pairs of a name on AWS and
 * the name of the same thing in DynamoDB Local.
 */
export async function startAwsProxy(options: {
  readonly backends: Backends
  readonly names: readonly (readonly [string, string])[]
}): Promise<AwsProxy> {
  const { backends, names } = options
  const seen = new Map<string, Call>()
  const denials = new Set<(call: Call) => boolean>()
  const renamed = (service: keyof Backends, from: 0 | 1, content: string) =>
    service === 'dynamodb' ? names.reduce((sum, pair) => sum.replaceAll(pair[from], pair[1 - from] ?? ''), content) : content

  async function respond(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const [target = '', operation = ''] = String(request.headers['x-amz-target']).split('.')
    const service = services[target]
    if (service === undefined) throw new Error(`${request.method} ${request.url} ${target} is a service that the test does not know`)
    const body = await text(request)
    const { authorization = '' } = request.headers
    const by = /Credential=([^/]+)\//.exec(authorization)?.[1] ?? 'nobody'
    for (const call of callsOf(by, service, operation, JSON.parse(body))) {
      seen.set(JSON.stringify(call), call)
      if ([...denials].some((matches) => matches(call))) {
        response.writeHead(400, { 'content-type': 'application/x-amz-json-1.0' })
        response.end(JSON.stringify({ __type: 'AccessDeniedException', message: `${call.by} may not ${call.action} on ${call.resource}` }))
        return
      }
    }
    const { host: _, connection: __, 'content-length': ___, 'accept-encoding': ____, ...headers } = request.headers
    const passedOn = await fetch(`${backends[service]}${request.url}`, {
      method: request.method ?? 'POST',
      headers: {
        ...(headers as Record<string, string>),
        authorization: authorization.replace(/Credential=[^/]+/, `Credential=${accessKeyId}`),
      },
      body: renamed(service, 0, body),
    })
    const content = renamed(service, 1, await passedOn.text())
    const type = passedOn.headers.get('content-type') ?? 'application/x-amz-json-1.0'
    response.writeHead(passedOn.status, { 'content-type': type, 'content-length': Buffer.byteLength(content) })
    response.end(content)
  }

  const server = createServer((request, response) => {
    respond(request, response).catch((thrown: unknown) => {
      response.writeHead(500, { 'content-type': 'application/x-amz-json-1.0' })
      response.end(JSON.stringify({ __type: 'InternalFailure', message: String(thrown) }))
    })
  })
  const port = await listen(server, 0, 'AWS')
  return {
    address: `http://${loopback}:${port}`,
    calls: () => [...seen.values()],
    deny(matches) {
      denials.add(matches)
      return () => denials.delete(matches)
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

type Input = Readonly<Record<string, unknown>>

function callsOf(by: string, service: keyof Backends, operation: string, input: Input): Call[] {
  const call = (resource: string, context: Call['context'] = {}): Call => ({
    by,
    // A policy allows a batch by the action for one message.
    action: `${service}:${service === 'sqs' ? operation.replace(/Batch$/, '') : operation}`,
    resource,
    context: { ...contextOfAll, ...context },
  })
  switch (service) {
    case 'dynamodb':
      return [call(dynamoDbResource(operation, input))]
    case 'sqs':
      return [call(arnOf('sqs', String(input['QueueUrl']).split('/').at(-1) ?? ''))]
    case 'secretsmanager':
      // Secrets Manager adds random characters to the name.
      return [call(arnOf('secretsmanager', `secret:${input['SecretId']}-AbCdEf`))]
    case 'firehose':
      return [call(arnOf('firehose', `deliverystream/${input['DeliveryStreamName']}`))]
    case 'events': {
      const entries = (input['Entries'] ?? []) as readonly Readonly<Record<string, string>>[]
      return entries.map(({ EventBusName = 'default', Source = '', DetailType = '' }) =>
        call(EventBusName.startsWith('arn:') ? EventBusName : arnOf('events', `event-bus/${EventBusName}`), {
          'events:source': [Source],
          'events:detail-type': [DetailType],
        }),
      )
    }
  }
}

/** https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazondynamodb.html */
function dynamoDbResource(operation: string, input: Input): string {
  const { TableName, IndexName, StreamArn, ShardIterator } = input
  if (operation === 'ListStreams') return '*'
  if (StreamArn !== undefined) return String(StreamArn)
  // An iterator of DynamoDB Local begins with the ARN of its stream.
  if (ShardIterator !== undefined) return String(ShardIterator).split('|')[0] ?? ''
  return arnOf('dynamodb', IndexName === undefined ? `table/${TableName}` : `table/${TableName}/index/${IndexName}`)
}
