import { DynamoDBClient, QueryCommand } from '@aws-sdk/client-dynamodb'
import { marshall } from '@aws-sdk/util-dynamodb'
import type { Context } from 'aws-lambda'
import { mockClient } from 'aws-sdk-client-mock'
import { beforeEach, describe, expect, it, vi } from 'vitest'
import * as z from 'zod'
import { statusSchema } from '../../functions/adapters/state-table/schemas.ts'
import { newStatus } from '../../functions/domain/status/status.ts'
import { widgetDocumentation } from '../../functions/widget/question.ts'

const dynamodb = mockClient(DynamoDBClient)
const lines: string[] = []
vi.spyOn(process.stdout, 'write').mockImplementation((line) => lines.push(String(line)) > 0)
vi.stubEnv('STATE_TABLE', 'state')
vi.stubEnv('AWS_REGION', 'us-east-1')
const { handler } = await import('../../functions/status-widget.ts')

const context = { invokedFunctionArn: 'arn:aws:lambda:us-east-1:123456789012:function:own:all' } as Context
const ask = (event: unknown) => handler(event, context)
const askBy = (qualifier: string, event: unknown = {}) =>
  handler(event, { invokedFunctionArn: `arn:aws:lambda:us-east-1:123456789012:function:own${qualifier}` } as Context)
const widget = (params: object, more: object = {}) => ({ ...params, widgetContext: { theme: 'light', params, ...more } })
const item = (connectorId: string, more: object = {}) =>
  marshall({
    pk: `CONNECTOR#${connectorId}`,
    sk: 'STATUS',
    schemaVersion: 1,
    revision: 1,
    connectorId,
    fleetShard: 0,
    status: z.encode(statusSchema, { ...newStatus(Date.UTC(2026, 10, 24), 'Acme'), ...more }),
  })

type Item = ReturnType<typeof item>

/** The table's responses, one for each query; later queries find nothing. */
function found(...responses: readonly { readonly Items: Item[]; readonly LastEvaluatedKey?: Item }[]): void {
  const queries = dynamodb.on(QueryCommand)
  for (const response of responses) queries.resolvesOnce(response)
  queries.resolves({ Items: [] })
}

beforeEach(() => {
  dynamodb.reset()
  lines.length = 0
  found()
})

describe('the status widget', () => {
  it('shows every connector from every shard and page of the index', async () => {
    found({ Items: [item('a')], LastEvaluatedKey: { pk: { S: 'a' } } }, { Items: [item('b')] }, { Items: [item('c')] })
    expect((await ask({})).match(/<tr><td>\w/g)).toEqual(['<tr><td>a', '<tr><td>b', '<tr><td>c'])
  })

  it('sends AWS only queries of the index fleet', async () => {
    await ask(widget({ state: 'failing' }))
    expect(dynamodb.calls().map(({ args: [command] }) => [command.constructor.name, command.input])).toEqual(
      Array.from({ length: 8 }, (_, shard) => [
        'QueryCommand',
        expect.objectContaining({ TableName: 'state', IndexName: 'fleet', ExpressionAttributeValues: { ':shard': { N: String(shard) } } }),
      ]),
    )
  })

  it('describes its parameters in Markdown without a request to AWS', async () => {
    expect(await ask({ describe: true })).toBe(widgetDocumentation)
    for (const name of ['state', 'tenant', 'limit', 'from']) expect(widgetDocumentation).toContain(`| \`${name}\` |`)
    expect(widgetDocumentation).toContain('```yaml\nstate: []\ntenant: ""\nlimit: 100\n```')
    expect(dynamodb.calls()).toHaveLength(0)
  })

  it('uses the parameters of the widget, and prefers the values of a button', async () => {
    found({ Items: [item('a', { state: 'ok' }), item('b', { state: 'paused' })] })
    const page = await ask({ state: ['paused'], widgetContext: { params: { state: 'ok', limit: 10 } } })
    expect(page).toContain('State paused. Rows 1 to 1 of 1; 2 connectors in all.')
    expect(page).toContain('"limit":10')
  })

  it('has buttons that call its own function', async () => {
    found({ Items: [item('a')] })
    expect(await ask({})).toContain(`endpoint="${context.invokedFunctionArn}"`)
  })

  it.each<[object, string]>([
    [{ state: 'faling' }, 'state[0]: It is &quot;faling&quot;. Did you mean failing? Give one of:'],
    [{ state: 7 }, 'state: It is 7. Give a state, or a list of states.'],
    [{ tenant: ['x'] }, 'tenant: It is a list of 1. Give a part of a tenant&#39;s name, 128 characters at most.'],
    [{ limit: 501 }, 'limit: It is 501. Give a whole number from 1 to 500.'],
    [{ limit: '50' }, 'limit: It is &quot;50&quot;. Give a whole number from 1 to 500.'],
    [{ from: 0 }, 'from: It is 0. Give a whole number, 1 or more.'],
    [{ tenat: 'x' }, 'params: &quot;tenat&quot; is no attribute of this widget. Did you mean tenant? Rename or remove it.'],
    [{ '<script>': 1 }, '&quot;&lt;script&gt;&quot; is no attribute of this widget.'],
  ])('refuses the parameters %j with the values allowed, and reads nothing', async (params, sentence) => {
    const page = await ask(widget(params))
    expect(page).toContain(sentence)
    expect(dynamodb.calls()).toHaveLength(0)
  })

  it.each([undefined, null, 7, 'text', true, { widgetContext: 7 }, { widgetContext: { theme: 'pink', params: [] } }])(
    'shows all connectors if its event is not a widget’s: %j',
    async (event) => {
      found({ Items: [item('a')] })
      expect(await ask(event)).toContain('Rows 1 to 1 of 1.')
    },
  )

  it('follows the theme of the dashboard', async () => {
    expect(await ask(widget({}, { theme: 'dark' }))).not.toBe(await ask(widget({}, { theme: 'light' })))
  })
})

