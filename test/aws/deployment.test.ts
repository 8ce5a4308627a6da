import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { type AttributeValue, DeleteItemCommand, PutItemCommand, ScanCommand } from '@aws-sdk/client-dynamodb'
import { CreateSecretCommand, PutSecretValueCommand } from '@aws-sdk/client-secrets-manager'
import { marshall, unmarshall } from '@aws-sdk/util-dynamodb'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { secretNames } from '../../functions/adapters/secret-names.ts'
import { type StateTable, stateTable } from '../../functions/adapters/state-table/state-table.ts'
import { minute } from '../../functions/domain/time.ts'
import { vendors } from '../../functions/vendors/index.ts'
import { findMissing } from '../../local/report/missing.ts'
import { readRuns } from '../../local/report/runs.ts'
import { isStreamName } from '../../local/simulator/catalogue.ts'
import type { SimulatedEvent } from '../../local/simulator/history.ts'
import { itemOf } from '../../local/simulator/messages.ts'
import { type RunningSimulator, startSimulator } from '../../local/simulator/server.ts'
import { expectedRecordId } from '../../simulation/expected-record.ts'
import { type BusEvent, type Deployment, deploy } from './deployment.ts'
import { assemblyDir, lakeDir, projectDir, runDir, settingsOf } from './folders.ts'
import { readLake } from './lake-objects.ts'
import { operatorOf, widgetOf } from './operating.ts'

/** The deployed stack, from the first item to the objects of the lake. Each test builds on the ones before. */

const keys = {
  acme: 'a1f64d0be93c47588c0e2d7f5b6a9c3180e4d7b2',
  globex: 'b7c25e1ad80f4963a4b19e6c3d5f7a2091c8e4f6',
  newco: 'd4e1b7c2938a5f604173e9d8b2c6a0f5147e3d9b',
  revoked: 'c3d9a8f1067b4e5292d4c7b1a0e6f835d2b49c17',
}
/** The triggers need seconds; a busy machine may need many more. */
const withinMs = { timeout: 120_000, interval: 200 }
/** With fewer events the check of the lake would prove little (count). The simulator makes several times as many. */
const expectedEventsMin = 1_000

/** The example in the typed JSON of the table. */
const example: Record<string, AttributeValue> = JSON.parse(readFileSync(join(projectDir, 'examples/connector.json'), 'utf8'))

let simulator: RunningSimulator
let deployment: Deployment
let state: StateTable
let acme: Readonly<Record<string, unknown>>
let globex: Readonly<Record<string, unknown>>
const published: BusEvent[] = []
const sentToPeople: BusEvent[] = []

beforeAll(async () => {
  const { allowedHosts } = JSON.parse(readFileSync(settingsOf(assemblyDir), 'utf8'))
  simulator = await startSimulator(
    {
      keys: [
        { key: keys.acme, customer: 'acme' },
        { key: keys.globex, customer: 'globex' },
        { key: keys.newco, customer: 'newco' },
      ],
      revokedKeys: [keys.revoked],
      eventsPerHour: 600,
      lateMaxMs: minute,
      malformedItemRate: 0.01,
      order: 'random',
      bounds: 'exclusive',
      duplicatesAcrossPages: 3,
      errorRate5xx: 0.05,
      delayMs: { min: 5, max: 50 },
    },
    { port: Number(new URL(`http://${allowedHosts[0]}`).port) },
  )
  rmSync(runDir, { recursive: true, force: true })
  mkdirSync(runDir, { recursive: true })
  deployment = await deploy(assemblyDir, runDir)
  state = stateTable({ client: deployment.dynamodb, table: deployment.stateTable, now: Date.now })
  acme = { ...unmarshall(example), baseUrl: simulator.url }
  globex = {
    connectorId: 'globex.exchange',
    type: 'trendmicro-cas',
    name: 'globex-exchange',
    tenantName: 'globex',
    baseUrl: simulator.url,
    apiKeySecrets: ['tributary/globex/key'],
    contentTypes: ['exchange'],
    eventTypes: ['securityrisk', 'dlp'],
    logFilters: [{ name: 'passed-mail', action: 'exclude', conditions: [{ field: 'action', operator: 'equals', values: ['Pass'] }] }],
    initialBackfillMinutes: 60,
    lateArrivalMinutes: 2,
    intervalMinutes: 1,
  }
  // `--secret-string file://` stores the line end of the file too.
  for (const name of acme['apiKeySecrets'] as string[]) await createSecret(name, `${keys.acme}\n`)
  await createSecret('tributary/globex/key', keys.globex)
  await createSecret('tributary/globex/revoked', keys.revoked)
})

