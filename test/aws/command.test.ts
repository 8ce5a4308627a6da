import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { json } from 'node:stream/consumers'
import { CloudFormationClient, CreateStackCommand } from '@aws-sdk/client-cloudformation'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { listen, loopback } from '../../local/services/listen.ts'
import { type RunningSimulator, startSimulator } from '../../local/simulator/server.ts'
import { tributary } from '../local/tributary.ts'
import { accessKeyId } from './aws-proxy.ts'
import { type Deployment, deploy } from './deployment.ts'
import { assemblyDir, settingsOf } from './folders.ts'
import { account, region } from './template.ts'

/** The command against the deployed functions. It reaches them, the secrets and the stack through the SDK. Each test builds on the ones before. */

const key = 'd4e8b7a2095f4c63b1a7e2d6f8c39051e7b4a6f2'
const secret = 'tributary/globex/command'
const id = 'globex.command'
const minutes = 60_000
const withinMs = { timeout: 2 * minutes, interval: 500 }

const dataDir = mkdtempSync(join(tmpdir(), 'tributary-command-'))
let simulator: RunningSimulator
let deployment: Deployment
let env: NodeJS.ProcessEnv
const lambda = createServer((request, response) => {
  invoke(request, response).catch((error: unknown) => response.writeHead(500).end(String(error)))
})

/** Answers as Lambda does. https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html */
async function invoke(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { pathname, searchParams } = new URL(request.url ?? '', 'http://aws')
  const operate = deployment.function('Operate')
  const alias = searchParams.get('Qualifier') ?? ''
  const event = await json(request)
  const names = deployment.stack.ofType('AWS::Lambda::Alias').map(({ arn }) => arn)
  if (pathname !== `/2015-03-31/functions/${operate.resource.name}/invocations` || !names.includes(`${operate.resource.arn}:${alias}`)) {
    response.writeHead(404, { 'x-amzn-errortype': 'ResourceNotFoundException', 'content-type': 'application/json' })
    response.end(JSON.stringify({ Message: 'Function not found' }))
    return
  }
  response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(await operate.invoke(event, alias)))
}

beforeAll(async () => {
  const { allowedHosts } = JSON.parse(readFileSync(settingsOf(assemblyDir), 'utf8'))
  const port = Number(new URL(`http://${allowedHosts[0]}`).port)
  simulator = await startSimulator({ keys: [{ key, customer: 'globex' }], eventsPerHour: 600, requestsPerMinute: 6_000 }, { port })
  deployment = await deploy(assemblyDir, dataDir)
  const lambdaAddress = `http://${loopback}:${await listen(lambda, 0, 'Lambda')}`
  const client = new CloudFormationClient({
    region,
    endpoint: deployment.moto,
    credentials: { accessKeyId, secretAccessKey: 'secret' },
  })
  // It has the outputs of the template, and a topic, since a stack has a resource.
  const Outputs = Object.fromEntries(Object.entries(deployment.stack.outputs()).map(([name, Value]) => [name, { Value }]))
  const body = JSON.stringify({ Resources: { Topic: { Type: 'AWS::SNS::Topic' } }, Outputs })
  await client.send(new CreateStackCommand({ StackName: 'tributary', TemplateBody: body }))
  client.destroy()
  env = {
    PATH: process.env['PATH'],
    AWS_REGION: region,
    AWS_ACCESS_KEY_ID: accessKeyId,
    AWS_SECRET_ACCESS_KEY: 'secret',
    AWS_ENDPOINT_URL_CLOUDFORMATION: deployment.moto,
    AWS_ENDPOINT_URL_SECRETS_MANAGER: deployment.moto,
    AWS_ENDPOINT_URL_LAMBDA: lambdaAddress,
  }
}, 3 * minutes)

afterAll(async () => {
  lambda.close()
  lambda.closeAllConnections()
  await deployment?.close()
  await simulator?.close()
  rmSync(dataDir, { recursive: true, force: true })
}, 3 * minutes)

