import { spawnSync } from 'node:child_process'
import { rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { delimiter, dirname, join } from 'node:path'
import { listen } from '../../local/services/listen.ts'
import { assemblyDir, judgesDir, projectDir, settingsFile } from './folders.ts'
import { installJudges, Missing } from './install.ts'

/** The truth check: programs that others wrote judge the synthesised stack. */

const startedAt = performance.now()

function print(line: string): void {
  const seconds = ((performance.now() - startedAt) / 1_000).toFixed(1)
  process.stdout.write(`[${seconds.padStart(5)} s] ${line}\n`)
}

/** Runs Node. Throws `Missing` with this message if it fails. */
function node(args: readonly string[], failure: string): void {
  // The CDK runs the app with the first Node of the PATH.
  const PATH = [dirname(process.execPath), process.env['PATH']].join(delimiter)
  const { status } = spawnSync(process.execPath, args, {
    cwd: projectDir,
    stdio: ['ignore', 'inherit', 'inherit'],
    env: { ...process.env, PATH },
  })
  if (status !== 0) throw new Missing(`${failure}. The reason is above.`)
}

/** Synthesises a customer's stack, with one difference: its connectors may read from the simulator, on a port that is free now. */
async function synthesise(): Promise<void> {
  const server = createServer()
  const port = await listen(server, 0, 'the simulator')
  server.close()
  writeFileSync(settingsFile, JSON.stringify({ alarmEmails: ['operator@example.com'], allowedHosts: [`127.0.0.1:${port}`] }))
  rmSync(assemblyDir, { recursive: true, force: true })
  const cdk = join(projectDir, 'node_modules/aws-cdk/bin/cdk')
  node([cdk, 'synth', '--quiet', '--output', assemblyDir, '--context', `settings=${settingsFile}`], 'The stack cannot be synthesised')
}

try {
  installJudges(print)
  print('Synthesising the stack into .judges/cdk.out')
  await synthesise()
  print('Running and judging the stack')
  const vitest = join(projectDir, 'node_modules/vitest/vitest.mjs')
  node(
    [vitest, 'run', '--config', join(import.meta.dirname, 'vitest.config.ts'), ...process.argv.slice(2)],
    'The stack has failed the check',
  )
  print(`Done. The judges stay installed in ${judgesDir}`)
} catch (error) {
  if (!(error instanceof Missing)) throw error
  print(error.message)
  process.exitCode = 1
}
