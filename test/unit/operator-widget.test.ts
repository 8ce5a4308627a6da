import fc from 'fast-check'
import { beforeEach, describe, expect, it } from 'vitest'
import { newStatus } from '../../functions/domain/status/status.ts'
import { hour } from '../../functions/domain/time.ts'
import { answerCall } from '../../functions/flows/operate/call.ts'
import { isWidgetCall, operatorDocumentation, showOperator } from '../../functions/widget/show-operator.ts'
import { connectorItem } from '../../simulation/world.ts'
import { buttonOf, buttonsOf } from '../widget-buttons.ts'
import { type acme, type Effects, operatePorts, start } from './operate-ports.ts'

/** The function `operate` as a dashboard sees it. */

let world: Awaited<ReturnType<typeof operatePorts>>
let effects: Effects

beforeEach(async () => {
  world = await operatePorts()
  effects = world.effects
  for (const connectorId of ['acme.cas', 'globex.cas']) await have(connectorId)
})

/** A connector with an item and a status. */
async function have(connectorId: string, more: object = {}): Promise<void> {
  effects.items.set(connectorId, { connectorId, enabled: true, ...more })
  await world.ports.state.updateStatus(connectorId, () => newStatus(start - hour, 'Tenant'))
}

/** A connector with a long history. */
async function changed(connectorId: string, text: string): Promise<void> {
  const entry = { connectorId, awsRequestId: 'aws-1', tenantOfCaller: 'all', action: 'edit', outcome: 'wrong', message: text } as const
  for (const number of Array.from({ length: 100 }, (_, i) => i)) {
    const values = { before: { text }, after: { text }, says: text.slice(0, 100) }
    await world.ports.state.addHistory({ ...entry, ...values, at: start - number, requestId: `request-${number}` })
  }
}

const arn = (qualifier: string) => `arn:aws:lambda:eu-west-1:111122223333:function:tributary-operate${qualifier}`

/** As Secrets Manager: it refuses a filter with a character that no name of a secret has, or with more than 512. */
async function names(tenant: string): Promise<readonly string[]> {
  if (!/^[\w :@/+=.!-]{0,500}$/.test(tenant)) throw new Error('ValidationException')
  return [`tributary/${tenant}/cas`]
}

/** Calls the widget as CloudWatch does. */
function draw(call: object, context: object = {}, qualifier = ':all'): Promise<string> {
  const { ports } = world
  const vendors = ports.policy.vendors
  const answer = (page: object, caller: typeof acme) => answerCall(ports, { page }, caller, Number.POSITIVE_INFINITY)
  const event = { ...call, widgetContext: { theme: 'light', params: {}, forms: { all: {} }, ...context } }
  return showOperator({ ...ports, vendors, answer, keys: { prefix: 'tributary/', names } }, event, {
    invokedFunctionArn: arn(qualifier),
    awsRequestId: 'aws-1',
  })
}

/** Presses a button of a page. */
async function press(page: string, title: string, forms: object = {}, qualifier = ':all'): Promise<string> {
  return draw(buttonOf(page, title).call, { forms: { all: forms } }, qualifier)
}

const isPaused = (connectorId = 'acme.cas') => effects.items.get(connectorId)?.['enabled'] === false

