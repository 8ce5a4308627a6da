import { join } from 'node:path'
import { DynamoDBClient } from '@aws-sdk/client-dynamodb'
import { SQSClient } from '@aws-sdk/client-sqs'
import { expect, test } from 'vitest'
import { sqsQueue } from '../../functions/adapters/queue.ts'
import { stateTable } from '../../functions/adapters/state-table/state-table.ts'
import { connectServices, stateTableName } from '../../local/services/services.ts'
import { temporaryFolder } from '../local-services.ts'
import { connectorItem, deliveredIds, ownConnectors, start } from './program.ts'
import { vendor } from './vendors.ts'

const apiKey = 'acme-key'
const names = ['one', 'two', 'three', 'four', 'five', 'six']

/** Asks for runs of all connectors several times over: more than one process can take. */
async function flood(dataDir: string): Promise<void> {
  const services = await connectServices(dataDir)
  if (services === undefined) throw new Error('Nobody owns the folder')
  const { addresses, clientConfig } = services
  const client = new DynamoDBClient({ ...clientConfig, endpoint: addresses.dynamodb })
  const state = stateTable({ client, table: stateTableName, now: Date.now })
  const queue = sqsQueue({
    client: new SQSClient({ ...clientConfig, endpoint: new URL(addresses.queueUrl).origin }),
    queueUrl: addresses.queueUrl,
  })
  for (let round = 0; round < 4; round += 1) {
    for (const name of names) {
      await state.makeDue(name, Date.now(), Date.now())
      await queue.send(name, 0)
    }
  }
  client.destroy()
  await services.close()
}

test('three processes on one folder share the work, never send a 21st request in a minute, and the later processes end with the first', async () => {
  // Side by side, to save time.
  await Promise.all((['sliding', 'fixed'] as const).map(share))
})

async function share(window: 'sliding' | 'fixed'): Promise<void> {
  const { url, host, model } = await vendor({
    requestsPerMinute: 20,
    window,
    refusedCount: true,
    eventsPerHour: 600,
    delayMs: { min: 50, max: 900 },
  })
  const dir = temporaryFolder()
  const dataDir = join(dir, 'data')
  const items = names.map((name) => connectorItem(name, url, { initialBackfillMinutes: 60 }))
  const owner = start([...ownConnectors(dir, items, { 'tributary/acme': apiKey }, [host]), '--data', dataDir])
  await owner.says('connector-accepted')
  const guests = [start(['--data', dataDir]), start(['--data', dataDir])]
  for (const guest of guests) await guest.says(`Process ${owner.pid} owns ${dataDir}; this one shares its work.`)
  await flood(dataDir)
  // 24 streams want more than 20 requests.
  await expect.poll(() => model.account.totals().requests, { timeout: 15_000 }).toBeGreaterThanOrEqual(20)
  await flood(dataDir)
  for (const guest of guests) await guest.says(/run-ended|page-read|delivered/)

  owner.signal('SIGKILL', 'all')
  for (const guest of guests) {
    expect(await guest.ended).toBe(0)
    expect(`${guest.out()}${guest.err()}`).toContain(`The process that owns ${dataDir} has ended, so this one does too.`)
    expect(`${guest.out()}${guest.err()}`).not.toContain('    at ')
  }
  expect(model.account.maxRequestsInAnyMinute(apiKey)).toBe(20)
  expect(model.account.refused(apiKey)).toBe(0)
  const raw = await deliveredIds(dataDir, 'syslog_raw')
  expect(raw.length).toBeGreaterThan(0)
}

test('Ctrl-C on a later process ends only that process', async () => {
  const dataDir = temporaryFolder()
  const owner = start(['--data', dataDir])
  await owner.says('delivered')
  const guest = start(['--data', dataDir, '--json'])
  await guest.says('shares its work')
  guest.signal('SIGINT', 'all')
  expect(await guest.ended).toBe(0)
  expect(JSON.parse(guest.out())).toMatchObject({ connectors: [{}, {}, {}] })
  owner.signal('SIGINT', 'all')
  expect(await owner.ended).toBe(0)
})
