import { PassThrough } from 'node:stream'
import { describe, expect, it } from 'vitest'
import { deleteConnectors } from '../../cli/commands/changes.ts'
import { create } from '../../cli/commands/edits.ts'
import { keySet } from '../../cli/commands/keys.ts'
import { questionsOn } from '../../cli/places/node-terminal.ts'
import { eventually } from '../eventually.ts'
import { openTerminal } from '../local/terminal.ts'
import { fleet, openSession } from './session.ts'

const enter = '\r'
const up = '\u001b[A'
const key = 'f0a1b2c3d4e5f60718293a4b5c6d7e8f'

/** A person at a terminal, who types when a question is on the screen. */
async function atTerminal(given: Parameters<typeof openSession>[0] = {}) {
  const { out, screen, raw } = openTerminal(300, 40)
  // A question ends the stream that it wrote to, and stderr is one that never ends.
  Object.assign(out, { end: () => out })
  const input = new PassThrough()
  const opened = await openSession({ ...given, answers: questionsOn({ input, output: out }) })
  return {
    ...opened,
    raw,
    async answer(question: string | RegExp, keys: string) {
      await eventually(async () => (await screen()).lines.join('\n')).toMatch(question)
      input.write(keys)
    },
    async shows(words: RegExp) {
      await eventually(async () => (await screen()).lines.join('\n')).toMatch(words)
    },
  }
}

describe('the questions of create', () => {
  it('ask for every attribute that is required, suggest what the id says, and create the connector', async () => {
    const { session, answer, stored, happened } = await atTerminal()
    const created = create(session, undefined, { attributes: {}, unset: [] })
    await answer(/Key of the table/, `acme.cas${enter}`)
    await answer(/Display name.*\(acme-trendmicro-cas\)/s, enter)
    await answer(/tenant’s name for people.*\(acme\)/s, enter)
    await answer(/Address of the vendor/, enter)
    await answer(/Names of 1 to 20 secrets.*\(tributary\/acme\/cas\)/s, enter)
    await answer(/contentTypes/, enter)
    await answer(/eventTypes/, enter)
    await answer(/Create acme\.cas\?/, `y${enter}`)
    expect(await created).toMatchObject({ exit: 'done', result: { results: [{ connectorId: 'acme.cas', ok: true }] } })
    expect(stored('acme.cas')).toEqual({
      connectorId: 'acme.cas',
      type: 'trendmicro-cas',
      name: 'acme-trendmicro-cas',
      tenantName: 'acme',
      baseUrl: 'https://api.tmcas.trendmicro.com',
      apiKeySecrets: ['tributary/acme/cas'],
      contentTypes: ['sharepoint'],
      eventTypes: ['securityrisk', 'virtualanalyzer', 'ransomware', 'dlp'],
    })
    expect(happened.at(-2)).toContain('connectorId: acme.cas')
  })

  it('tell a mistake beside the question, and go on when it is mended', async () => {
    const { session, answer, shows, stored } = await atTerminal()
    const attributes = { type: 'trendmicro-cas', name: 'n', tenantName: 'Acme', contentTypes: ['teams'], eventTypes: ['dlp'] }
    const created = create(session, 'acme.cas', { attributes, unset: [] })
    await answer(/Address of the vendor/, `${up}${enter}`)
    await answer(/Address of the vendor/, `https://169.254.169.254${enter}`)
    await shows(/Its host is .*169\.254\.169\.254/)
    await answer(/169\.254/, `${'\u007f'.repeat(30)}https://api-eu.tmcas.trendmicro.com/v1/siem${enter}`)
    await answer(/Names of 1 to 20 secrets/, `tributary/globex/cas${enter}`)
    await answer(/tributary\/acme\//, `${'\u007f'.repeat(30)}tributary/acme/eu${enter}`)
    await answer(/Create acme\.cas\?/, `y${enter}`)
    expect(await created).toMatchObject({ exit: 'done' })
    expect(stored('acme.cas')).toMatchObject({ apiKeySecrets: ['tributary/acme/eu'] })
  })

  it('take an address that this deployment allows beside those of the vendor', async () => {
    const { session, answer, stored } = await atTerminal({ allowedHosts: ['cas.example.com'] })
    const attributes = { ...fleet[0], baseUrl: undefined }
    const created = create(session, 'acme.one', { attributes, unset: [] })
    await answer(/Address of the vendor/, `${up}${enter}`)
    await answer(/another address\s+\? Address/, `https://cas.example.com${enter}`)
    await answer(/Create acme\.one\?/, `y${enter}`)
    expect(await created).toMatchObject({ exit: 'done' })
    expect(stored('acme.one')).toMatchObject({ baseUrl: 'https://cas.example.com' })
  })

  it('that are declined at the end create nothing', async () => {
    const { session, answer, stored } = await atTerminal()
    const { connectorId: _, ...attributes } = fleet[0] ?? {}
    const created = create(session, undefined, { attributes, unset: [] })
    await answer(/Key of the table/, `acme.cas${enter}`)
    await answer(/Create acme\.cas\?/, enter)
    expect(await created).toMatchObject({ exit: 'failed', text: 'Nothing was changed.\n' })
    expect(stored('acme.cas')).toBeUndefined()
  })
})

describe('a question', () => {
  it('before a delete has no as its answer', async () => {
    const { session, answer, tester } = await atTerminal({ items: fleet })
    const deleted = deleteConnectors(session, ['acme.one'])
    await answer(/Delete acme\.one\? \(y\/N\)/, enter)
    expect(await deleted).toMatchObject({ exit: 'failed' })
    expect(tester.items.size).toBe(3)
  })

  it('for a key shows nothing of it', async () => {
    const { session, answer, raw, happened } = await atTerminal()
    const stored = keySet(session, 'tributary/acme/cas')
    await answer(/API key for tributary\/acme\/cas/, `${key}${enter}`)
    await answer(/Store this key of 32 characters/, `y${enter}`)
    const outcome = await stored
    expect(outcome.exit).toBe('done')
    expect(JSON.stringify([raw(), happened, outcome])).not.toContain(key.slice(0, 8))
  })
})
