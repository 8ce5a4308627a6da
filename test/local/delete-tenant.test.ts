import { join } from 'node:path'
import { Readable } from 'node:stream'
import { gunzipSync, gzipSync } from 'node:zlib'
import { DynamoDBClient, PutItemCommand, ScanCommand } from '@aws-sdk/client-dynamodb'
import { marshall } from '@aws-sdk/util-dynamodb'
import { describe, expect, it } from 'vitest'
import { stateTable } from '../../functions/adapters/state-table/state-table.ts'
import { minute } from '../../functions/domain/time.ts'
import { acceptConnector } from '../../functions/flows/accept-connector.ts'
import { retireConnector } from '../../functions/flows/retire-connector.ts'
import { connectorsTableName, startServices, stateTableName } from '../../local/services/services.ts'
import { type Deployment, deleteTenant as deleteFound, NotRetired } from '../../operator/delete-tenant.ts'
import type { Lake } from '../../operator/lake.ts'
import { tables } from '../../operator/tenant-state.ts'
import { policy, World } from '../../simulation/world.ts'
import { localServices, temporaryFolder } from '../local-services.ts'
import { connectorItem, everyFile, ownConnectors, run, summaryOf } from './program.ts'
import { vendor } from './vendors.ts'

const limits = { requestsPerMinute: 6_000 }
const keys = { 'tributary/acme/key': 'acme-key', 'tributary/globex/key': 'globex-key' }
const deleteCommand = (...args: string[]) => run(args, 'operator/main.ts')

/** Every line of the lake, with the line feed. */
function linesOf(dataDir: string): string[] {
  const objects = [...everyFile(join(dataDir, 'lake'))].map(([, content]) => content)
  return objects.flatMap((content) => content.match(/[^\n]+\n/g) ?? [])
}

async function itemsOf(client: DynamoDBClient, table: string): Promise<string[]> {
  const { Items = [] } = await client.send(new ScanCommand({ TableName: table }))
  return Items.map((item) => JSON.stringify(item))
}

async function itemsOfFolder(dataDir: string): Promise<string[]> {
  const services = await startServices({ dataDir })
  const client = new DynamoDBClient({ ...services.clientConfig, endpoint: services.addresses.dynamodb })
  try {
    return [...(await itemsOf(client, connectorsTableName)), ...(await itemsOf(client, stateTableName))]
  } finally {
    client.destroy()
    await services.close()
  }
}

