import { DynamoDBClient, QueryCommand } from '@aws-sdk/client-dynamodb'
import { LambdaClient } from '@aws-sdk/client-lambda'
import { mockClient } from 'aws-sdk-client-mock'
import fc from 'fast-check'
import { beforeEach, describe, expect, it, vi } from 'vitest'

const dynamodb = mockClient(DynamoDBClient)
const lambda = mockClient(LambdaClient)
const printed: string[] = []
vi.spyOn(process.stdout, 'write').mockImplementation((line) => printed.push(String(line)) > 0)
for (const [name, value] of Object.entries({
  ...{ STATE_TABLE: 'state', CONNECTORS_TABLE: 'connectors', EVENT_BUS: 'bus', DELIVERY_STREAM: 'lake', AWS_REGION: 'us-east-1' },
  ...{ QUEUE_URL: 'https://sqs.us-east-1.amazonaws.com/1/work', SECRET_PREFIX: 'tributary/', OPERATE_FUNCTION: 'tributary-operate' },
}))
  vi.stubEnv(name, value)
const { handler } = await import('../../functions/operate.ts')

const invoked = (qualifier: string) => ({
  invokedFunctionArn: `arn:aws:lambda:us-east-1:111122223333:function:tributary-operate${qualifier}`,
  awsRequestId: 'aws-1',
})
const pause = { action: 'pause', connectorId: 'acme.cas', requestId: 'request-1' }

beforeEach(() => {
  dynamodb.reset()
  lambda.reset()
  printed.length = 0
})

describe('the function operate', () => {
  it.each(['', ':$LATEST', ':12'])('refuses a call without an alias, and reads nothing: "%s"', async (qualifier) => {
    expect(await handler(pause, invoked(qualifier))).toEqual({
      ok: false,
      code: 'not-allowed',
      message: expect.stringContaining('tributary-operate:all'),
      problems: [],
    })
    expect(dynamodb.calls()).toEqual([])
  })

  it('refuses a tenant’s alias the connectors of another tenant', async () => {
    expect(await handler(pause, invoked(':globex'))).toMatchObject({ ok: false, code: 'not-allowed' })
    expect(dynamodb.calls()).toEqual([])
  })

  it('shows CloudWatch HTML, and describes the widget to it', async () => {
    dynamodb.on(QueryCommand).resolves({ Items: [] })
    expect(await handler({ widgetContext: { theme: 'dark' } }, invoked(':all'))).toContain('There is no connector yet.')
    expect(await handler({ describe: true }, invoked(''))).toMatch(/^# Operate the connectors/)
  })

  it('names the problems of a wrong request', async () => {
    expect(await handler({ action: 'pase' }, invoked(':all'))).toMatchObject({
      ok: false,
      code: 'wrong',
      problems: [{ path: 'action', message: expect.stringContaining('Did you mean pause?') }],
    })
  })

  it('never logs what it is sent, whatever comes of it', async () => {
    dynamodb.onAnyCommand().rejects(new Error('no table'))
    const marked = fc.oneof(
      fc.constantFrom<object>({ ...pause, says: 'MARK' }, { review: { ...pause, says: 'MARK' } }, { submit: pause, ticket: 'MARK' }),
      fc.constantFrom<object>({ goOn: pause, ticket: 'MARK' }, { action: 'create', requestId: 'MARK-MARK', item: { apiKey: 'MARK' } }),
      fc.dictionary(fc.string(), fc.constant('MARK')),
    )
    const around = fc.constantFrom<object>({}, { widgetContext: {} }, { describe: true })
    await fc.assert(
      fc.asyncProperty(marked, around, fc.constantFrom(':all', ':acme', ''), async (event, more, qualifier) => {
        const answer = await handler({ ...event, ...more }, invoked(qualifier))
        expect(typeof answer).toBe('widgetContext' in more || 'describe' in more ? 'string' : 'object')
        expect(printed.join('')).not.toContain('MARK')
      }),
      { numRuns: 100, examples: [[{ action: 'create', requestId: 'MARK-MARK', item: { apiKey: 'MARK' } }, {}, ':all']] },
    )
  })
})
