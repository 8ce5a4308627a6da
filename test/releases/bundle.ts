import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import * as z from 'zod'
import { Deployment } from './deployment.ts'
import { startDynamo } from './dynamo.ts'
import { historyVendor, liveThrough } from './history.ts'
import { exportedFrom, loadRelease, stateText } from './release.ts'

/**
 * Freezes a release for the tests of later ones. `npx node test/releases/bundle.ts COMMIT` makes `test/releases/VERSION/` with
 * the functions of that commit and a state table that they wrote. Run it before any name changes. Then add the version to
 * `frozen` in release.ts, and the parts that its state must hold to frozen-state.test.ts.
 */

const root = fileURLToPath(new URL('../..', import.meta.url))

function git(...args: string[]): Buffer {
  return execFileSync('git', ['-C', root, ...args], { maxBuffer: 2 ** 30 })
}

/** Not minified, so that a stack trace can be read. Packages from npm are left out. */
async function bundleFunctions(commit: string, version: string, outfile: string): Promise<void> {
  const source = mkdtempSync(join(tmpdir(), 'release-'))
  try {
    execFileSync('tar', ['-x', '-C', source], { input: git('archive', commit, 'functions') })
    const contents = Object.entries(exportedFrom).map(([name, path]) => `export { ${name} } from './${path}'\n`)
    await build({
      stdin: { contents: contents.join(''), resolveDir: source },
      absWorkingDir: source,
      outfile,
      bundle: true,
      packages: 'external',
      platform: 'node',
      format: 'esm',
      target: 'node24',
      charset: 'utf8',
      banner: {
        js: `// The functions of release ${version} that use the state table, for the tests of later releases. Do not edit.\n// Made by: npx node test/releases/bundle.ts ${commit}`,
      },
    })
  } finally {
    rmSync(source, { recursive: true })
  }
}

async function stateOf(version: string): Promise<string> {
  const deployment = await Deployment.open(startDynamo(), { vendor: historyVendor, clocksOffMs: [0] })
  await liveThrough(deployment, await loadRelease(version))
  return stateText(await deployment.stored())
}

const [given] = process.argv.slice(2)
if (given === undefined) {
  process.stderr.write('Name the commit of the release: npx node test/releases/bundle.ts COMMIT\n')
  process.exit(1)
}
const commit = git('rev-parse', '--verify', `${given}^{commit}`).toString().trim()
const { version } = z.object({ version: z.string() }).parse(JSON.parse(git('show', `${commit}:package.json`).toString()))
const folder = fileURLToPath(new URL(`./${version}/`, import.meta.url))
mkdirSync(folder, { recursive: true })
await bundleFunctions(commit, version, join(folder, 'functions.mjs'))
writeFileSync(join(folder, 'state.json'), await stateOf(version))