describe('npm run delete-tenant', () => {
  it('leaves nothing of the tenant in the tables and the lake, and everything of the others as it was', async () => {
    const { url, host } = await vendor({
      keys: [
        { key: 'acme-key', customer: 'acme' },
        { key: 'globex-key', customer: 'globex' },
      ],
    })
    const dir = temporaryFolder()
    const data = join(dir, 'data')
    const globex = connectorItem('globex.cas', url, { ...limits, tenantName: 'globex', apiKeySecrets: ['tributary/globex/key'] })
    const both = [connectorItem('acme.cas', url, limits), globex]
    const start = (items: readonly object[]) => run([...ownConnectors(dir, items, keys, [host]), '--data', data, '--once', '--json'])
    expect((await start(both)).code).toBe(0)
    const before = linesOf(data)
    const ofGlobex = before.filter((line) => line.includes('globex.cas'))
    expect(before.length).toBeGreaterThan(ofGlobex.length)
    expect(ofGlobex.length).toBeGreaterThan(0)
    const stateOfGlobex = (await itemsOfFolder(data)).filter((item) => !item.includes('acme'))

    const { code, out, err } = await deleteCommand('acme', '--data', data, '--yes', '--json')
    expect(code, err).toBe(0)
    expect(JSON.parse(out)).toMatchObject({
      tenant: 'acme',
      connectors: 1,
      records: before.length - ofGlobex.length,
      failed: [],
      cameBack: [],
    })
    expect(err).toContain('This program cannot delete:')
    expect(linesOf(data).sort()).toEqual(ofGlobex.sort())
    const left = await itemsOfFolder(data)
    expect(left.filter((item) => item.includes('acme'))).toEqual([])
    // Only the limiter of the key that nobody uses any more is gone as well.
    expect(stateOfGlobex.filter((item) => !left.includes(item)).filter((item) => !item.includes('KEY#'))).toEqual([])
    expect(left.filter((item) => item.includes('globex.cas')).length).toBeGreaterThan(5)

    const next = await start([globex])
    expect(next.code).toBe(0)
    expect(summaryOf(next).connectors.map(({ connectorId, state }) => [connectorId, state])).toEqual([['globex.cas', 'ok']])
    expect((await itemsOfFolder(data)).filter((item) => item.includes('acme'))).toEqual([])
    const again = await deleteCommand('acme', '--data', data, '--yes', '--json')
    expect(JSON.parse(again.out)).toMatchObject({ connectors: 0, stateItems: 0, records: 0 })
  })

  it.each([
    [[], 'Give one tenant: lower-case letters'],
    [['Acme', '--data', 'x'], 'Give one tenant: lower-case letters'],
    [['acme', 'globex', '--data', 'x'], 'Give one tenant: lower-case letters'],
    [['acme'], 'Give either --stack NAME or --data DIR.'],
    [['acme', '--data', 'x', '--stack', 'y'], 'Give either --stack NAME or --data DIR.'],
    [['acme', '--data', '/nowhere/at/all'], '/nowhere/at/all is not a data folder.'],
    [['acme', '--dat', 'x'], "Unknown option '--dat'"],
    [['acme', '--stack', 'no-such-stack'], 'The stack no-such-stack cannot be read: Region is missing.'],
  ])('refuses %j with a sentence', async (args, sentence) => {
    const { code, out, err } = await deleteCommand(...args)
    expect([code, out]).toEqual([1, ''])
    expect(err).toContain(sentence)
    expect(err).not.toContain('    at ')
  })

  it('deletes nothing without --yes where nobody can be asked', async () => {
    const dataDir = temporaryFolder()
    await (await startServices({ dataDir })).close()
    const { code, err } = await deleteCommand('acme', '--data', dataDir)
    expect(code).toBe(1)
    expect(err).toContain('Nothing was deleted. Without a terminal, add --yes.')
  })
})

/** A deployment whose functions retire connectors `retiresAfterMs` after their items are gone, if at all. Time passes only by waiting. */
async function liveDeployment(objects: Map<string, Buffer>, retiresAfterMs: number | undefined) {
  const { addresses, clientConfig } = await localServices()
  const client = new DynamoDBClient({ ...clientConfig, endpoint: addresses.dynamodb })
  const world = new World({ ticking: false })
  const start = world.clock.now()
  let now = start
  const clock = {
    now: () => now,
    async sleepUntil(at: number) {
      now = Math.max(now, at)
      if (retiresAfterMs === undefined || now < start + retiresAfterMs) return
      const there = (await itemsOf(client, connectorsTableName)).join()
      for (const id of accepted) if (!there.includes(id)) await retireConnector(ports, id)
    },
  }
  const state = stateTable({ client, table: stateTableName, now: clock.now })
  const ports = { ...world.ports(0), clock, state, queue: { send: async () => {} } }
  const accepted: string[] = []
  const said: string[] = []
  const lake: Lake = {
    async *objects() {
      for (const [name, content] of objects) {
        yield {
          name,
          bytes: content.length,
          isFormer: name.startsWith('former'),
          read: async () => Readable.from([content]),
          replace: async (next) => void objects.set(name, next),
          remove: async () => void objects.delete(name),
        }
      }
    },
  }
  const deployment: Deployment = {
    tables: tables({ client, connectorsTable: connectorsTableName, stateTable: stateTableName, secretPrefix: 'tributary/', clock }),
    lake,
    clock,
    isLive: true,
    say: (text) => void said.push(text),
  }
  return {
    deployment,
    state,
    said,
    waitedMs: () => now - start,
    items: () => itemsOf(client, stateTableName),
    put: (item: object) => client.send(new PutItemCommand({ TableName: stateTableName, Item: marshall(item) })),
    async accept(item: ReturnType<typeof connectorItem>) {
      for (const name of item.apiKeySecrets) world.secrets.values.set(name, 'one-key-of-both')
      const full = { ...item, baseUrl: 'https://api.tmcas.trendmicro.com' }
      await client.send(new PutItemCommand({ TableName: connectorsTableName, Item: marshall(full) }))
      await acceptConnector(ports, policy, item.connectorId, full)
      accepted.push(item.connectorId)
    },
  }
}

