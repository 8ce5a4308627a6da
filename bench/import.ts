import { execFile } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { build, type Metafile } from 'esbuild'
import { bundle, standIns } from '../lib/functions/bundle.ts'

const run = promisify(execFile)
const root = new URL('..', import.meta.url).pathname
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
  NODE_OPTIONS: '--enable-source-maps',
}

export interface ImportCost {
  readonly subject: 'collect' | 'its SDK clients alone'
  readonly bytes: number
  /** The median over `rounds` new processes, alternating between the subjects (ms). */
  readonly importMs: number
  /** The largest packages of the bundle. */
  readonly packages: readonly { readonly name: string; readonly bytes: number }[]
}

/** Bundles `entry`, a file or a text, as the stack bundles a function. Returns its size (bytes) and its inputs. */
export async function bundleFunction(
  entry: { readonly file: string } | { readonly text: string },
  outfile?: string,
): Promise<{ readonly bytes: number; readonly inputs: Metafile['outputs'][string]['inputs'] }> {
  const { banner, externalModules, sourceMap, ...options } = bundle
  const { metafile } = await build({
    ...options,
    ...('file' in entry
      ? { entryPoints: [join(root, entry.file)] }
      : { stdin: { contents: entry.text, resolveDir: root, sourcefile: 'entry.ts', loader: 'ts' } }),
    bundle: true,
    platform: 'node',
    format: 'esm',
    external: externalModules,
    alias: standIns,
    banner: { js: banner },
    sourcemap: sourceMap,
    outfile: outfile ?? join(root, 'bundle.mjs'),
    write: outfile !== undefined,
    absWorkingDir: root,
    metafile: true,
    logLevel: 'error',
  })
  const [, output] = Object.entries(metafile.outputs).find(([name]) => name.endsWith('.mjs')) ?? []
  if (output === undefined) throw new Error('esbuild has written no bundle.')
  return { bytes: output.bytes, inputs: output.inputs }
}

/** Measures the code that a cold start of `collect` loads, and the SDK's part alone for comparison. */
export async function measureImport(): Promise<ImportCost[]> {
  const folder = await mkdtemp(join(tmpdir(), 'tributary-import-'))
  try {
    const subjects = [
      { subject: 'collect', entry: { file: 'functions/collect.ts' } },
      { subject: 'its SDK clients alone', entry: { text: sdkOnly } },
    ] as const
    const bundled = await Promise.all(
      subjects.map(async ({ subject, entry }, i) => {
        const file = join(folder, `${i}.mjs`)
        return { subject, file, samples: [] as number[], ...(await bundleFunction(entry, file)) }
      }),
    )
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

function packagesOf(inputs: Metafile['outputs'][string]['inputs']): ImportCost['packages'] {
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
