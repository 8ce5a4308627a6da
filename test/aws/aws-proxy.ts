import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { text } from 'node:stream/consumers'
import { listen, loopback } from '../../local/services/listen.ts'
import { arnOf } from './template.ts'

/** One call of AWS, in the terms of IAM. */
export interface Call {
  /** The caller, by the id of its access key. */
  readonly by: string
  /** The name in a policy: `dynamodb:GetItem`. */
  readonly action: string
  readonly resource: string
  readonly context: Readonly<Record<string, string | readonly string[]>>
}

export interface AwsProxy {
  readonly address: string
  /** Each kind of call once, in the order in which they came first. */
  calls(): readonly Call[]
  /** From now on such calls fail with `AccessDeniedException`, until the returned function is called. */
  deny(matches: (call: Call) => boolean): () => void
  close(): Promise<void>
}

/** The addresses of the services, by their name in a policy. */
export type Backends = Readonly<Record<'dynamodb' | 'sqs' | 'secretsmanager' | 'events' | 'firehose', string>>

const services: Readonly<Record<string, keyof Backends>> = {
  DynamoDB_20120810: 'dynamodb',
  DynamoDBStreams_20120810: 'dynamodb',
  AmazonSQS: 'sqs',
  secretsmanager: 'secretsmanager',
  AWSEvents: 'events',
  Firehose_20150804: 'firehose',
}

/** The access key with which the proxy calls the services, for every caller. */
export const accessKeyId = 'proxy'

/** The condition keys of every call over TLS from within the account. */
const contextOfAll = { 'aws:SecureTransport': 'true' }

/**
 * Stands in for all of AWS: it records each call and forwards it to the service. `names` are pairs of a name on AWS and the name of the
 * same thing in DynamoDB Local.
 */
export async function startAwsProxy(options: {
  readonly backends: Backends
  readonly names: readonly (readonly [string, string])[]
  /** Invokes a function by an alias, for a caller that does not wait. */
  readonly invoke: (functionName: string, alias: string, event: unknown) => void
}): Promise<AwsProxy> {
  const { backends, names, invoke } = options
  const seen = new Map<string, Call>()
  const denials = new Set<(call: Call) => boolean>()
  const renamed = (service: keyof Backends, from: 0 | 1, content: string) =>
    service === 'dynamodb' ? names.reduce((sum, pair) => sum.replaceAll(pair[from], pair[1 - from] ?? ''), content) : content

  async function forward(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const invocation = invocationOf(request)
    if (invocation !== undefined) {
      const { functionName, alias } = invocation
      const resource = arnOf('lambda', `function:${functionName}:${alias}`)
      const call = { by: callerOf(request), action: 'lambda:InvokeFunction', resource, context: contextOfAll }
      seen.set(JSON.stringify(call), call)
      invoke(functionName, alias, JSON.parse(await text(request)))
      response.writeHead(202).end()
      return
    }
    const [target = '', operation = ''] = String(request.headers['x-amz-target']).split('.')
    const service = services[target]
    if (service === undefined) throw new Error(`${request.method} ${request.url} ${target} is a service that the test does not know`)
    const body = await text(request)
    const { authorization = '' } = request.headers
    const by = callerOf(request)
    for (const call of callsOf(by, service, operation, JSON.parse(body))) {
      seen.set(JSON.stringify(call), call)
      if ([...denials].some((matches) => matches(call))) {
        response.writeHead(400, { 'content-type': 'application/x-amz-json-1.0' })
        response.end(JSON.stringify({ __type: 'AccessDeniedException', message: `${call.by} may not ${call.action} on ${call.resource}` }))
        return
      }
    }
    const { host: _, connection: __, 'content-length': ___, 'accept-encoding': ____, ...headers } = request.headers
    const forwarded = await fetch(`${backends[service]}${request.url}`, {
      method: request.method ?? 'POST',
      headers: {
        ...(headers as Record<string, string>),
        authorization: authorization.replace(/Credential=[^/]+/, `Credential=${accessKeyId}`),
      },
      body: renamed(service, 0, body),
    })
    const content = renamed(service, 1, await forwarded.text())
    const type = forwarded.headers.get('content-type') ?? 'application/x-amz-json-1.0'
    response.writeHead(forwarded.status, { 'content-type': type, 'content-length': Buffer.byteLength(content) })
    response.end(content)
  }

  const server = createServer((request, response) => {
    forward(request, response).catch((thrown: unknown) => {
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

function callerOf({ headers }: IncomingMessage): string {
  return /Credential=([^/]+)\//.exec(headers.authorization ?? '')?.[1] ?? 'nobody'
}

/** The function and the alias of an asynchronous invocation. https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html */
function invocationOf({ method, url = '', headers }: IncomingMessage): { functionName: string; alias: string } | undefined {
  const { pathname, searchParams } = new URL(url, 'http://aws')
  const [, functionName] = /^\/2015-03-31\/functions\/([^/]+)\/invocations$/.exec(pathname) ?? []
  if (method !== 'POST' || functionName === undefined || headers['x-amz-invocation-type'] !== 'Event') return undefined
  return { functionName, alias: searchParams.get('Qualifier') ?? '' }
}

type Input = Readonly<Record<string, unknown>>

function callsOf(by: string, service: keyof Backends, operation: string, input: Input): Call[] {
  const call = (resource: string, context: Call['context'] = {}): Call => ({
    by,
    // IAM has no action for a batch: the action for one message allows it.
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
      if (operation === 'ListSecrets') return [call('*')]
      // Secrets Manager adds a random suffix to the name.
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
  // An iterator of DynamoDB Local begins with its stream.
  if (ShardIterator !== undefined) return String(ShardIterator).split('|')[0] ?? ''
  return arnOf('dynamodb', IndexName === undefined ? `table/${TableName}` : `table/${TableName}/index/${IndexName}`)
}