afterAll(async () => {
  if (deployment === undefined) return simulator?.close()
  const calls = deployment.proxy.calls()
  writeFileSync(join(runDir, 'calls.json'), JSON.stringify(calls, undefined, 2))
  const usage = deployment.functions().map((fn) => [fn.resource.name, fn.usage])
  writeFileSync(join(runDir, 'usage.json'), JSON.stringify(Object.fromEntries(usage), undefined, 2))
  for (const { resource, lines } of deployment.functions()) writeFileSync(join(runDir, `${resource.name}.log`), `${lines.join('\n')}\n`)
  await deployment.close()
  await simulator.close()
})

test('connectors that are put into their table are accepted, and collected up to that time', async () => {
  const startedAt = Date.now()
  await put(acme)
  await put(globex)
  const ids = [acme, globex].map(({ connectorId }) => String(connectorId))
  await expect.poll(() => missing(ids, startedAt), { ...withinMs, interval: 1_000 }).toEqual([])
})

test('a tick starts the connectors that are due', async () => {
  const tickedAt = Date.now()
  await deployment.tick(tickedAt)
  await expect.poll(async () => ((await state.readStatus('globex.exchange'))?.lastRunAt ?? 0) > tickedAt, withinMs).toBe(true)
})

test('a connector whose key the vendor rejects fails, and a rule notifies a person', async () => {
  await put({ ...globex, connectorId: 'globex.revoked', name: 'globex-revoked', apiKeySecrets: ['tributary/globex/revoked'] })
  await expect.poll(() => stateOf('globex.revoked'), withinMs).toBe('failing')
  await expect.poll(() => changesSent('globex.revoked'), withinMs).toContain('failing')
})

test('a key that becomes the key of another tenant after acceptance is not used', async () => {
  await deployment.queue.pause()
  await createSecret('tributary/globex/swapped', keys.globex)
  await put({ ...globex, connectorId: 'globex.swapped', name: 'globex-swapped', apiKeySecrets: ['tributary/globex/swapped'] })
  await expect.poll(() => state.readAccepted('globex.swapped'), withinMs).toBeDefined()
  await deployment.secrets.send(new PutSecretValueCommand({ SecretId: 'tributary/globex/swapped', SecretString: keys.acme }))
  deployment.queue.resume()
  await expect.poll(() => stateOf('globex.swapped'), withinMs).toBe('failing')
  expect(await isCollected('globex.swapped')).toBe(false)
})

test('a wrong item is refused with the reason and collected after its correction, and the person is notified of both', async () => {
  const right = { ...globex, connectorId: 'globex.wrong', name: 'globex-wrong' }
  await put({ ...right, contentTypes: ['exchnge'] })
  await expect.poll(() => stateOf('globex.wrong'), withinMs).toBe('refused')
  expect((await state.readStatus('globex.wrong'))?.problems[0]?.message).toContain('exchange')
  await put(right)
  await untilCollected('globex.wrong')
  await expect.poll(() => changesSent('globex.wrong'), withinMs).toEqual(expect.arrayContaining(['refused', 'starting']))
})

test('a disabled connector is paused, and one whose item is deleted is retired', async () => {
  await put({ ...globex, connectorId: 'globex.wrong', name: 'globex-wrong', enabled: false })
  await expect.poll(() => stateOf('globex.wrong'), withinMs).toBe('paused')
  await remove('globex.wrong')
  await expect.poll(() => stateOf('globex.wrong'), withinMs).toBe('retired')
})