describe('the widget that operates connectors', () => {
  it('shows all connectors first, with buttons that call the alias that was called', async () => {
    const page = await draw({})
    expect(page).toContain('Rows 1 to 2 of 2')
    expect(page).toContain('AWS Lambda, eu-west-1')
    expect(new Set([...buttonsOf(page).values()].map(({ endpoint }) => endpoint))).toEqual(new Set([arn(':all')]))
  })

  it('makes a change after its review, once', async () => {
    const details = await press(await draw({}), 'acme.cas')
    const review = await press(details, 'Delete')
    expect(review).toContain('Delete acme.cas?')
    expect(effects.items.has('acme.cas')).toBe(true)
    expect(await press(review, 'Delete')).toContain('<h2>Done</h2>')
    expect(effects.items.has('acme.cas')).toBe(false)
    expect(await press(review, 'Delete')).toContain('<h2>Not done</h2>')
  })

  it('reads the values of the form that a button stands in', async () => {
    const page = await press(await draw({}), 'Show', { find: 'globex', state: '' })
    expect(page).toContain('Rows 1 to 1 of 1')
    expect(page).toContain('value="globex"')
  })

  it('shows the query of a search, to be copied', async () => {
    const page = await draw({ view: 'events', connectorId: "o'x" })
    expect(page).toContain('href="https://eu-west-1.console.aws.amazon.com/athena/home?region=eu-west-1#/query-editor"')
    expect(page).toContain('o&#39;&#39;x')
  })

  it('follows the theme of the dashboard', async () => {
    expect(await draw({}, { theme: 'dark' })).not.toBe(await draw({}))
  })

  it('shows a refusal as text', async () => {
    expect(await draw({ view: 'details', connectorId: 'acme.none' })).toContain('<h2>Not possible</h2>')
  })

  it('shows that a table fails, and the log has the cause', async () => {
    const fleet = () => {
      throw new Error('no table')
    }
    world = { ...world, ports: { ...world.ports, state: { ...world.ports.state, fleet } } }
    expect(await draw({})).toContain('A service of Tributary failed')
    expect(effects.logged).toMatchObject([{ level: 'error', event: 'operation-failed' }])
  })

  it('shows a fault of its own without details, and the log has the cause', async () => {
    const now = () => {
      throw new Error('no clock')
    }
    world = { ...world, ports: { ...world.ports, clock: { ...world.ports.clock, now } } }
    expect(await draw({ view: 'events' })).toContain('This is a fault of the widget.')
    expect(effects.logged).toMatchObject([{ level: 'error', event: 'function-failed' }])
  })

  it('describes its parameters in Markdown, and does nothing else that the event asks for', async () => {
    const review = buttonOf(await draw({ view: 'review', action: 'pause', connectorId: 'acme.cas' }), 'Pause').call
    expect(await draw({ ...review, describe: true })).toBe(operatorDocumentation)
    expect(isPaused()).toBe(false)
    expect(operatorDocumentation).toContain('```yaml\nview: overview\n')
  })
})

describe('a page that is too long for a widget', () => {
  it('says so, and ends before that', async () => {
    await have('acme.cas', { note: `"`.repeat(10_000) })
    await changed('acme.cas', `"`.repeat(900))
    const page = await draw({ view: 'details', connectorId: 'acme.cas' })
    expect(Buffer.byteLength(JSON.stringify(page))).toBeGreaterThan(170_000)
    expect(Buffer.byteLength(JSON.stringify(page))).toBeLessThan(180_100)
    expect(page).toMatch(
      /The rest does not fit into a widget\.<\/b> npx --no tributary show has all of it, and npx --no tributary edit changes it\.<\/p><\/div>$/,
    )
  })
})

