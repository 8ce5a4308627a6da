import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { startServices } from '../../local/services/services.ts'
import { temporaryFolder } from '../local-services.ts'
import { tributary } from './tributary.ts'

async function folder(): Promise<string> {
  const dataDir = temporaryFolder()
  await (await startServices({ dataDir })).close()
  return dataDir
}

const file = `
defaults: { type: trendmicro-cas, name: "{tenant}-cas", baseUrl: https://api.tmcas.trendmicro.com, apiKeySecrets: ["tributary/{tenant}/cas"] }
connectors:
  - { connectorId: acme.cas, tenantName: Acme }
  - { connectorId: globex.cas, tenantName: Globex }
`

describe('the example of fifty tenants', () => {
  it('has no problem, is planned with exit code 2, and is there after apply', async () => {
    const data = ['--data', await folder()]
    const fifty = fileURLToPath(new URL('../../examples/connectors.yaml', import.meta.url))
    expect(await tributary(['validate', '-f', fifty])).toMatchObject({ code: 0, out: expect.stringContaining('50 connectors, no problem') })
    const planned = await tributary(['plan', '-f', fifty, '--prune', '--json', ...data])
    expect(planned.code).toBe(2)
    const { changes, budget } = JSON.parse(planned.out)
    expect(changes).toHaveLength(50)
    expect(budget.filter(({ isEnough }: { isEnough: boolean }) => !isEnough)).toEqual([])
    expect((await tributary(['apply', '-f', fifty, '--prune', '--yes', ...data])).code).toBe(0)
    expect(await tributary(['plan', '-f', fifty, '--prune', ...data])).toMatchObject({
      code: 0,
      out: expect.stringContaining('Nothing to change: 50 connectors as the file says.'),
    })
  })
})

describe('the command in a data folder', () => {
  it('makes the connectors equal to a file, and then finds nothing to change', async () => {
    const data = ['--data', await folder()]
    const path = join(temporaryFolder(), 'connectors.yaml')
    writeFileSync(path, file)
    expect((await tributary(['plan', '-f', path, ...data])).code).toBe(2)
    expect(await tributary(['apply', '-f', path, ...data])).toMatchObject({
      code: 0,
      // It names the place once.
      err: expect.stringMatching(/^Data folder (?!.*Data folder )/s),
    })
    expect(await tributary(['plan', '-f', path, ...data])).toMatchObject({ code: 0, out: expect.stringContaining('Nothing to change') })
    expect((await tributary(['pause', 'acme.cas', ...data])).code).toBe(0)
    const planned = await tributary(['plan', '-f', path, '--json', ...data])
    expect(planned.code).toBe(2)
    expect(JSON.parse(planned.out)).toMatchObject({
      version: 1,
      command: 'plan',
      changes: [{ action: 'edit', connectorId: 'acme.cas', changes: [{ attribute: 'enabled', before: false }] }],
    })
  })

  it('deletes without a terminal only with --yes', async () => {
    const data = ['--data', await folder()]
    const options = ['--type', 'trendmicro-cas', '--name', 'a', '--tenant', 'A', '--base-url', 'https://api.tmcas.trendmicro.com']
    expect((await tributary(['create', '--secret', 'tributary/acme/cas', 'acme.cas', ...options, ...data])).code).toBe(0)
    expect((await tributary(['create', 'acme.cas', '--secret', 'tributary/acme/other', ...options, ...data])).code).toBe(1)
    expect(await tributary(['delete', 'acme.cas', ...data])).toMatchObject({ code: 3, err: expect.stringContaining('add --yes') })
    expect((await tributary(['delete', 'acme.cas', '--yes', ...data])).code).toBe(0)
    expect((await tributary(['show', 'acme.cas', ...data])).code).toBe(1)
  })

  it('stores a key from stdin and never shows it', async () => {
    const data = ['--data', await folder()]
    const key = 'f0a1b2c3d4e5f60718293a4b5c6d7e8f'
    const stored = await tributary(['key', 'set', 'tributary/acme/cas', ...data], `${key}\n`)
    const listed = await tributary(['key', 'list', ...data])
    expect([stored.code, listed.code]).toEqual([0, 0])
    expect(listed.out).toContain('tributary/acme/cas')
    expect(JSON.stringify([stored, listed])).not.toContain(key)
    expect(await tributary(['key', 'set', key, ...data], key)).toMatchObject({ code: 3, err: expect.not.stringContaining(key) })
  })

  it.each<[string[], string]>([
    [['lst'], "Unknown command 'lst' (Did you mean list?)."],
    [['list', '--jsn'], "Unknown option '--jsn' (Did you mean --json?)."],
    [['validate', '-f', 'no-such.yaml'], 'no-such.yaml cannot be read: there is no such file.'],
    [['list', '--data', '.', '--stack', 'x'], '--data names a folder of this machine, and --stack a stack on AWS.'],
  ])('is refused with the next step: %j', async (args, words) => {
    const { code, err } = await tributary(args)
    expect(code).toBe(3)
    expect(err).toContain(words)
  })
})