test('the hourly comparison finds new, wrong, changed and deleted items that the stream did not report', async () => {
  const missed = (name: string) => ({ ...globex, connectorId: `globex.missed-${name}`, name: `missed-${name}`, initialBackfillMinutes: 5 })
  for (const name of ['changed', 'deleted']) {
    await put(missed(name))
    await untilCollected(`globex.missed-${name}`)
  }

  await deployment.stream.pause()
  await put(missed('new'))
  await put({ ...missed('wrong'), contentTypes: [] })
  await put({ ...missed('changed'), enabled: false })
  await remove('globex.missed-deleted')
  await deployment.tick(Date.UTC(2026, 0, 1, 12, 17))
  const found = await Promise.all(['wrong', 'changed', 'deleted'].map((name) => stateOf(`globex.missed-${name}`)))
  deployment.stream.resume()
  expect(found).toEqual(['refused', 'paused', 'retired'])
  await untilCollected('globex.missed-new')
})

test('the fleet is measured every fifth minute, in the namespace of the stack', async () => {
  const before = deployment.function('Dispatch').lines.length
  await deployment.tick(Date.UTC(2026, 0, 1, 12, 20))
  const written = deployment
    .function('Dispatch')
    .lines.slice(before)
    .map((line) => JSON.parse(line))
  const namespaces = written.flatMap(({ _aws }) => _aws?.CloudWatchMetrics.map(({ Namespace }: { Namespace: string }) => Namespace) ?? [])
  expect(new Set(namespaces)).toEqual(new Set(['Tributary/tributary']))
})

test('a malformed work message becomes a dead letter', async () => {
  await deployment.sendWork('no JSON')
  await expect.poll(() => deployment.messages('WorkDeadLetters'), withinMs).toEqual(['no JSON'])
})

test('a change that cannot be handled becomes a dead letter and does not stop the next ones', async () => {
  const { logicalId } = deployment.function('ConnectorChanged').resource
  const allow = deployment.proxy.deny(({ by, action }) => by === logicalId && action === 'dynamodb:GetItem')
  await put({ ...globex, connectorId: 'globex.late', name: 'globex-late', enabled: false })
  await expect.poll(() => deployment.messages('ChangeDeadLetters'), withinMs).toHaveLength(1)
  allow()
  await put({ ...globex, connectorId: 'globex.next', name: 'globex-next', enabled: false })
  await expect.poll(() => stateOf('globex.next'), withinMs).toBe('paused')
})

test('a tick that fails leaves no message, and the next one does its work', async () => {
  const { logicalId } = deployment.function('Dispatch').resource
  const failedAt = Date.now()
  const allow = deployment.proxy.deny(({ by, action }) => by === logicalId && action === 'dynamodb:Query')
  const before = deployment.function('Dispatch').lines.length
  await deployment.tick(failedAt).finally(allow)
  const events = deployment.function('Dispatch').lines.slice(before)
  expect(events.map((line) => JSON.parse(line).event)).toContain('function-failed')
  await deployment.tick(failedAt)
  await expect.poll(async () => ((await state.readStatus('globex.exchange'))?.lastRunAt ?? 0) > failedAt, withinMs).toBe(true)
})

