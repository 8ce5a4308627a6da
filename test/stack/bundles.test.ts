import { execFile } from 'node:child_process'
import { cpSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { beforeAll, describe, expect, it } from 'vitest'
import { quietly, readable, stackWith } from './stack.ts'

const run = promisify(execFile)

/** The folder of the bundle of each function, and the environment that the template gives it. */
const functions = new Map<string, { readonly folder: string; readonly variables: Readonly<Record<string, string>> }>()

beforeAll(() => {
  const { app } = stackWith({}, { bundled: true })
  const { directory, stacks } = quietly(() => app.synth())
  const resources: Readonly<
    Record<string, { readonly Type: string; readonly Properties: never; readonly Metadata: Readonly<Record<string, string>> }>
  > = stacks[0]?.template.Resources
  for (const { Type, Properties, Metadata } of Object.values(resources)) {
    if (Type !== 'AWS::Lambda::Function') continue
    const { FunctionName, Environment } = readable(Properties) as {
      readonly FunctionName: string
      readonly Environment: { readonly Variables: Readonly<Record<string, string>> }
    }
    const folder = mkdtempSync(join(tmpdir(), 'bundle-'))
    // Away from node_modules, so that a module missing from the bundle is not found.
    cpSync(join(directory, String(Metadata['aws:asset:path'])), folder, { recursive: true })
    functions.set(FunctionName, { folder, variables: Environment.Variables })
  }
})

/** Node loads a larger bundle noticeably slower at a cold start. Packages that are loaded on demand do not count. */
const bundleBytesMax = 470_000
/** It has the clients of all services, and people wait for it, not a queue. */
const operateBytesMax = 670_000

const names = ['tributary-collect', 'tributary-connector-changed', 'tributary-dispatch', 'tributary-operate', 'tributary-status-widget']

describe('the bundles', () => {
  it.each(names)('the bundle of %s starts by itself with the environment of the template', async (name) => {
    const { folder, variables } = functions.get(name)!
    const env = { ...variables, ...('QUEUE_URL' in variables ? { QUEUE_URL: 'https://sqs.eu-west-1.amazonaws.com/1/work' } : {}) }
    const start = "import('./index.mjs').then(({ handler }) => process.stdout.write(typeof handler))"
    const { stdout, stderr } = await run(process.execPath, ['-e', start], { cwd: folder, env: { ...env, AWS_REGION: 'eu-west-1' } })
    expect({ stdout, stderr }).toEqual({ stdout: 'function', stderr: '' })
  })

  it.each(names)('the bundle of %s is small enough for a fast cold start', (name) => {
    expect(statSync(join(functions.get(name)!.folder, 'index.mjs')).size).toBeLessThanOrEqual(
      name === 'tributary-operate' ? operateBytesMax : bundleBytesMax,
    )
  })

  it.each(names)('the bundle of %s imports no module of Node of which an import loads others', (name) => {
    const code = readFileSync(join(functions.get(name)!.folder, 'index.mjs'), 'utf8')
    expect(code.match(/from ?"node:(http|process)"/g) ?? []).toEqual([])
  })

  it('collect reads the regular expressions of filters only on demand', async () => {
    const { folder } = functions.get('tributary-collect')!
    expect(readFileSync(join(folder, 'index.mjs'), 'utf8')).toContain('import("./re2js.mjs")')
    const test = "import('./re2js.mjs').then(({ RE2JS }) => process.stdout.write(String(RE2JS.compile('^lo').matcher('low').find())))"
    expect((await run(process.execPath, ['-e', test], { cwd: folder })).stdout).toBe('true')
  })

  it('the stack trace of a function that fails names the source files', async () => {
    const { folder, variables } = functions.get('tributary-collect')!
    const call = "import('./index.mjs').then(({ handler }) => handler({ Records: [{ body: '{' }] }, { getRemainingTimeInMillis: () => 1 }))"
    const stack = await stackOf(call, folder, { ...variables, AWS_REGION: 'eu-west-1' })
    expect(stack).toMatch(/SyntaxError: [^\n]+\n {4}at JSON\.parse[^\n]+\n {4}at \w+ \(\S*functions\/collect\.ts:\d+:\d+\)\n/)
  })

  it('the stack trace of a function that cannot start names the source files', async () => {
    const stack = await stackOf("import('./index.mjs')", functions.get('tributary-dispatch')!.folder)
    expect(stack).toMatch(/environment is wrong[^\n]+\n {4}at parseEnvironment \(\S*functions\/env\.ts:\d+/)
  })

  it('a stack trace says where the bundle failed if its source map is missing', async () => {
    const { folder } = functions.get('tributary-status-widget')!
    rmSync(join(folder, 'index.mjs.map'))
    expect(await stackOf("import('./index.mjs')", folder)).toMatch(/environment is wrong[^\n]+\n {4}at [^\n]*index\.mjs:\d+/)
  })
})

/** The stack trace of the error with which `call` rejects, in a process of its own. */
async function stackOf(call: string, folder: string, env: NodeJS.ProcessEnv = {}): Promise<string> {
  const { stdout } = await run(process.execPath, ['-e', `${call}.catch(({ stack }) => process.stdout.write(stack))`], { cwd: folder, env })
  return stdout
}
