import { readFileSync } from 'node:fs'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { join } from 'node:path'
import { DynamoDBClient, ScanCommand } from '@aws-sdk/client-dynamodb'
import { expect, test } from 'vitest'
import { connectorsTableName, startServices, stateTableName } from '../../local/services/services.ts'
import { eventually } from '../eventually.ts'
import { temporaryFolder } from '../local-services.ts'
import { connectorItem, everyFile, ownConnectors, start } from './program.ts'
import { server, vendor } from './vendors.ts'

/** Returns the beginnings by which a key is found in any form: as it is, in a URL, in base64. */
function formsOf(apiKey: string): string[] {
  const bearer = Buffer.from(`Bearer ${apiKey}`).toString('base64')
  return [
    apiKey,
    apiKey.slice(0, 20),
    encodeURIComponent(apiKey),
    Buffer.from(apiKey).toString('base64').slice(0, -4),
    bearer.slice(12, -4),
  ]
}

/** Returns every item of the tables as text. Their files are compressed, so a key cannot be found in them. */
async function everyItem(dataDir: string): Promise<string> {
  const services = await startServices({ dataDir })
  const client = new DynamoDBClient({ ...services.clientConfig, endpoint: services.addresses.dynamodb })
  const tables = await Promise.all([stateTableName, connectorsTableName].map((TableName) => client.send(new ScanCommand({ TableName }))))
  for (const { LastEvaluatedKey } of tables) expect(LastEvaluatedKey).toBeUndefined()
  client.destroy()
  await services.close()
  return JSON.stringify(tables.map(({ Items }) => Items))
}

test('an API key that the vendor echoes appears nowhere in output or files, and reaches no other origin', async () => {
  const atOtherOrigin: IncomingMessage[] = []
  const other = await server((request, response) => {
    atOtherOrigin.push(request)
    response.end('{}')
  })
  const authorizationOf = (request: IncomingMessage) => request.headers.authorization ?? ''
  const json = (response: ServerResponse, status: number, body: object) =>
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
  const page = (nextLink: string, others = {}) => ({
    current_link: '',
    next_link: nextLink,
    last_log_item_generation_time: '',
    security_events: [],
    traceId: 't',
    ...others,
  })
  const echoes: Readonly<Record<string, (said: string, response: ServerResponse, origin: string) => void>> = {
    'bad-request': (said, response) => json(response, 400, { code: 1, msg: `What is ${said}?`, traceId: said }),
    rejected: (said, response) => json(response, 401, { code: 1, msg: said, traceId: said }),
    forbidden: (said, response) => json(response, 403, { code: 1, msg: encodeURIComponent(said), traceId: 't' }),
    throttled: (said, response) => json(response, 429, { code: 1, msg: Buffer.from(said).toString('base64'), traceId: said }),
    error: (said, response) => response.writeHead(500, { 'x-said': said }).end(`<pre>${'x'.repeat(190)}${said}</pre>`),
    rubbish: (said, response) => response.writeHead(200, { 'content-type': said }).end(`You said ${said}`),
    'no-page': (said, response) => json(response, 200, { [said]: said, security_events: said }),
    'odd-trace': (said, response) => json(response, 200, page('', { traceId: said })),
    'link-here': (said, response, origin) =>
      json(response, 200, page(`${origin}/v1/siem/security_events?page_id=${encodeURIComponent(said)}`)),
    'link-to-other-origin': (said, response) =>
      json(response, 200, page(`${other.url}/v1/siem/security_events?page_id=${encodeURIComponent(said)}`)),
    'link-with-user': (said, response) =>
      json(response, 200, page(`http://${encodeURIComponent(said)}@${other.host}/v1/siem/security_events`)),
    'link-without-scheme': (said, response) => json(response, 200, page(`${other.host}/v1/siem/security_events?page_id=${said.slice(7)}`)),
    'link-of-slashes': (said, response) => json(response, 200, page(`//${other.host}/v1/siem/security_events?page_id=${said.slice(7)}`)),
    redirect: (said, response) => response.writeHead(302, { location: `${other.url}/?${encodeURIComponent(said)}` }).end(said),
    'redirect-307': (_, response) => response.writeHead(307, { location: other.url }).end(),
  }
  const simulator = await vendor({ hostileLinkRate: 0.5, hostileOrigin: other.url, eventsPerHour: 6_000 })
  const redirecting = await vendor({ redirectRate: 1, hostileOrigin: other.url })

  const asked = new Set<string>()
  const items: object[] = [
    connectorItem('acme.simulated', simulator.url, { requestsPerMinute: 6_000, initialBackfillMinutes: 60 }),
    connectorItem('acme.redirected', redirecting.url),
  ]
  const secrets: Record<string, string> = { 'tributary/acme/key': 'SimulatedKey+/="with-quotes-0123456789' }
  const hosts = [simulator.host, redirecting.host, other.host]
  for (const [name, echo] of Object.entries(echoes)) {
    const hostile = await server((request, response) => {
      asked.add(name)
      echo(authorizationOf(request), response, `http://${request.headers.host}`)
    })
    items.push(connectorItem(`acme.${name}`, hostile.url, { apiKeySecrets: [`tributary/acme/${name}`], requestsPerMinute: 6_000 }))
    secrets[`tributary/acme/${name}`] = `Key-of-${name}+/="${Buffer.from(name).toString('hex')}0123456789abcdef`
    hosts.push(hostile.host)
  }
  const dir = temporaryFolder()
  const dataDir = join(dir, 'data')
  const program = start([...ownConnectors(dir, items, secrets, hosts), '--data', dataDir])
  await program.says('connector-accepted')
  const published = readFileSync(join(dataDir, 'services.json'), 'utf8')
  await eventually(() => asked.size).toBe(Object.keys(echoes).length)
  await eventually(() => redirecting.model.account.totals().requests).toBeGreaterThan(0)
  await program.says(/simulated \S+ \d+ delivered/)
  program.signal('SIGINT', 'all')
  expect(await program.ended).toBe(0)

  const texts = new Map([
    ['stdout', program.out()],
    ['stderr', program.err()],
    ['services.json', published],
    ['the tables', await everyItem(dataDir)],
    ...everyFile(dataDir),
  ])
  expect(texts.size).toBeGreaterThan(6)
  const found = [...texts].flatMap(([where, text]) =>
    Object.values(secrets).flatMap((apiKey) => formsOf(apiKey).flatMap((form) => (text.includes(form) ? [`${form} in ${where}`] : []))),
  )
  expect(found).toEqual([])
  expect(program.out()).toContain('left out because it may hold a key')
  expect(atOtherOrigin.map(({ url, headers }) => [url, headers.authorization])).toEqual([])
})