describe('the parameters of a dashboard', () => {
  const asParameters = (params: object, qualifier?: string) => draw(params, { params }, qualifier)

  it.each<[object, string]>([
    [{ view: 'overview', find: 'globex' }, 'Rows 1 to 1 of 1'],
    [{ view: 'details', connectorId: 'acme.cas' }, '<h2>acme.cas</h2>'],
    [{ view: 'events', tenant: 'acme' }, '<h2>Events</h2>'],
    [{ view: 'vendor', type: 'trendmicro-cas' }, '<h3>API key</h3>'],
    [{ find: 'globex' }, 'Rows 1 to 1 of 1'],
  ])('choose the first view: %j', async (params, text) => {
    expect(await asParameters(params)).toContain(text)
  })

  it.each(['review', 'submit', 'reread-form', 'acknowledge-form', 'nothing'])('choose no view that leads to a change: %s', async (view) => {
    const page = await asParameters({ view, action: 'pause', connectorId: 'acme.cas' })
    expect(page).toContain('Give one of: overview, details, events, vendor.')
    expect(page).not.toContain('cwdb-action')
  })

  it('make no change, also with a good ticket, and leave it good', async () => {
    const submit = buttonOf(await draw({ view: 'review', action: 'pause', connectorId: 'acme.cas' }), 'Pause').call
    await asParameters(submit)
    await asParameters({ ...submit, view: 'overview' })
    await draw({ ...submit, view: 'overview' }, { params: submit })
    expect(isPaused()).toBe(false)
    expect(await draw(submit)).toContain('acme.cas was paused.')
  })

  it('do not keep a button of the page from acting', async () => {
    const params = { view: 'details', connectorId: 'acme.cas' }
    const submit = buttonOf(await draw({ view: 'review', action: 'pause', connectorId: 'acme.cas' }, { params }), 'Pause').call
    await draw(submit, { params })
    expect(isPaused()).toBe(true)
  })
})

describe('a call from a dashboard', () => {
  it('changes nothing without a ticket, whatever else it says', async () => {
    const pause = { action: 'pause', connectorId: 'acme.cas', requestId: 'request-1' }
    for (const call of [
      pause,
      { page: { submit: pause, ticket: 'f'.repeat(32) } },
      { submit: pause, ticket: 'f'.repeat(32) },
      { goOn: pause, ticket: 'f'.repeat(32) },
      { view: 'submit', change: pause, ticket: 'f'.repeat(32) },
    ])
      await draw(call)
    expect(isPaused()).toBe(false)
    expect(effects.kept).toEqual([])
  })

  it('is one of a widget by its context alone, whatever that holds', () => {
    for (const widgetContext of [undefined, null, 7, {}]) expect(isWidgetCall({ action: 'pause', widgetContext })).toBe(true)
    for (const event of [{ action: 'pause' }, null, undefined, 'widgetContext', []]) expect(isWidgetCall(event)).toBe(false)
  })

  it('shows a tenant’s operator that tenant only, and tickets of one alias are none of another', async () => {
    const page = await draw({}, {}, ':acme')
    expect(page).toContain('Rows 1 to 1 of 1')
    expect(page).not.toContain('globex')
    expect(await draw({ view: 'details', connectorId: 'globex.cas' }, {}, ':acme')).toContain('<h2>Not possible</h2>')
    const submit = buttonOf(await draw({ view: 'review', action: 'pause', connectorId: 'acme.cas' }), 'Pause').call
    expect(await draw(submit, {}, ':acme')).toContain('<h2>Not done</h2>')
    expect(isPaused()).toBe(false)
  })

  it.each(['', ':$LATEST', ':3'])('needs an alias: "%s"', async (qualifier) => {
    const page = await draw({}, {}, qualifier)
    expect(page).toContain('its ARN names no alias')
    expect(page).not.toContain('acme')
  })

  it('gets a page below 180 KB that is markup of this program alone, whatever it sends and whatever the connectors hold', async () => {
    const hostile = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 40 }),
      fc.constantFrom(
        `"'&<>`,
        '</pre><script>alert(1)</script>',
        '</cwdb-action><cwdb-action action="call">{}',
        '\u202e\u0000',
        '\ud83d\ude00',
      ),
    )
    const longText = fc.tuple(hostile, fc.integer({ min: 1, max: 6_000 })).map(([text, times]) => text.repeat(times))
    const call = fc.record(
      {
        view: fc.constantFrom(
          ...(['overview', 'details', 'events', 'event', 'vendor', 'review', 'reread-form', 'acknowledge-form', 'submit'] as const),
          ...(['create', 'edit'] as const),
        ),
        step: fc.constantFrom('general', 'configuration', 'review'),
        left: fc.constantFrom('general', 'configuration', 'review'),
        values: fc.dictionary(fc.constantFrom('note', 'logFilters', 'tlsCaPem', 'newTenant', 'shortName'), longText),
        connectorId: fc.oneof(fc.constant('acme.cas'), hostile),
        action: fc.constantFrom('pause', 'delete', 'acknowledge', 'reread'),
        form: fc.boolean(),
        find: hostile,
        text: hostile,
        note: hostile,
        ticket: hostile,
        change: fc.anything(),
      },
      { requiredKeys: [] },
    )
    await fc.assert(
      fc.asyncProperty(call, fc.dictionary(hostile, hostile, { maxKeys: 3 }), longText, async (given, forms, note) => {
        await have('acme.cas', { note })
        await changed('acme.cas', note.slice(0, 1_000))
        const page = await draw(given, { forms: { all: forms } })
        expect(Buffer.byteLength(JSON.stringify(page))).toBeLessThan(180_100)
        expect(page).not.toMatch(/<script|<iframe|<use|\son\w+=/)
        for (const [, endpoint] of page.matchAll(/<cwdb-action[^>]*?endpoint="([^"]*)"/g)) expect(endpoint).toBe(arn(':all'))
        expect(page.match(/<cwdb-action/g)?.length).toBe(page.match(/<cwdb-action action="call" display="widget" endpoint=/g)?.length)
      }),
      { numRuns: 60 },
    )
  })
})

