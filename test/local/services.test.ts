import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, statSync, writeFileSync } from 'node:fs'
import { connect, createServer, type Socket } from 'node:net'
import { join } from 'node:path'
import { DynamoDBClient, GetItemCommand, ListTablesCommand, PutItemCommand } from '@aws-sdk/client-dynamodb'
import { describe, expect, it, onTestFinished } from 'vitest'
import { listen } from '../../local/services/listen.ts'
import { connectorsTableName, connectServices, startOrConnect, startServices } from '../../local/services/services.ts'
import { StartupError } from '../../local/services/startup-error.ts'
import { localServices, temporaryFolder } from '../local-services.ts'

const client = ({ addresses, clientConfig }: Awaited<ReturnType<typeof startServices>>) =>
  new DynamoDBClient({ ...clientConfig, endpoint: addresses.dynamodb })
const item = { connectorId: { S: 'acme' } }
const get = new GetItemCommand({ TableName: connectorsTableName, Key: item })

/** Starts a process that owns the folder until it is killed. */
async function otherOwner(dataDir: string) {
  const services = join(import.meta.dirname, '../../local/services/services.ts')
  const code = `const { startServices } = await import(${JSON.stringify(services)}); await startServices({ dataDir: ${JSON.stringify(dataDir)} }); console.log('ready')`
  const child = spawn(process.execPath, ['--input-type=module', '-e', code], { stdio: ['ignore', 'pipe', 'inherit'] })
  onTestFinished(() => void child.kill('SIGKILL'))
  await once(child.stdout, 'data')
  return child
}

describe('the services of a data folder', () => {
  it('have both tables from the start, and keep their items', async () => {
    const dataDir = temporaryFolder()
    const first = await startServices({ dataDir })
    expect((await client(first).send(new ListTablesCommand())).TableNames).toEqual(
      expect.arrayContaining(['tributary-connectors', 'tributary-state']),
    )
    await client(first).send(new PutItemCommand({ TableName: connectorsTableName, Item: item }))
    await first.close()
    const second = await localServices({ dataDir })
    expect((await client(second).send(get)).Item).toEqual(item)
  })

  it('begin with what the owner has to write before anything else, and never for a guest', async () => {
    const dataDir = temporaryFolder()
    const names: string[][] = []
    const begin = async () => void names.push(readdirSync(dataDir).filter((name) => !name.startsWith('owner.lock')))
    await localServices({ dataDir, begin })
    await (await startOrConnect({ dataDir, begin })).close()
    expect(names).toEqual([[]])
  })

  it('listen on this machine only', async () => {
    const { addresses } = await localServices()
    for (const address of Object.values(addresses)) expect(new URL(address).hostname).toBe('127.0.0.1')
  })

  it('are owned by the first process, and a later process connects to them', async () => {
    const owner = await localServices({ environment: { SECRET_PREFIX: 'tributary/' } })
    const guest = await startOrConnect({ dataDir: owner.dataDir })
    expect({ owner: owner.owner, guest: guest.owner }).toEqual({ owner: true, guest: false })
    expect(guest.environment).toEqual(owner.environment)
    expect(guest.environment['SECRET_PREFIX']).toBe('tributary/')
    await client(owner).send(new PutItemCommand({ TableName: connectorsTableName, Item: item }))
    expect((await client(guest).send(get)).Item).toEqual(item)
    await guest.close()
  })

  it('cannot be started a second time', async () => {
    const { dataDir } = await localServices()
    await expect(startServices({ dataDir })).rejects.toThrow(StartupError)
  })

  it('cannot be found when they have ended', async () => {
    const dataDir = temporaryFolder()
    await (await startServices({ dataDir })).close()
    expect(await connectServices(dataDir)).toBeUndefined()
  })

  it('notify a guest when their owner is killed, and belong to the next owner', async () => {
    const dataDir = temporaryFolder()
    const child = await otherOwner(dataDir)
    const guest = await startOrConnect({ dataDir })
    expect(guest.ownerPid).toBe(child.pid)
    child.kill('SIGKILL')
    await guest.gone
    const next = await startOrConnect({ dataDir })
    expect(next.owner).toBe(true)
    await next.close()
  })

  it('go to exactly one of several processes when their owner is killed', async () => {
    const dataDir = temporaryFolder()
    const child = await otherOwner(dataDir)
    child.kill('SIGKILL')
    const all = await Promise.all([1, 2, 3, 4].map(() => startOrConnect({ dataDir })))
    expect(all.filter(({ owner }) => owner)).toHaveLength(1)
    expect(new Set(all.map(({ addresses }) => addresses.dynamodb)).size).toBe(1)
    await Promise.all(all.map((each) => each.close()))
  })

  it.each([
    ['greets otherwise', (socket: Socket) => void socket.end('hello')],
    ['says nothing', () => undefined],
  ])('are not confused with another program that now uses their port and %s', async (_, greet) => {
    const { dataDir, addresses } = await localServices()
    const stranger = createServer(greet)
    onTestFinished(() => void stranger.close())
    const presencePort = await listen(stranger, 0, 'a test')
    writeFileSync(
      join(dataDir, 'services.json'),
      JSON.stringify({ pid: 1, owner: 'x', presencePort, accessKeyId: 'x', addresses, environment: {} }),
    )
    expect(await connectServices(dataDir)).toBeUndefined()
  })

  it('hide their access key from other users of the machine', async () => {
    const { dataDir } = await localServices()
    expect(statSync(join(dataDir, 'services.json')).mode & 0o077).toBe(0)
  })

  it('survive a client that is cut off in the middle of a request', async () => {
    const services = await localServices()
    for (const address of [services.addresses.dynamodb, services.addresses.firehose, services.addresses.queueUrl]) {
      const { port, host } = new URL(address)
      const socket = connect(Number(port), '127.0.0.1')
      await once(socket, 'connect')
      const headers = `POST / HTTP/1.1\r\nHost: ${host}\r\nContent-Type: application/x-amz-json-1.0\r\nAuthorization: AWS4-HMAC-SHA256 Credential=${services.clientConfig.credentials.accessKeyId}/\r\nContent-Length: 1000\r\n\r\n`
      await new Promise((sent) => socket.write(`${headers}{"half":`, sent))
      socket.resetAndDestroy()
    }
    await client(services).send(new PutItemCommand({ TableName: connectorsTableName, Item: item }))
    expect((await client(services).send(get)).Item).toEqual(item)
  })

  it('say in a sentence that another program uses a port, and do not keep the folder', async () => {
    const dataDir = temporaryFolder()
    const other = createServer()
    onTestFinished(() => void other.close())
    const port = await listen(other, 0, 'a test')
    for (const ports of [{ dynamodb: port }, { firehose: port }, { queue: port }]) {
      await expect(startServices({ dataDir, ports })).rejects.toThrow(new RegExp(`^Port ${port} for .* is used by another program\\. End`))
    }
    await (await startServices({ dataDir })).close()
  })

  it('say in a sentence that the folder cannot be written to', async () => {
    const file = join(temporaryFolder(), 'file')
    writeFileSync(file, '')
    await expect(startServices({ dataDir: join(file, 'data') })).rejects.toThrow(
      `Cannot write to ${join(file, 'data')}: a part of it is a file, not a folder. Name another folder with --data.`,
    )
    await expect(startServices({ dataDir: file })).rejects.toThrow(StartupError)
  })
})