test('the widget of the dashboard shows every connector', async () => {
  const draw = async (alias?: string) =>
    String(await deployment.function('StatusWidget').invoke({ widgetContext: { theme: 'light', params: {} } }, alias))
  const html = await draw('all')
  for (const { connectorId } of [acme, globex]) expect(html).toContain(connectorId)
  const ofAcme = await draw('acme')
  expect([ofAcme.includes(String(acme['connectorId'])), ofAcme.includes('globex')]).toEqual([true, false])
  expect(await draw()).toContain('its ARN names no alias')
  expect(await deployment.function('StatusWidget').invoke({ describe: true })).toMatch(/^#/m)
})

test('operate refuses a call without an alias, another tenant’s connectors, and a change of a page or a dashboard without a ticket', async () => {
  const operate = deployment.function('Operate')
  const pause = { action: 'pause', connectorId: 'globex.exchange', requestId: 'by-a-stranger' }
  for (const [event, alias] of [
    [pause, undefined],
    [pause, 'acme'],
    [{ page: pause }, 'all'],
    [{ page: { submit: pause, ticket: 'f'.repeat(32) } }, 'globex'],
    [{ goOn: pause, ticket: 'f'.repeat(32) }, 'all'],
  ] as const)
    expect(await operate.invoke(event, alias)).toMatchObject({ ok: false, code: 'not-allowed' })
  const widget = widgetOf(operate, 'globex')
  for (const call of [pause, { view: 'submit', change: pause, ticket: 'f'.repeat(32) }]) expect(await widget.draw(call)).toContain('<h2>')
  expect(await operate.invoke({ describe: true, ...pause })).toContain('# Operate the connectors')
  expect(await state.history('globex.exchange', Number.MAX_SAFE_INTEGER, 10)).toEqual([])
})

test('operate creates, edits, reads, pauses and deletes a connector, answers questions, and keeps the history in the table and the lake', async () => {
  const { ask, send } = operatorOf(deployment.function('Operate'))
  const connectorId = 'globex.operated'
  const made = { ...globex, connectorId, name: 'globex-operated' }
  expect(await ask({ action: 'validate', item: made })).toMatchObject({ ok: true })
  expect(await send({ action: 'create', item: made }, 'globex')).toMatchObject({ ok: true })
  await untilCollected(connectorId)
  const { version } = await ask({ action: 'show', connectorId })
  expect(await send({ action: 'edit', connectorId, version, item: { ...made, note: 'by a test' } })).toMatchObject({ ok: true })
  expect(await send({ action: 'edit', connectorId, version, item: { ...made, note: 'too late' } })).toMatchObject({ code: 'conflict' })
  expect(await send({ action: 'collect', connectorId })).toMatchObject({ ok: true })
  const now = Date.now()
  expect(await send({ action: 'reread', connectorId, from: now - 10 * minute, to: now - minute })).toMatchObject({ ok: true })
  expect(await send({ action: 'acknowledge', connectorId, note: 'nothing' })).toMatchObject({ code: 'wrong' })
  expect(await ask({ action: 'coverage', connectorId })).toMatchObject({ ok: true, streams: expect.arrayContaining([]) })

  const widget = widgetOf(deployment.function('Operate'), 'globex')
  const review = await widget.press(await widget.press(await widget.draw({}), connectorId), 'Pause')
  expect(await widget.press(review, 'Pause')).toContain(`${connectorId} was paused.`)
  expect(await widget.press(review, 'Pause')).toContain('Not done')
  await expect.poll(() => stateOf(connectorId), withinMs).toBe('paused')
  expect(await ask({ action: 'list' }, 'acme')).toMatchObject({ rows: [{ connectorId: acme['connectorId'] }] })

  const { version: last } = await ask({ action: 'show', connectorId })
  expect(await send({ action: 'delete', connectorId, version: last })).toMatchObject({ ok: true })
  await expect.poll(() => stateOf(connectorId), withinMs).toBe('retired')
  const { entries } = await ask({ action: 'history', connectorId })
  expect(entries).toMatchObject(
    ['delete', 'pause', 'acknowledge', 'reread', 'collect', 'edit', 'edit', 'create'].map((action) => ({ action })),
  )
})

test('a Test finds a key that the vendor rejects, and ends the failure once the secret holds another', async () => {
  const operator = operatorOf(deployment.function('Operate'))
  const steps = () => operator.test('globex.revoked', 'globex', () => setTimeout(500))
  const left = ['left-out', 'passed', 'passed']
  await expect.poll(steps, withinMs).toEqual(['passed', 'passed', 'passed', 'failed', ...left])
  expect(await stateOf('globex.revoked')).toBe('failing')
  await deployment.secrets.send(new PutSecretValueCommand({ SecretId: 'tributary/globex/revoked', SecretString: keys.globex }))
  await expect.poll(steps, withinMs).toEqual(Array.from({ length: 7 }, () => 'passed'))
  await expect.poll(() => changesSent('globex.revoked'), withinMs).toContain('catching-up')
  expect(await operator.ask({ action: 'test-result', connectorId: 'globex.revoked' }, 'acme')).toMatchObject({ code: 'not-allowed' })
})

test('the names of the secrets of a tenant are listed, and no others', async () => {
  const names = secretNames({ client: deployment.secrets, secretPrefix: 'tributary/' })
  expect((await names('globex')).toSorted()).toEqual(['key', 'revoked', 'swapped'].map((name) => `tributary/globex/${name}`))
  expect(await names('glob')).toEqual([])
})

test('a newcomer creates a connector on the dashboard that is tested and delivers, with nothing but its key from elsewhere', async () => {
  await createSecret('tributary/newco/cas', keys.newco)
  const widget = widgetOf(deployment.function('Operate'), 'all')
  const form = await widget.press(await widget.draw({}), 'Create')
  const identity = { 'f:type': 'trendmicro-cas', 'f:tenant': '', 'f:newTenant': 'newco', 'f:shortName': 'cas' }
  const configuration = await widget.press(form, 'Next', identity)
  expect(configuration).toContain('npx --no tributary key set tributary/newco/cas')
  expect(configuration).not.toContain('type="password"')
  const values = { 'f:baseUrl': simulator.url, 'f:intervalMinutes': '1', 'f:initialBackfillMinutes': '60', 'f:lateArrivalMinutes': '2' }
  const wrong = await widget.press(configuration, 'Next', { ...values, 'f:eventTypes:dlp': 'yes' })
  expect(wrong).toContain('Give a list of 1 to 20 names of secrets')
  const ticked = { 'f:apiKeySecrets:tributary/newco/cas': 'yes', 'f:contentTypes:teams': 'yes', 'f:eventTypes:dlp': 'yes' }
  const review = await widget.press(wrong, 'Next', { ...values, ...ticked })
  expect(review).toContain('Create newco.cas?')
  let shown = await widget.press(review, 'Submit')
  const isOver = async () => {
    shown = shown.includes('>Refresh<') ? await widget.press(shown, 'Refresh') : shown
    return !shown.includes('>Refresh<')
  }
  await expect.poll(isOver, withinMs).toBe(true)
  expect(shown).toContain('Test of newco.cas')
  const testedAt = Date.now()
  await expect.poll(() => missing(['newco.cas'], testedAt), { ...withinMs, interval: 1_000 }).toEqual([])
  expect(await widget.draw({ view: 'details', connectorId: 'newco.cas' })).toContain('Coverage of the last 72 hours')
})

test('every state of a connector is an event on the bus, and a person is notified of problems and recoveries only', async () => {
  await receiveEvents()
  expect(new Set(published.map(({ source }) => source))).toEqual(new Set(['tributary']))
  expect(changes(published, 'globex.wrong')).toEqual(expect.arrayContaining(['refused', 'starting', 'paused', 'retired']))
  expect(new Set(sentToPeople.map(({ detail }) => detail['attention']))).toEqual(new Set(['problem', 'recovery']))
  expect(sentToPeople).toHaveLength(published.filter(({ detail }) => detail['attention'] !== 'none').length)
})

test('the objects have the keys of the template, and hold each event that the vendor showed and each event of the covered ranges once', async () => {
  await deployment.queue.pause()
  await deployment.flush()
  const objects = readLake(lakeDir)
  for (const { key } of objects) expect(key).toMatch(/^syslog\/dt=\d{4}-\d\d-\d\d\/hour=\d\d\/[^/]+\.json\.gz$/)
  const counts = new Map<string, number>()
  const twice: unknown[] = []
  const isEvent = ({ id }: Readonly<Record<string, unknown>>) => id !== undefined
  for (const { id, malformed } of objects.flatMap(({ records }) => records.filter(isEvent))) {
    const count = (counts.get(String(id)) ?? 0) + 1
    counts.set(String(id), count)
    // Two items without an id may be equal.
    if (count > 1 && malformed === undefined) twice.push(id)
  }
  expect(twice).toEqual([])

  const customers: Readonly<Record<string, string>> = { [String(acme['tenantName'])]: 'acme', globex: 'globex', newco: 'newco' }
  const connectorIds: string[] = []
  const lacking: string[] = []
  const expected = new Set<string>()
  for await (const { connector } of state.allAccepted()) {
    const customer = customers[connector.tenantName] ?? ''
    connectorIds.push(connector.connectorId)
    const { streams } = await state.readRun(connector.connectorId)
    for (const [stream, { covered }] of streams) {
      if (!isStreamName(stream)) throw new Error(`${stream} is no stream of the simulator`)
      for (const { from, to } of covered) {
        const lateMaxMs = connector.lateArrivalMinutes * minute
        for (const event of simulator.model.eventsVisible(stream, from, to, undefined, { lateMaxMs, customer })) {
          if (!hasId(event) || isFiltered(event)) continue
          const id = expectedRecordId(connector.connectorId, event)
          expected.add(id)
          if (!counts.has(id)) lacking.push(`${connector.connectorId} ${stream} ${event.id}`)
        }
      }
    }
  }
  expect(lacking).toEqual([])
  expect(expected.size).toBeGreaterThan(expectedEventsMin)

  const shown = [...simulator.model.account.shown.values()].filter((event) => hasId(event) && !isFiltered(event))
  const isInLake = (event: SimulatedEvent) => connectorIds.some((connectorId) => counts.has(expectedRecordId(connectorId, event)))
  expect(shown.filter((event) => !isInLake(event))).toEqual([])
  writeFileSync(join(runDir, 'expected-ids.json'), JSON.stringify([...expected]))
})

test('no key is in a log, in the state table, on the bus, in a dead letter or in the lake', async () => {
  const items: unknown[] = []
  for (let ExclusiveStartKey: Record<string, AttributeValue> | undefined; ; ) {
    const page = await deployment.dynamodb.send(new ScanCommand({ TableName: deployment.stateTable, ExclusiveStartKey }))
    items.push(...(page.Items ?? []))
    ExclusiveStartKey = page.LastEvaluatedKey
    if (ExclusiveStartKey === undefined) break
  }
  const letters = ['WorkDeadLetters', 'ChangeDeadLetters'].map((queue) => deployment.messages(queue))
  const all = JSON.stringify([
    items,
    published,
    await Promise.all(letters),
    deployment.functions().map(({ lines }) => lines),
    readLake(lakeDir).map(({ records }) => records),
  ])
  for (const key of Object.values(keys)) expect(all.includes(key)).toBe(false)
})

test('every function stays within its memory, and each line that it writes is JSON', () => {
  for (const { resource, usage, lines } of deployment.functions()) {
    expect(usage.invocations, resource.name).toBeGreaterThan(0)
    expect(usage.memoryBytesMax / 2 ** 20, resource.name).toBeLessThan(Number(resource.properties['MemorySize']))
    for (const line of lines) expect(() => JSON.parse(line), line).not.toThrow()
  }
})

async function createSecret(Name: string, SecretString: string): Promise<void> {
  await deployment.secrets.send(new CreateSecretCommand({ Name, SecretString }))
}

async function put(item: Readonly<Record<string, unknown>>): Promise<void> {
  await deployment.dynamodb.send(new PutItemCommand({ TableName: deployment.connectorsTable, Item: marshall(item) }))
}

async function remove(connectorId: string): Promise<void> {
  await deployment.dynamodb.send(new DeleteItemCommand({ TableName: deployment.connectorsTable, Key: marshall({ connectorId }) }))
}

async function stateOf(connectorId: string): Promise<string | undefined> {
  return (await state.readStatus(connectorId))?.state
}

async function isCollected(connectorId: string): Promise<boolean> {
  return (await state.readStatus(connectorId))?.lastSuccessAt !== undefined
}

/** Ticks, because a run that met an error, or had no token, goes on with the next one. */
async function untilCollected(connectorId: string): Promise<void> {
  const collected = async () => {
    await deployment.tick(Date.now())
    return isCollected(connectorId)
  }
  await expect.poll(collected, { ...withinMs, interval: 1_000 }).toBe(true)
}

/** Ticks as `untilCollected` does. Returns why connectors are not covered up to `startedAt` yet. */
async function missing(ids: readonly string[], startedAt: number): Promise<readonly string[]> {
  await deployment.tick(Date.now())
  return findMissing(await readRuns(state, ids), vendors, startedAt).map(({ connectorId, reason }) => `${connectorId}: ${reason}`)
}

/** The states of the connector that a person was notified of. */
async function changesSent(connectorId: string): Promise<readonly (string | undefined)[]> {
  await receiveEvents()
  return changes(sentToPeople, connectorId)
}

async function receiveEvents(): Promise<void> {
  published.push(...(await deployment.published()))
  sentToPeople.push(...(await deployment.sentToPeople()))
}

function changes(events: readonly BusEvent[], connectorId: string): readonly (string | undefined)[] {
  return events.filter(({ detail }) => detail['connectorId'] === connectorId).map(({ detail }) => detail['to'])
}

function hasId({ malformed }: SimulatedEvent): boolean {
  return malformed !== 'null' && malformed !== 'string' && malformed !== 'no-id'
}

function isFiltered(event: SimulatedEvent): boolean {
  if (event.customer !== 'globex') return false
  const item = itemOf(event) as { readonly message?: { readonly action?: string } } | null
  return item?.message?.action === 'Pass'
}
