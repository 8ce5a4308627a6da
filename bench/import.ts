import { execFile } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
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
export const clients = [new DynamoDBClient({}), new EventBridgeClient({}), new FirehoseClient({}), new SecretsManagerClient({})]
export const commands = [
  DeleteItemCommand, GetItemCommand, PutItemCommand, QueryCommand, UpdateItemCommand, PutEventsCommand, PutRecordBatchCommand, GetSecretValueCommand,
]
`

/** `collect` reads these variables when it is loaded. */
const environment = {
  AWS_REGION: 'us-east-1',
  STATE_TABLE: 'state',
  DELIVERY_STREAM: 'lake',
  EVENT_BUS: 'bus',
}

export interface ImportCost {
  readonly subject: 'collect' | 'its SDK clients alone'
  readonly bytes: number
  /** The median over `rounds` new processes, alternating between the subjects (ms). */
  readonly importMs: number
  /** The largest packages of the bundle. */
  readonly packages: readonly { readonly name: string; readonly bytes: number }[]
}

/** Measures the code that a cold start of `collect` loads, and the SDK's part alone for comparison. */
export async function measureImport(): Promise<ImportCost[]> {
  const folder = await mkdtemp(join(tmpdir(), 'tributary-import-'))
  try {
    const subjects = [
      { subject: 'collect', entry: { file: 'functions/collect.ts' } },
      { subject: 'its SDK clients alone', entry: { text: sdkOnly } },
    ] as const
    const bundled = subjects.map(({ subject, entry }, i) => {
      const bundle = join(folder, String(i))
      return { subject, file: join(bundle, 'index.mjs'), samples: [] as number[], ...bundleFunction(entry, bundle) }
    })
    for (let round = 0; round < rounds; round += 1) {
      for (const { file, samples } of bundled) samples.push(await importMs(file))
    }
    return bundled.map(({ subject, bytes, inputs, samples }) => ({
      subject,
      bytes,
      importMs: median(samples),
      packages: packagesOf(inputs),
    }))
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

async function importMs(file: string): Promise<number> {
  const program = 'const from = performance.now(); await import(process.argv[1]); console.log(performance.now() - from); process.exit(0)'
  const { stdout } = await run(process.execPath, ['--input-type=module', '--eval', program, file], { env: environment })
  return Number(stdout)
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
