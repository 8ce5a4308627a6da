import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { changesByDemonstration, changesByFile } from '../../local/connectors-at-start.ts'
import { trialKey } from '../../local/demonstration.ts'
import { parseOptions } from '../../local/options.ts'
import { openSource } from '../../local/source.ts'
import { eventually } from '../eventually.ts'
import { temporaryFolder } from '../local-services.ts'
import { connectorItem, lakeRows, ownConnectors, type Program, run, start, summaryOf } from './program.ts'
import { tributary } from './tributary.ts'
import { vendor } from './vendors.ts'

const url = 'http://127.0.0.1:4000'

describe('the connectors of a file', () => {
  it('are marked as its own, so that the next start retires those that it no longer has, and no other', () => {
    const stored = [
      { connectorId: 'acme.a', managedBy: 'file' },
      { connectorId: 'acme.b', managedBy: 'file' },
      { connectorId: 'acme.made' },
    ]
    expect(changesByFile([{ connectorId: 'acme.a', note: 'new' }], stored)).toEqual({
      put: [{ connectorId: 'acme.a', note: 'new', managedBy: 'file' }],
      retired: ['acme.b'],
      left: ['acme.made'],
    })
  })
})

describe('the connectors of the demonstration', () => {
  it('are put into a new folder, and stay as people leave them in the next starts', () => {
    const items = [{ connectorId: 'acme.cas', baseUrl: url }]
    expect(changesByDemonstration(items, [], { isNew: true, url, formerUrl: undefined }).put).toEqual(items)
    expect(changesByDemonstration(items, [], { isNew: false, url, formerUrl: url }).put).toEqual([])
  })

  it('follow the simulator to another port, and so does every connector that reads from it', () => {
    const stored = [
      { connectorId: 'acme.cas', baseUrl: url, enabled: false },
      { connectorId: 'newco.cas', baseUrl: `${url}/v1/siem/security_events` },
      { connectorId: 'acme.real', baseUrl: 'https://api.tmcas.trendmicro.com' },
    ]
    const next = 'http://127.0.0.1:5000'
    expect(changesByDemonstration([], stored, { isNew: false, url: next, formerUrl: url }).put).toEqual([
      { connectorId: 'acme.cas', baseUrl: next, enabled: false },
      { connectorId: 'newco.cas', baseUrl: next },
    ])
  })
})

describe('the places that connectors come from', () => {
  const open = async (args: readonly string[]) => {
    const source = await openSource({ ...parseOptions(args), data: temporaryFolder() })
    onTestFinished(() => source.close(false))
    return source
  }

  it('say the next step until somebody has taken it', async () => {
    const own = await open(['--own'])
    expect(own.nextStep([])).toMatch(/^Create the first connector on the page, or with "npx --no tributary create TENANT\.NAME --data /)
    expect(own.nextStep([{ connectorId: 'newco.cas' }])).toBeUndefined()
    const demonstration = await open([])
    expect(demonstration.nextStep([{ connectorId: 'acme.exchange' }])).toContain(trialKey)
    expect(demonstration.nextStep([{ connectorId: 'acme.exchange' }, { connectorId: 'newco.cas' }])).toBeUndefined()
  })

  it('allow the hosts of --allow-host beside the simulator of the demonstration', async () => {
    expect((await open(['--allow-host', 'localhost:8080'])).allowedHosts).toContain('localhost:8080')
  })
})

async function end(program: Program): Promise<void> {
  program.signal('SIGINT')
  expect(await program.ended).toBe(0)
}

describe('a connector that is made with the command', () => {
  it('is tested, collected and shown by the command alone, and is there after the next start, which needs no option', async () => {
    const data = join(temporaryFolder(), 'data')
    const program = start(['--data', data])
    await program.says('delivered')
    const [, simulator = ''] = /against a simulator of the vendor at (\S+)\./.exec(`${program.out()}${program.err()}`) ?? []
    const command = (args: readonly string[], stdin = '') => tributary([...args, '--data', data], stdin)
    expect(await command(['key', 'set', 'tributary/newco/cas'], trialKey)).toMatchObject({ code: 0 })
    const made = ['create', 'newco.cas', '--base-url', simulator, '--secret', 'tributary/newco/cas', '--event-types', 'dlp']
    expect(await command(made)).toMatchObject({ code: 0 })
    expect((await command(['test', 'newco.cas'])).out).toContain('All 7 steps passed')
    await program.says(/newco\.cas sharepoint\/dlp [1-9]\d* delivered/)
    expect(await command(['pause', 'acme.sharepoint', '--yes'])).toMatchObject({ code: 0 })
    expect(await command(['edit', 'acme.exchange', '--note', 'mine'])).toMatchObject({ code: 0 })
    expect(await command(['delete', 'globex.onedrive', '--yes'])).toMatchObject({ code: 0 })
    await end(program)

    const again = await run(['--data', data, '--once', '--json'])
    const states = summaryOf(again).connectors.map(({ connectorId, state }) => `${connectorId} ${state}`)
    expect(states).toEqual(['acme.exchange ok', 'acme.sharepoint paused', 'newco.cas ok'])
    const listed = JSON.parse((await command(['list', '--json'])).out) as { rows: { connectorId: string }[] }
    expect(listed.rows.filter(({ connectorId }) => connectorId === 'newco.cas')).toMatchObject([{ state: 'ok' }])
    expect((await command(['coverage', 'newco.cas'])).out).toContain('sharepoint/dlp')
    expect((await command(['show', 'acme.exchange'])).out).toContain('note: mine')
    expect(await lakeRows(data, "SELECT DISTINCT event_type FROM syslog WHERE tenant = 'newco'")).toEqual([{ event_type: 'dlp' }])
  })

  it('stays beside those of a file, in a folder without a demonstration, and a key that is stored later is tried at once', async () => {
    const { url: address, host } = await vendor({ keys: [{ key: 'acme-key' }] })
    const dir = temporaryFolder()
    const data = join(dir, 'data')
    const program = start(['--own', '--data', data, '--allow-host', host])
    await program.says('Collecting from the connectors of')
    const item = connectorItem('acme.mine', address)
    const made = ['create', 'acme.mine', '--base-url', address, '--secret', 'tributary/acme/key', '--requests-per-minute', '6000']
    expect(await tributary([...made, '--data', data])).toMatchObject({ code: 0 })
    await program.says(/acme\.mine connector-failing/)
    const listed = async () => (await tributary(['list', '--data', data])).out
    expect(await listed()).toContain('Store it on the page, or with "npx --no tributary key set NAME"')
    const failedAt = performance.now()
    expect(await tributary(['key', 'set', 'tributary/acme/key', '--data', data], 'wrong-key')).toMatchObject({ code: 0 })
    await program.says(/acme\.mine .*The vendor rejects the API key/)
    expect(await tributary(['key', 'set', 'tributary/acme/key', '--data', data], 'acme-key')).toMatchObject({ code: 0 })
    await program.says(/acme\.mine \S+ [1-9]\d* delivered/)
    // The first backoff lasts a minute for a missing secret, and longer for a rejected key.
    expect(performance.now() - failedAt).toBeLessThan(50_000)
    await eventually(listed).toMatch(/acme\.mine +acme +(ok|catching up)/)
    await end(program)

    const file = ownConnectors(dir, [{ ...item, connectorId: 'acme.filed' }], {}, [host])
    const filed = await run([...file, '--data', data, '--once', '--json'])
    expect(filed.err).toContain('Not in the file, and collected as before: acme.mine.')
    expect(summaryOf(filed).connectors.map(({ connectorId }) => connectorId)).toEqual(['acme.filed', 'acme.mine'])
  })
})
