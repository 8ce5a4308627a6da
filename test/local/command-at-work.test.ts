import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { expect, it } from 'vitest'
import { temporaryFolder } from '../local-services.ts'
import { connectorItem, ownConnectors, run, start } from './program.ts'
import { tributary } from './tributary.ts'
import { vendor } from './vendors.ts'

const key = 'a-key-of-acme-0123456789abcdef'
const secret = 'tributary/acme/cas'

/** A data folder whose program has collected once. */
async function collected() {
  const { url, host } = await vendor({ eventsPerHour: 600 })
  const data = temporaryFolder()
  const item = connectorItem('acme.cas', url, { apiKeySecrets: [secret], contentTypes: ['sharepoint'], initialBackfillMinutes: 60 })
  const options = ['--data', data, ...ownConnectors(temporaryFolder(), [item], { [secret]: key }, [host])]
  expect((await run(['--once', ...options])).code).toBe(0)
  return { data, options, json: async (...args: string[]) => JSON.parse((await tributary([...args, '--json', '--data', data])).out) }
}

it('events are found in the lake of a folder without a running program, and one of them is shown whole', async () => {
  const { data, json } = await collected()
  const found = await json('events', '--connector', 'acme.cas', '--service', 'sharepoint', '--from', '2h')
  expect(found).toMatchObject({ version: 1, command: 'events', ok: true, sql: expect.stringContaining("connector_id = 'acme.cas'") })
  expect(found.events.length).toBeGreaterThan(0)
  const [{ id, event_type: eventType }] = found.events
  const { record } = await json('events', id)
  expect(record).toMatchObject({ id, connector_id: 'acme.cas', event_type: eventType })
  expect(await json('events', '--connector', 'globex.cas')).toMatchObject({ events: [] })
  expect(await json('events', 'no-such-event')).toMatchObject({ ok: false, code: 'not-found' })
  const { code, out } = await tributary(['events', '--text', String(record.raw).slice(2, 12), '--from', '2h', '--data', data])
  expect(code).toBe(0)
  expect(out).toContain(id)
})

it('events are found, and the page is opened, while the program runs; its token is in no answer', async () => {
  const { data, options, json } = await collected()
  const program = start(['--for', '10m', ...options])
  await program.says(join(data, 'page.html'))
  expect((await json('events', '--from', '2h')).events.length).toBeGreaterThan(0)
  const opened = await tributary(['open', '--data', data])
  const file = join(data, 'page.html')
  expect(opened).toMatchObject({ code: 0, out: `${pathToFileURL(file).href}\n` })
  const [, token = ''] = /#([\w-]+)"/.exec(readFileSync(file, 'utf8')) ?? []
  expect(token).not.toBe('')
  expect(JSON.stringify(opened)).not.toContain(token)
})

it('a Test fails without its key and passes with it, and the exit code says so', async () => {
  const { data, json } = await collected()
  // The keys of --secrets are those of that start alone.
  const failed = await tributary(['test', 'acme.cas', '--data', data])
  expect(failed).toMatchObject({ code: 1, out: expect.stringContaining('Edit: apiKeySecrets[0]') })
  expect((await tributary(['key', 'set', secret, '--data', data], key)).code).toBe(0)
  expect(await tributary(['test', 'acme.cas', '--data', data])).toMatchObject({ code: 0, err: expect.stringContaining('acme.cas: 7 of 7') })
  expect(await json('test', 'acme.cas')).toMatchObject({ version: 1, ok: true, tests: [{ connectorId: 'acme.cas', state: 'passed' }] })
})

it('open says the next step where nobody serves the page', async () => {
  const { data } = await collected()
  expect(await tributary(['open', '--data', data])).toMatchObject({ code: 1, out: '', err: expect.stringContaining('npm start') })
})

it('vendor needs no deployment, and suggests the type that was meant', async () => {
  const card = await tributary(['vendor', 'trendmicro-cas', '--data', '/no/such/folder'])
  expect(card).toMatchObject({ code: 0, out: expect.stringContaining('Trend Micro Cloud App Security\n') })
  for (const words of ['https://api-eu.tmcas.trendmicro.com', '1. In the management console', 'sharepoint'])
    expect(card.out).toContain(words)
  expect(await tributary(['vendor', 'trend-cas'])).toMatchObject({ code: 3, err: expect.stringContaining('Give one of: trendmicro-cas.') })
})