describe('the alias that is called', () => {
  beforeEach(() => found({ Items: [item('acme.cas'), item('globex.cas'), item('acme'), item('acme-2.cas')] }))

  it('shows a tenant’s operator the connectors of that tenant, and counts no others', async () => {
    const page = await askBy(':acme')
    expect(page.match(/<tr><td>[\w.-]+/g)).toEqual(['<tr><td>acme.cas'])
    expect(page).toContain('Rows 1 to 1 of 1.')
    expect(page).not.toContain('globex')
    expect(page).toContain('function:own:acme"')
  })

  it('shows the provider all of them', async () => {
    expect(await askBy(':all')).toContain('Rows 1 to 4 of 4.')
  })

  it.each(['', ':$LATEST', ':3'])('is needed: without one nothing is read or shown: "%s"', async (qualifier) => {
    const page = await askBy(qualifier)
    expect(page).toContain('its ARN names no alias')
    expect(page).toContain('own:all for all tenants')
    expect(dynamodb.calls()).toEqual([])
  })

  it('is not widened by the parameters or by the event', async () => {
    expect(await askBy(':acme', widget({ tenant: 'globex' }))).not.toContain('globex.cas')
  })
})

describe('a state table that cannot be read', () => {
  it('leads to a page that names the failed request and the thing to check, and to a log line with the cause', async () => {
    dynamodb.on(QueryCommand).rejects(Object.assign(new Error('user 123 is not authorized'), { name: 'AccessDeniedException' }))
    const page = await ask({})
    expect(page).toContain('The state table failed on Query of the index fleet (AccessDeniedException).')
    expect(page).toContain('check the table&#39;s throttling and the function&#39;s permissions')
    expect(page).not.toMatch(/user 123|\bat .*\.ts/)
    expect(JSON.parse(lines[0]!)).toMatchObject({
      level: 'error',
      event: 'function-failed',
      error: { cause: { message: 'user 123 is not authorized' } },
    })
  })

  it('shows the other connectors, and names in the log the item that a newer release wrote', async () => {
    found({ Items: [{ ...item('a'), schemaVersion: { N: '2' } }, item('b')] })
    const page = await ask({})
    expect(page).toContain('>b<')
    expect(page).not.toContain('>a<')
    expect(JSON.parse(lines[0]!)).toMatchObject({
      event: 'state-item-unreadable',
      message: expect.stringContaining('The state item CONNECTOR#a STATUS has schemaVersion 2, and this release knows up to 1.'),
    })
  })

  it('leads to a page without details, if the fault is the widget’s own', async () => {
    dynamodb.on(QueryCommand).callsFake(() => ({ Items: 7 }))
    const page = await ask({})
    expect(page).toContain('This is a fault of the widget. The line function-failed in the log')
    expect(page).not.toContain('is not iterable')
    expect(JSON.parse(lines[0]!)).toMatchObject({ error: { message: expect.stringContaining('is not iterable') } })
  })
})
