import { spawnSync } from 'node:child_process'
import { rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { delimiter, dirname, join } from 'node:path'
import { listen } from '../../local/services/listen.ts'
import { assemblyDir, fullAssemblyDir, judgesDir, projectDir, settingsOf } from './folders.ts'
import { installJudges, Missing } from './install.ts'
import { account, region } from './template.ts'

/** The truth check: programs that others wrote judge the synthesised stack. */

const startedAt = performance.now()

function say(line: string): void {
  const seconds = ((performance.now() - startedAt) / 1_000).toFixed(1)
  process.stdout.write(`[${seconds.padStart(5)} s] ${line}\n`)
}

/** Runs a program on Node. Throws `Missing` if it fails. */
function node(args: readonly string[], what: string): void {
  // The CDK calls the app with the first node in PATH.
  const PATH = [dirname(process.execPath), process.env['PATH']].join(delimiter)
  const { status } = spawnSync(process.execPath, args, {
    cwd: projectDir,
    stdio: ['ignore', 'inherit', 'inherit'],
    env: { ...process.env, PATH },
  })
  if (status !== 0) throw new Missing(`${what}. See the output above.`)
}

/** Synthesises a stack with these settings. */
function synthesise(folder: string, settings: object): void {
  const settingsFile = settingsOf(folder)
  writeFileSync(settingsFile, JSON.stringify(settings))
  rmSync(folder, { recursive: true, force: true })
  const cdk = join(projectDir, 'node_modules/aws-cdk/bin/cdk')
  node([cdk, 'synth', '--quiet', '--output', folder, '--context', `settings=${settingsFile}`], 'The stack cannot be synthesised')
}

/** The settings of a customer, except that connectors may read from the simulator, on a free port. */
async function usualSettings(): Promise<object> {
  const server = createServer()
  const port = await listen(server, 0, 'the simulator')
  server.close()
  return { alarmEmails: ['operator@example.com'], tenantsWithOperators: ['acme', 'globex'], allowedHosts: [`127.0.0.1:${port}`] }
}

/** Every setting that adds something to the template, but for a topic of one's own, which would take something away. */
const fullSettings = {
  kmsKeyArn: `arn:aws:kms:${region}:${account}:key/0f0f0f0f-1111-2222-3333-444455556666`,
  vpc: { subnetIds: ['subnet-0123456789abcdef0', 'subnet-0123456789abcdef1'], securityGroupIds: ['sg-0123456789abcdef0'] },
  accessLogBucket: 'logs-of-acme',
  reservedConcurrency: 20,
  httpsProxy: 'http://proxy.example.com:3128',
  tenantsWithOperators: ['acme', 'north-2'],
}

/** Judges the stack. The arguments choose test files, as those of Vitest do. */
async function judge(args: readonly string[]): Promise<void> {
  say('Synthesising the stack into .judges/cdk.out and, with every setting, into .judges/cdk.full.out')
  const settings = await usualSettings()
  synthesise(assemblyDir, settings)
  synthesise(fullAssemblyDir, { ...settings, ...fullSettings })
  say('Running and judging it')
  const vitest = join(projectDir, 'node_modules/vitest/vitest.mjs')
  node([vitest, 'run', '--config', join(import.meta.dirname, 'vitest.config.ts'), ...args], 'The check of the stack failed')
}

try {
  const args = process.argv.slice(2)
  installJudges(say)
  if (!args.includes('--install-only')) await judge(args)
  say(`Done; what was installed stays in ${judgesDir}`)
} catch (error) {
  if (!(error instanceof Missing)) throw error
  say(error.message)
  process.exitCode = 1
}
