import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { DynamoDBClient, PutItemCommand } from '@aws-sdk/client-dynamodb'
import { SQSClient } from '@aws-sdk/client-sqs'
import { marshall } from '@aws-sdk/util-dynamodb'
import { expect, onTestFinished, test } from 'vitest'
import { sqsQueue } from '../../functions/adapters/queue.ts'
import { stateTable } from '../../functions/adapters/state-table/state-table.ts'
import { demonstrationConnectors } from '../../local/demonstration.ts'
import { connectorsTableName, connectServices, stateTableName } from '../../local/services/services.ts'
import { eventually } from '../eventually.ts'
import { temporaryFolder } from '../local-services.ts'
import { connectorItem, deliveredIds, ownConnectors, type Program, start } from './program.ts'
import { server, vendor } from './vendors.ts'

const apiKey = 'acme-key'
/** Six connectors of four streams each want more requests in their first minute than the vendor allows. */
const names = ['acme.one', 'acme.two', 'acme.three', 'acme.four', 'acme.five', 'acme.six']
/** The vendor allows a key this many in any 60 s (requests). */
const requestsPerMinute = 20

/** Connects to the services of the folder, as any process may. */
async function visitor(dataDir: string) {
  const services = await connectServices(dataDir)
  if (services === undefined) throw new Error('Nobody owns the folder')
  const { addresses, clientConfig } = services
  const client = new DynamoDBClient({ ...clientConfig, endpoint: addresses.dynamodb })
  const state = stateTable({ client, table: stateTableName, now: Date.now })
  const sqs = new SQSClient({ ...clientConfig, endpoint: new URL(addresses.queueUrl).origin })
  const queue = sqsQueue({ client: sqs, queueUrl: addresses.queueUrl })
  onTestFinished(async () => {
    client.destroy()
    sqs.destroy()
    await services.close()
  })
  return {
    put: (item: object) => client.send(new PutItemCommand({ TableName: connectorsTableName, Item: marshall(item) })),
    async askForRuns(connectorIds: readonly string[]): Promise<void> {
      for (const name of connectorIds) {
        await state.makeDue(name, Date.now(), Date.now())
        await queue.send(name, 0)
      }
    },
  }
}

/** Resolves when each program has read a page or ended a run. */
function haveWorked(programs: readonly Program[]): Promise<unknown> {
  return Promise.all(programs.map((program) => program.says(/ delivered |run-ended/)))
}

/** Asks for more runs until `done` resolves. A process takes ten at a time, so the other processes get the rest. */
async function askUntil(done: Promise<unknown>, ask: () => Promise<void>): Promise<void> {
  let isDone = false
  const end = () => {
    isDone = true
  }
  done.then(end, end)
  while (!isDone) {
    await ask()
    await Promise.race([done, wait(100)])
  }
  await done
}

test.each(['sliding', 'fixed'] as const)(
  'three processes on one folder share the work, the vendor with a %s window never sees a 21st request in a minute, and the later ones end with the first',
  async (window) => {
    const { url, host, model } = await vendor({
      requestsPerMinute,
      window,
      refusedCount: true,
      eventsPerHour: 60,
      delayMs: { min: 50, max: 900 },
    })
    const dir = temporaryFolder()
    const dataDir = join(dir, 'data')
    const owner = start([...ownConnectors(dir, [], { 'tributary/acme/key': apiKey }, [host]), '--data', dataDir])
    await owner.says('Collecting from 0 connectors')
    const guests = [start(['--data', dataDir]), start(['--data', dataDir])]
    await Promise.all(guests.map((guest) => guest.says(`Process ${owner.pid} owns ${dataDir}; this one shares its work.`)))

    // The connectors come last. Otherwise the first process has used up the minute before the other two begin.
    const { put, askForRuns } = await visitor(dataDir)
    for (const name of names) await put(connectorItem(name, url, { requestsPerMinute, initialBackfillMinutes: 60 }))
    const minuteIsUsedUp = eventually(() => model.account.totals().requests).toBeGreaterThanOrEqual(requestsPerMinute)
    await askUntil(Promise.all([haveWorked([owner, ...guests]), minuteIsUsedUp]), () => askForRuns(names))

    owner.signal('SIGKILL', 'all')
    for (const guest of guests) {
      expect(await guest.ended).toBe(0)
      expect(`${guest.out()}${guest.err()}`).toContain(`The process that owns ${dataDir} has ended, so this one does too.`)
      expect(`${guest.out()}${guest.err()}`).not.toContain('    at ')
    }
    expect(model.account.maxRequestsInAnyMinute(apiKey)).toBe(requestsPerMinute)
    expect(model.account.refused(apiKey)).toBe(0)
    const raw = await deliveredIds(dataDir, 'syslog_raw')
    expect(raw.length).toBeGreaterThan(0)
  },
)

test('Ctrl-C on a later process ends only that process', async () => {
  const dataDir = temporaryFolder()
  const owner = start(['--data', dataDir])
  await owner.says('delivered')
  const guest = start(['--data', dataDir, '--json'])
  await guest.says('shares its work')
  const { askForRuns } = await visitor(dataDir)
  await askUntil(haveWorked([guest]), () => askForRuns(demonstrationConnectors('').map(({ connectorId }) => String(connectorId))))
  guest.signal('SIGINT', 'all')
  expect(await guest.ended).toBe(0)
  expect(JSON.parse(guest.out())).toMatchObject({ connectors: [{}, {}, {}] })
  owner.signal('SIGINT', 'all')
  expect(await owner.ended).toBe(0)
})

test('a guest of --once whose owner is killed has not seen the end: it exits with 1, and says so as JSON too', async () => {
  const { url, host } = await server((_, response) => void setTimeout(() => response.end(), 60_000))
  const dir = temporaryFolder()
  const dataDir = join(dir, 'data')
  const owner = start([
    ...ownConnectors(dir, [connectorItem('acme.slow', url)], { 'tributary/acme/key': apiKey }, [host]),
    '--data',
    dataDir,
  ])
  await owner.says('connector-accepted')
  const guest = start(['--data', dataDir, '--once', '--json'])
  await guest.says('shares its work')
  await eventually(() => guest.err()).toContain('The lake is')
  owner.signal('SIGKILL', 'all')
  expect(await guest.ended).toBe(1)
  expect(guest.err()).toContain('has ended, so this one does too.')
  expect(JSON.parse(guest.out())).toMatchObject({ connectors: [{ connectorId: 'acme.slow' }] })
})