const run = (args: readonly string[], input?: string) => tributary([...args, '--stack', 'tributary'], input, env)
async function answer(...args: readonly string[]) {
  const { out, err } = await run([...args, '--json'])
  expect(err).not.toContain(key)
  return JSON.parse(out)
}
const place = `Stack tributary, account ${account}, region ${region}`

test('the command stores a key with the caller’s own credentials, and lists its name', { timeout: minutes }, async () => {
  const stored = await run(['key', 'set', secret], `${key}\n`)
  expect(stored).toMatchObject({ code: 0, err: expect.stringContaining(`${place}:`) })
  expect(JSON.stringify(stored)).not.toContain(key)
  const { keys } = await answer('key', 'list')
  expect(keys).toMatchObject([{ name: secret, changedAt: expect.any(Number) }])
})

test('the command creates a connector, which is accepted and listed', { timeout: 3 * minutes }, async () => {
  const attributes = ['--type', 'trendmicro-cas', '--name', 'globex-command', '--tenant', 'Globex', '--base-url', simulator.url]
  const created = await run(['create', id, ...attributes, '--secret', secret, '--event-types', 'dlp', '--interval-minutes', '60'])
  expect(created).toMatchObject({ code: 0, out: expect.stringContaining(`${id} was created.`), err: expect.stringContaining(`${place}:`) })
  await expect
    .poll(() => answer('list'), withinMs)
    .toMatchObject({
      version: 1,
      place: { stack: 'tributary', account, region, alias: 'all' },
      rows: [{ connectorId: id }],
    })
  expect(await run(['list'])).toMatchObject({ code: 0, out: expect.stringContaining(id) })
})

test('the command edits a connector, and one that names another alias may not', { timeout: minutes }, async () => {
  const edited = await run(['edit', id, '--note', 'by a test'])
  expect(edited).toMatchObject({ code: 0, err: expect.stringContaining('note: "by a test"') })
  expect(await answer('show', id)).toMatchObject({ item: { note: 'by a test' } })
  expect(await answer('show', id, '--alias', 'globex')).toMatchObject({ place: { alias: 'globex' }, item: { note: 'by a test' } })
  expect(await answer('edit', id, '--note', 'by acme', '--alias', 'acme')).toMatchObject({ ok: false })
  expect(await run(['list', '--alias', 'nobody'])).toMatchObject({
    code: 1,
    err: expect.stringContaining('Name a tenant of the setting tenantsWithOperators with --alias'),
  })
  expect(await answer('show', id)).toMatchObject({ item: { note: 'by a test' } })
})

test('the command tests a connector, through the function’s calls of itself', { timeout: 3 * minutes }, async () => {
  expect(await run(['test', id])).toMatchObject({
    code: 0,
    out: expect.stringContaining('All 7 steps passed'),
    err: expect.stringContaining('7 of 7'),
  })
})

test('the command gives the query, the editor and the dashboard of the stack', { timeout: minutes }, async () => {
  const { AthenaWorkgroupName: workgroup, AthenaDatabaseName: database, DashboardName: dashboard } = deployment.stack.outputs()
  const console = `https://${region}.console.aws.amazon.com`
  expect(await answer('events', '--connector', id)).toMatchObject({
    sql: expect.stringContaining(`connector_id = '${id}'`),
    workgroup,
    database,
    editor: `${console}/athena/home?region=${region}#/query-editor`,
  })
  const address = `${console}/cloudwatch/home?region=${region}#dashboards/dashboard/${dashboard}-operate`
  expect(await run(['open'])).toMatchObject({ code: 0, out: `${address}\n` })
})

test('the command says the next step for a stack that is not there', { timeout: minutes }, async () => {
  expect(await tributary(['list', '--stack', 'no-such'], '', env)).toMatchObject({
    code: 1,
    err: expect.stringContaining('Check its name'),
  })
})
