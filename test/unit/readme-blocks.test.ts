import { execFileSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it, onTestFinished } from 'vitest'
import { plainItem } from '../../functions/adapters/connectors-table.ts'
import { parseConnector } from '../../functions/domain/connector/connector-schema.ts'
import { vendors } from '../../functions/vendors/index.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
const policy = { vendors, secretPrefix: 'tributary/', allowedHosts: [], tlsVerificationOptional: false }
const baseUrl = 'https://api-eu.tmcas.trendmicro.com'

/** The blocks of one way of the README, in their order. */
function blocksOf(way: string): readonly string[] {
  const [, part = ''] =
    new RegExp(`<!-- paste: ${way} -->(.*?)<!-- /paste -->`, 's').exec(readFileSync(join(root, 'README.md'), 'utf8')) ?? []
  return [...part.matchAll(/^ +```\n(.*?)^ +```$/gms)].map(([, block = '']) => block.replaceAll(/^ +/gm, ''))
}

/**
 * Pastes the blocks into one bash, as a person does: each question gets the next answer, and a block that fails keeps nothing from the next
 * one. aws, npm and npx are recorders. Returns the folder and what they were called with.
 */
function paste(way: string, answers: readonly string[]) {
  const dir = mkdtempSync(join(tmpdir(), 'tributary-readme-'))
  onTestFinished(() => rmSync(dir, { recursive: true }))
  for (const name of ['examples', 'settings.example.json']) symlinkSync(join(root, name), join(dir, name))
  let left = answers
  const script = blocksOf(way).map((block) => {
    if (!/\bread\b/.test(block)) return block
    const [answer = ''] = left
    left = left.slice(1)
    return `exec 3< <(printf '%s\\n' '${answer}')\n${block.replace(/read -r(s?)/, 'read -r$1 -u 3')}`
  })
  const recorder = (name: string, says: string) =>
    `${name}() { local input=''; case "$*" in *stdin*) input=$(cat);; esac; printf '%s %s <%s>\\n' ${name} "$*" "$input" >> calls; ${says}; }`
  const stubs = [recorder('aws', 'echo connectors-table'), recorder('npm', 'true'), recorder('npx', 'true')].join('\n')
  // Interactive, so that an unset variable ends its block only.
  execFileSync('bash', ['--norc', '-i'], {
    cwd: dir,
    input: `${stubs}\n${script.join('\n')}\nexit 0\n`,
    stdio: ['pipe', 'ignore', 'ignore'],
    env: { PATH: process.env['PATH'] },
  })
  const file = (name: string) => (existsSync(join(dir, name)) ? readFileSync(join(dir, name), 'utf8') : '')
  return { dir, file, calls: file('calls') }
}

describe('the blocks of the README', () => {
  it('make the files for one machine from the answers', () => {
    const { dir, file } = paste('one-machine', ['contoso', baseUrl, 'the-token'])
    expect(JSON.parse(file('secrets.json'))).toEqual({ 'tributary/contoso/cas': 'the-token' })
    expect(statSync(join(dir, 'secrets.json')).mode & 0o777).toBe(0o600)
    const [item] = JSON.parse(file('connectors.json'))
    expect(parseConnector(item, policy)).toMatchObject({
      ok: true,
      connector: { connectorId: 'contoso.cas', tenantName: 'contoso', baseUrl },
    })
    expect(file('connectors.json')).not.toMatch(/acme/i)
  })

  it('make the settings, the secret and the connector on AWS from the answers', () => {
    const { file, calls } = paste('aws', ['ops@contoso.com', 'contoso', 'the-token', baseUrl])
    expect(JSON.parse(file('settings.json'))).toMatchObject({ alarmEmails: ['ops@contoso.com'] })
    expect(calls).toContain('npx cdk deploy')
    expect(calls).toContain('create-secret --name tributary/contoso/cas --secret-string file:///dev/stdin <the-token>')
    expect(calls).toContain('dynamodb put-item --table-name connectors-table --item file://connector.json')
    const parsed = parseConnector(plainItem(JSON.parse(file('connector.json'))), policy)
    expect(parsed).toMatchObject({ ok: true, connector: { connectorId: 'contoso.cas', baseUrl } })
  })

  it.each(['one-machine', 'aws'])('store nothing if no question is answered: %s', (way) => {
    const { file, calls } = paste(way, [])
    for (const name of ['secrets.json', 'connectors.json', 'connector.json', 'settings.json']) expect(file(name)).toBe('')
    expect(calls).not.toMatch(/create-secret|put-item|deploy/)
  })
})
