import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { type Bundle, bundleFunction } from '../lib/functions/bundle.ts'

const run = promisify(execFile)
const rounds = 21

/** Contains only the SDK clients that `collect` makes and the commands that it sends. */
const sdkOnly = `
import { DeleteItemCommand, DynamoDBClient, GetItemCommand, PutItemCommand, QueryCommand, UpdateItemCommand } from '@aws-sdk/client-dynamodb'
import { EventBridgeClient, PutEventsCommand } from '@aws-sdk/client-eventbridge'
import { FirehoseClient, PutRecordBatchCommand } from '@aws-sdk/client-firehose'
import { GetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager'
const dynamodb = new DynamoDBClient({})
export const clients = [dynamodb, new EventBridgeClient({}), new FirehoseClient({}), new SecretsManagerClient({})]
export const commands = [
  DeleteItemCommand, GetItemCommand, PutItemCommand, QueryCommand, UpdateItemCommand, PutEventsCommand, PutRecordBatchCommand, GetSecretValueCommand,
]
export const handler = () =>
  dynamodb.send(new QueryCommand({ TableName: 'state', KeyConditionExpression: 'pk = :pk', ExpressionAttributeValues: { ':pk': { S: 'acme.cold' } } }))
`

/** `collect` reads these variables when it is loaded. */
const environment = {
  AWS_REGION: 'us-east-1',
  STATE_TABLE: 'state',
  DELIVERY_STREAM: 'lake',
  EVENT_BUS: 'bus',
  AWS_ACCESS_KEY_ID: 'bench',
  AWS_SECRET_ACCESS_KEY: 'bench',
}

/** Runs a connector that does not exist, so the call ends with the answer of DynamoDB. Writes the figures of `Sample` without the wait for it. */
const program = `
const [file, connectorId] = process.argv.slice(1)
const from = performance.now()
const cpuMs = () => { const { user, system } = process.cpuUsage(); return (user + system) / 1000 }
const cpuFrom = cpuMs()
const { handler } = await import(file)
const importMs = performance.now() - from
const importCpuMs = cpuMs() - cpuFrom
const message = { body: JSON.stringify({ connectorId }), attributes: { ApproximateReceiveCount: '1' } }
await handler({ Records: [message] }, { getRemainingTimeInMillis: () => 60_000 })
console.log(JSON.stringify({ importMs, importCpuMs, firstCallCpuMs: cpuMs() - cpuFrom }))
process.exit(0)
`

interface Sample {
  readonly importMs: number
  /** CPU time of all threads (ms). */
  readonly importCpuMs: number
  /** The import and the first call of DynamoDB: CPU time of all threads (ms). */
  readonly firstCallCpuMs: number
}

/** Each figure is the median over `rounds` new processes, which alternate between the subjects. */
export interface ImportCost extends Sample {
  readonly subject: 'collect' | 'its SDK clients alone'
  readonly bytes: number
  /** The largest packages of the bundle. */
  readonly packages: readonly { readonly name: string; readonly bytes: number }[]
}

/** Measures the code that a cold start of `collect` loads, and the SDK's part alone for comparison. */
export async function measureImport(): Promise<ImportCost[]> {
  const folder = await mkdtemp(join(tmpdir(), 'tributary-import-'))
  const dynamodb = createServer((request, response) => request.resume().once('end', () => response.end('{"Items":[],"Count":0}')))
  try {
    const address = await listening(dynamodb)
    const subjects = [
      { subject: 'collect', entry: { file: 'functions/collect.ts' } },
      { subject: 'its SDK clients alone', entry: { text: sdkOnly } },
    ] as const
    const bundled = subjects.map(({ subject, entry }, i) => {
      const bundle = join(folder, String(i))
      return { subject, file: join(bundle, 'index.mjs'), samples: [] as Sample[], ...bundleFunction(entry, bundle) }
    })
    for (let round = 0; round < rounds; round += 1) {
      for (const { file, samples } of bundled) samples.push(await takeSample(file, address))
    }
    return bundled.map(({ subject, bytes, inputs, samples }) => ({
      subject,
      bytes,
      importMs: median(samples.map(({ importMs }) => importMs)),
      importCpuMs: median(samples.map(({ importCpuMs }) => importCpuMs)),
      firstCallCpuMs: median(samples.map(({ firstCallCpuMs }) => firstCallCpuMs)),
      packages: packagesOf(inputs),
    }))
  } finally {
    dynamodb.close()
    await rm(folder, { recursive: true, force: true })
  }
}

async function listening(server: Server): Promise<string> {
  await once(server.listen(0, '127.0.0.1'), 'listening')
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

async function takeSample(file: string, dynamodb: string): Promise<Sample> {
  const { stdout } = await run(process.execPath, ['--input-type=module', '--eval', program, file, 'acme.cold'], {
    env: { ...environment, AWS_ENDPOINT_URL_DYNAMODB: dynamodb },
  })
  return JSON.parse(stdout)
}

function packagesOf(inputs: Bundle['inputs']): ImportCost['packages'] {
  const bytes = new Map<string, number>()
  for (const [path, { bytesInOutput }] of Object.entries(inputs)) {
    const name = /.*node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(path)?.[1] ?? 'our own code'
    bytes.set(name, (bytes.get(name) ?? 0) + bytesInOutput)
  }
  return [...bytes]
    .map(([name, size]) => ({ name, bytes: size }))
    .sort((a, b) => b.bytes - a.bytes)
    .slice(0, 12)
}

function median(samples: readonly number[]): number {
  const sorted = [...samples].sort((a, b) => a - b)
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN
}
