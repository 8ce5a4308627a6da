import { chmodSync, chownSync, globSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { FirehoseClient, PutRecordBatchCommand } from '@aws-sdk/client-firehose'
import { beforeAll, describe, expect, it, test } from 'vitest'
import { type Services, startServices } from '../../local/services/services.ts'
import { localServices, temporaryFolder } from '../local-services.ts'
import { childrenOf, connectorItem, ownConnectors, start } from './program.ts'
import { vendor } from './vendors.ts'

const operations = [
  ['dynamodb', 'DynamoDB_20120810.ListTables', {}],
  ['firehose', 'Tributary.Flush', {}],
  ['secretsManager', 'secretsmanager.GetSecretValue', { SecretId: 'tributary/acme/key' }],
  ['queueUrl', 'AmazonSQS.ListQueues', {}],
] as const

/** Calls an operation with these headers and returns the status and body. */
function call(
  address: string,
  target: string,
  input: object,
  headers: Readonly<Record<string, string>>,
): Promise<{ status: number; body: string }> {
  return new Promise((resolve, reject) => {
    const common = { 'content-type': 'application/x-amz-json-1.0', 'x-amz-target': target, 'x-amz-date': '20261124T120000Z' }
    const asking = request(address, { method: 'POST', headers: { ...common, ...headers } }, (response) => {
      let body = ''
      response.on('data', (chunk) => {
        body += chunk
      })
      response.on('end', () => resolve({ status: response.statusCode ?? 0, body }))
    })
    asking.on('error', reject)
    asking.end(JSON.stringify(input))
  })
}

describe.each(operations)('the local service %s', (name, target, input) => {
  let services: Services
  let right: string
  const signedBy = (id: string) => `AWS4-HMAC-SHA256 Credential=${id}/20261124/us-east-1/any/aws4_request, SignedHeaders=host, Signature=0`
  const ask = (headers: Readonly<Record<string, string>>) => call(services.addresses[name], target, input, headers)
  beforeAll(async () => {
    const dataDir = mkdtempSync(join(tmpdir(), 'tributary-'))
    services = await startServices({ dataDir, secrets: new Map([['tributary/acme/key', 'k3y-of-acme']]) })
    right = signedBy(services.clientConfig.credentials.accessKeyId)
    return async () => {
      await services.close()
      rmSync(dataDir, { recursive: true })
    }
  })

  it('responds to who knows the access key, also at localhost', async () => {
    expect(await ask({ authorization: right })).toMatchObject({ status: 200 })
    const { port } = new URL(services.addresses[name])
    expect(await ask({ authorization: right, host: `localhost:${port}` })).toMatchObject({ status: 200 })
  })

  it.each([
    ['without credentials', {}],
    ['with the credentials of another program', { authorization: signedBy('AKIDEXAMPLE') }],
    ['with empty credentials', { authorization: signedBy('') }],
  ])('refuses a request %s', async (_, headers) => {
    const { status, body } = await ask(headers)
    expect(status).toBe(400)
    expect(JSON.parse(body)).toMatchObject({ __type: 'UnrecognizedClientException' })
  })

  it.each([
    ['of a page in a browser', { origin: 'https://attacker.example' }],
    ['of a page on this machine', { origin: 'http://localhost:3000' }],
    ['to a name that was made to point here', { host: 'attacker.example' }],
    ['to such a name with the port', { host: 'attacker.example:4567' }],
  ])('refuses a request %s, even with the credentials', async (_, headers) => {
    const { status, body } = await ask({ authorization: right, ...headers })
    expect(status).toBe(403)
    expect(JSON.parse(body)).toMatchObject({ __type: 'AccessDeniedException' })
    expect(body).not.toContain('k3y-of-acme')
  })
})

test.each(['firehose', 'secretsManager'] as const)(
  'the process of others’ code, which knows the access key, cannot call %s: its address has a path that this process does not know',
  async (name) => {
    const services = await localServices({ secrets: new Map([['tributary/acme/key', 'k3y-of-acme']]) })
    const { origin, pathname } = new URL(services.addresses[name])
    const authorization = `AWS4-HMAC-SHA256 Credential=${services.clientConfig.credentials.accessKeyId}/20261124/us-east-1/any/aws4_request`
    for (const path of ['/', '/x/', `/${pathname.slice(2)}`, `//${pathname.slice(1)}`]) {
      const asked = await call(`${origin}${path}`, 'secretsmanager.GetSecretValue', { SecretId: 'tributary/acme/key' }, { authorization })
      expect(asked, path).toMatchObject({ status: 400, body: expect.stringContaining('UnrecognizedClientException') })
    }
  },
)

test('a body without a length is read up to its bound alone', async () => {
  const services = await localServices()
  const { accessKeyId } = services.clientConfig.credentials
  let sent = 0
  const body = new ReadableStream({
    pull(controller) {
      sent += 1
      if (sent > 1_000) controller.close()
      else controller.enqueue(new Uint8Array(1024 * 1024))
    },
  })
  const headers = { authorization: `AWS4-HMAC-SHA256 Credential=${accessKeyId}/`, 'x-amz-target': 'Tributary.Flush' }
  const response = await fetch(services.addresses.firehose, { method: 'POST', headers, body, duplex: 'half' } as RequestInit).catch(
    () => undefined,
  )
  expect(response?.status ?? 413).toBe(413)
  expect(sent).toBeLessThan(200)
})

/** Returns the modes of everything in a folder, and its own, that other users have a part in. */
function openToOthers(dataDir: string): string[] {
  const paths = ['.', ...globSync('**/*', { cwd: dataDir })]
  return paths.filter((path) => (statSync(join(dataDir, path)).mode & 0o077) !== 0)
}

describe('a data folder', () => {
  it('is private with all that is in it, even if an earlier release or its user made it readable', async () => {
    const dataDir = join(temporaryFolder(), 'data')
    const lake = join(dataDir, 'lake', 'syslog', 'dt=2026-11-24', 'hour=12')
    mkdirSync(lake, { recursive: true })
    mkdirSync(join(dataDir, 'firehose'))
    const files = [join(lake, 'syslog-1.json.gz'), join(dataDir, 'simulator-port'), join(dataDir, 'notifications.ndjson')]
    for (const file of files) writeFileSync(file, '')
    for (const path of [dataDir, ...globSync('**/*', { cwd: dataDir }).map((each) => join(dataDir, each))])
      chmodSync(path, statSync(path).isDirectory() ? 0o755 : 0o644)

    const services = await startServices({ dataDir })
    const firehose = new FirehoseClient({ ...services.clientConfig, endpoint: services.addresses.firehose })
    const Records = [{ Data: Buffer.from('{}\n') }]
    await firehose.send(new PutRecordBatchCommand({ DeliveryStreamName: 'any', Records }))
    const whileOpen = openToOthers(dataDir)
    await services.close()
    firehose.destroy()
    expect({ whileOpen, afterwards: openToOthers(dataDir) }).toEqual({ whileOpen: [], afterwards: [] })
    expect(globSync('lake/**/*.json.gz', { cwd: dataDir })).toHaveLength(2)
  })

  it('that is readable and holds what a killed start left is made private', async () => {
    const dataDir = temporaryFolder()
    for (const name of ['owner.lock-journal', 'services.json.4711.tmp']) {
      writeFileSync(join(dataDir, name), '')
      chmodSync(join(dataDir, name), 0o644)
    }
    chmodSync(dataDir, 0o755)
    const services = await startServices({ dataDir })
    expect(openToOthers(dataDir)).toEqual([])
    await services.close()
  })

  it('that is readable and holds files of other programs is refused, and no mode is changed', async () => {
    const dataDir = temporaryFolder()
    writeFileSync(join(dataDir, 'thesis.doc'), '')
    chmodSync(join(dataDir, 'thesis.doc'), 0o644)
    chmodSync(dataDir, 0o755)
    await expect(startServices({ dataDir })).rejects.toThrow(
      `${dataDir} can be read by other users (mode 755) and holds more than the data of Tributary (thesis.doc). Name a folder of its own with --data.`,
    )
    expect(openToOthers(dataDir)).toEqual(['.', 'thesis.doc'])
  })

  it('of another user is refused', async () => {
    const mine = temporaryFolder()
    const isRoot = process.getuid?.() === 0
    if (isRoot) chownSync(mine, 12_345, 12_345)
    const dataDir = isRoot ? mine : '/'
    await expect(startServices({ dataDir })).rejects.toThrow(
      / belongs to another user \(uid \d+\)\. Name a folder of your own with --data\./,
    )
  })
})

test('the process of DynamoDB and the queue has no environment, and no key is in its command', async () => {
  const { url, host } = await vendor()
  const dir = temporaryFolder()
  const args = ownConnectors(dir, [connectorItem('acme.mine', url)], { 'tributary/acme/key': 'k3y-of-acme' }, [host])
  const program = start([...args, '--data', join(dir, 'data')], undefined, { MY_PASSWORD: 'pa55word' })
  await program.says('delivered')
  const [thirdParty] = childrenOf(program.pid).filter(({ command }) => command.includes('third-party'))
  const environment = readFileSync(`/proc/${thirdParty?.pid}/environ`, 'utf8').split('\0')
  expect(environment.map((variable) => variable.split('=')[0]).filter((name) => !name?.startsWith('NODE_CHANNEL'))).toEqual([''])
  expect(thirdParty?.command).not.toMatch(/k3y|pa55word/)
})
