import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { findBrowser } from './browser.ts'

/** Tests the pages in Chromium. Installs it if this machine has none. */

function run(program: string, args: readonly string[]): boolean {
  return spawnSync(program, args, { stdio: ['ignore', 'inherit', 'inherit'] }).status === 0
}

/** The system's package needs root; the one of Playwright needs libraries that the system may lack. */
function install(): boolean {
  const isRoot = process.getuid?.() === 0
  const isDebian = existsSync('/usr/bin/apt-get')
  const ofSystem =
    isRoot &&
    isDebian &&
    run('apt-get', ['update', '-qq']) &&
    run('apt-get', ['install', '-y', '-qq', '--no-install-recommends', 'chromium'])
  return (
    ofSystem ||
    run(process.execPath, [join(import.meta.dirname, '../../node_modules/playwright-core/cli.js'), 'install', 'chromium-headless-shell'])
  )
}

const args = process.argv.slice(2)
if (findBrowser() === undefined && !install()) {
  process.stderr.write('There is no Chromium. Install it ("apt-get install chromium"), or name its program in CHROMIUM.\n')
  process.exitCode = 1
} else if (!args.includes('--install-only')) {
  const vitest = join(import.meta.dirname, '../../node_modules/vitest/vitest.mjs')
  process.exitCode = run(process.execPath, [vitest, 'run', '--config', join(import.meta.dirname, 'vitest.config.ts'), ...args]) ? 0 : 1
}