const deleteTenant = async (deployment: Deployment, tenant: string) => deleteFound(deployment, tenant, await deployment.tables.find(tenant))
const record = (connectorId: string, more: object = {}) => `${JSON.stringify({ id: 'x', connector_id: connectorId, ...more })}\n`
const shared = (tenant: string, more = {}) =>
  connectorItem(`${tenant}.cas`, '', { tenantName: tenant, apiKeySecrets: [`tributary/${tenant}/key`], sharedKey: true, ...more })

describe('the deletion of a tenant of a running deployment', () => {
  it('waits until its connectors are retired, and then until no run and no buffer can have a record of it', async () => {
    const { deployment, accept, waitedMs, said } = await liveDeployment(new Map(), 30_000)
    await accept(shared('acme'))
    expect(await deleteTenant(deployment, 'acme')).toMatchObject({ connectors: 1, secretNames: ['tributary/acme/key'] })
    expect(waitedMs()).toBeGreaterThanOrEqual(30_000 + 8 * minute)
    expect(said.join('\n')).toMatch(/Waiting until \d\d:\d\d:\d\d UTC/)
  })

  it('deletes neither records nor state while the functions do not retire its connectors', async () => {
    const object = gzipSync(record('acme.cas', { tenant: 'acme' }))
    const objects = new Map([['one', object]])
    const { deployment, accept, items } = await liveDeployment(objects, undefined)
    await accept(shared('acme'))
    await expect(deleteTenant(deployment, 'acme')).rejects.toThrow(NotRetired)
    expect(objects.get('one')).toBe(object)
    expect((await items()).filter((item) => item.includes('acme')).length).toBeGreaterThan(3)
  })

  it('leaves a key that another tenant shares to that tenant, with its own limit', async () => {
    const { deployment, accept, state, items } = await liveDeployment(new Map(), 0)
    await accept(shared('acme', { requestsPerMinute: 3 }))
    await accept(shared('globex', { requestsPerMinute: 9 }))
    const [bucket] = (await deployment.tables.find('globex')).buckets
    await deleteTenant(deployment, 'acme')
    expect((await items()).filter((item) => item.includes('acme'))).toEqual([])
    expect((await state.keyUsers(bucket ?? '', deployment.clock.now())).map(({ connectorId }) => connectorId)).toEqual(['globex.cas'])
    expect(await state.readTokens(bucket ?? '')).toMatchObject({ limit: 9 })
  })

  it('finds the records of connectors whose ids name no tenant by the name of the tenant', async () => {
    const lines = [record('old', { tenant_name: 'Acme' }), record('old', { tenant_name: 'Other' }), record('Acme.x', { tenant: '~Acme' })]
    const objects = new Map([['one', gzipSync(lines.join(''))]])
    const { deployment } = await liveDeployment(objects, 0)
    expect(await deleteTenant(deployment, '~Acme')).toMatchObject({ records: 2, objects: 1 })
    expect(gunzipSync(objects.get('one') ?? '').toString()).toBe(lines[1])
  })

  it('keeps every other line byte by byte, also a broken one, in an object of several gzip members', async () => {
    const bad = Buffer.concat([Buffer.from('{"tenant":"acme" \xff', 'latin1'), Buffer.from('\n')])
    const others = [record('globex.cas', { tenant: 'globex', note: 'seen by acme' }), record('globex.cas', { tenant_name: 'acme' })]
    const object = Buffer.concat([
      gzipSync(record('acme.cas') + others[0]),
      gzipSync(bad),
      gzipSync(others[1] + record('acme.b', { tenant: 'acme' })),
    ])
    const objects = new Map([['one', object]])
    const { deployment } = await liveDeployment(objects, 0)
    expect(await deleteTenant(deployment, 'acme')).toMatchObject({ records: 2, failed: [{ object: 'one' }] })
    expect(gunzipSync(objects.get('one') ?? '')).toEqual(Buffer.concat([Buffer.from(others[0] ?? ''), bad, Buffer.from(others[1] ?? '')]))
  })

  it('removes an object that holds nothing else and a former version with a record of it, and tells which object it could not read', async () => {
    const own = gzipSync(record('acme.cas', { tenant: 'acme' }))
    const mixed = gzipSync(record('acme.cas', { tenant: 'acme' }) + record('globex.cas', { tenant: 'globex' }))
    const objects = new Map([
      ['own', own],
      ['former', mixed],
      ['former of others', gzipSync(record('globex.cas', { tenant: 'globex' }))],
      ['broken', Buffer.from('no gzip')],
    ])
    const { deployment } = await liveDeployment(objects, 0)
    const { failed } = await deleteTenant(deployment, 'acme')
    expect([...objects.keys()]).toEqual(['former of others', 'broken'])
    expect(failed).toEqual([{ object: 'broken', reason: 'incorrect header check' }])
  })

  it('leaves the binding of a secret that a connector of another tenant uses, wherever it lies', async () => {
    const { deployment, accept, state } = await liveDeployment(new Map(), 0)
    await accept(shared('acme'))
    await accept(shared('globex', { apiKeySecrets: ['tributary/globex/key'] }))
    const theirs = await state.readAccepted('globex.cas')
    if (theirs === undefined) throw new Error('It was not accepted')
    const apiKeySecrets = [{ secretName: 'tributary/acme/key' }]
    await state.writeAccepted({ ...theirs, connector: { ...theirs.connector, apiKeySecrets } }, theirs)
    expect(await deleteTenant(deployment, 'acme')).toMatchObject({ connectors: 1, secretNames: [] })
    expect(await state.readSecretOrigin('tributary/acme/key')).toBe('https://api.tmcas.trendmicro.com')
  })

  it('is not stopped by an item of another tenant that no release wrote', async () => {
    const { deployment, accept, put } = await liveDeployment(new Map(), 0)
    await accept(shared('acme'))
    await put({ pk: 'CONNECTOR#globex.cas', sk: 'STATUS', tenantName: 7, connector: 'x', claims: { a: 1 } })
    expect(await deleteTenant(deployment, 'acme')).toMatchObject({ connectors: 1, cameBack: [] })
  })

  it.each([
    ['a byte order mark', `\ufeff${record('acme.cas', { tenant: 'acme' })}`],
    ['escaped letters', record('acme.cas', { tenant: 'acme' }).replaceAll('acme', '\\u0061cme')],
    ['an empty tenant', record('acme.cas', { tenant: '' })],
    ['another tenant, but the id of its connector', record('acme.cas', { tenant: 'globex' })],
  ])('removes a record with %s', async (_, line) => {
    const objects = new Map([['one', gzipSync(line)]])
    const { deployment } = await liveDeployment(objects, 0)
    expect(await deleteTenant(deployment, 'acme')).toMatchObject({ records: 1, failed: [] })
    expect(objects.size).toBe(0)
  })

  it('says which object has a line that is no record and names the tenant, and leaves it', async () => {
    const torn = record('acme.cas', { tenant: 'acme' }).slice(0, -5)
    const glued = `${record('globex.cas', { tenant: 'globex' }).trim()}${record('acme.cas', { tenant: 'acme' })}`
    const objects = new Map([
      ['torn', gzipSync(torn)],
      ['glued', gzipSync(glued)],
      ['former torn', gzipSync(torn)],
      ['torn of others', gzipSync(record('globex.cas', { tenant: 'globex' }).slice(0, -5))],
    ])
    const { deployment } = await liveDeployment(objects, 0)
    const { failed } = await deleteTenant(deployment, 'acme')
    expect(failed.map(({ object }) => object).sort()).toEqual(['glued', 'torn'])
    expect([...objects.keys()]).toEqual(['torn', 'glued', 'torn of others'])
  })
})