describe('the form of a connector in a widget', () => {
  const stored = connectorItem({ connectorId: 'acme.cas', note: 'old' })
  /** The review of an edit. */
  const review = { view: 'edit', connectorId: 'acme.cas', step: 'review', left: 'configuration' }
  const general = { view: 'create', step: 'configuration', left: 'general', form: true }
  const note = () => effects.items.get('acme.cas')?.['note']

  beforeEach(() => have('acme.cas', stored))

  it.each(['', 'forged'])('stores nothing with the ticket "%s"', async (ticket) => {
    expect(await draw({ ...review, left: 'review', values: { note: 'new' }, act: 'store', ticket })).toContain('<h2>Not done</h2>')
    expect(note()).toBe('old')
  })

  it('stores the values of its review alone', async () => {
    const { call } = buttonOf(await draw({ ...review, values: { note: 'new' } }), 'Submit')
    expect(await draw({ ...call, values: { note: 'other' } })).toContain('<h2>Not done</h2>')
    expect(note()).toBe('old')
    await draw(call)
    expect(note()).toBe('new')
  })

  it.each(['münchen', 'ACME, Corp', 'a'.repeat(600)])('says that "%s" is no tenant, and asks for no secrets of it', async (newTenant) => {
    const page = await draw(general, { forms: { all: { 'f:newTenant': newTenant, 'f:shortName': 'cas' } } })
    expect(page).toContain('Step 1 of 3')
    expect(page).toContain('1 to 40 lower-case letters')
  })

  it('tells one mistake of an id once, and not that the names which follow from it are missing', async () => {
    const page = await draw(general, { forms: { all: { 'f:newTenant': 'ACME', 'f:shortName': 'cas' } } })
    expect(page).toContain('One value is not right')
    expect(page).not.toContain('It is missing')
  })

  it('says that a file owns the connector, and what its next apply does', async () => {
    await have('acme.cas', { ...stored, managedBy: 'file' })
    expect(await draw({ view: 'edit', connectorId: 'acme.cas' })).toContain('its next apply writes over your changes')
    expect(await draw({ ...review, values: { note: 'new' } })).toContain('its next apply writes over your changes')
  })

  it('leads to the command when its texts do not fit', async () => {
    const page = await draw({ ...review, step: 'configuration', values: { logFilters: `["${'a'.repeat(95_000)}"]` } })
    expect(page).not.toContain('<form')
    expect(page).toContain('npx --no tributary edit')
  })
})
