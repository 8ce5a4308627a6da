import { join } from 'node:path'
import { expect, test } from 'vitest'
import { temporaryFolder } from '../local-services.ts'
import { connectorItem, lakeRows, ownConnectors, run, summaryOf } from './program.ts'
import { server, vendor } from './vendors.ts'

const secrets = { 'tributary/acme/key': 'acme-key', 'tributary/acme/rejected': 'rejected-key', 'tributary/acme/own': 'own-key' }
const limits = { requestsPerMinute: 6_000 }
const wanted = ['securityrisk', 'virtualanalyzer', 'ransomware', 'dlp'] as const

/** A bad connector: its differences from a good one, and the state and reason that it must have. */
interface Bad {
  readonly id: string
  readonly baseUrl?: string
  readonly differs?: Readonly<Record<string, unknown>>
  readonly state: 'refused' | 'failing'
  readonly reason: RegExp
}

/** Collects once from the bad connectors and a good one. `others` are collected too, and nothing of them may be missing. */
async function collectBeside(bad: readonly Bad[], hosts: readonly string[], others: readonly [string, object][] = []) {
  const { url, host, model } = await vendor({ keys: [{ key: 'acme-key' }], eventsPerHour: 600 })
  const dir = temporaryFolder()
  const items = [
    connectorItem('acme.good', url, { ...limits, initialBackfillMinutes: 60 }),
    ...bad.map(({ id, baseUrl = url, differs = {} }) => connectorItem(id, baseUrl, { ...differs })),
    ...others.map(([id, differs]) => connectorItem(id, url, { ...limits, ...differs })),
  ]
  const dataDir = join(dir, 'data')
  const { code, ...said } = await run([
    ...ownConnectors(dir, items, secrets, [host, ...hosts]),
    '--data',
    dataDir,
    '--once',
    '--patience',
    '1',
    '--json',
  ])
  expect(said.err).not.toContain('    at ')
  expect(code).toBe(1)
  expect(said.err).toContain('Not everything could be collected')
  const { connectors } = summaryOf(said)
  expect(connectors).toHaveLength(items.length)
  const about = (id: string) => connectors.find(({ connectorId }) => connectorId === id)

  for (const { id, state, reason } of bad) {
    expect(about(id), id).toMatchObject({ state, reason: expect.stringMatching(reason) })
    expect(said.err).toMatch(new RegExp(`^Missing: ${id}: `, 'm'))
  }
  for (const id of ['acme.good', ...others.map(([id]) => id)]) expect(said.err).not.toMatch(new RegExp(`^Missing: ${id}: `, 'm'))

  expect(about('acme.good')).toMatchObject({ state: 'ok', reason: '' })
  const rows = await lakeRows(dataDir, "SELECT trendmicro.log_item_id AS id FROM syslog_raw WHERE connector_id = 'acme.good'")
  const { streams = [] } = about('acme.good') ?? {}
  const coveredTo = Math.min(...streams.map((stream) => Date.parse(String(stream.coveredTo))))
  const since = coveredTo - 30 * 60_000
  const ids = new Set(rows.map(({ id }) => String(id)))
  const visible = wanted.flatMap((event) => [...model.eventsVisible(`sharepoint/${event}`, since, coveredTo)])
  expect(visible.filter(({ id }) => !ids.has(id))).toEqual([])
  expect(ids.size).toBe(rows.length)
  return about
}

test('each connector whose item, secret or key is bad says what is wrong and what to do, and the good connector beside them is collected', async () => {
  const bad: readonly Bad[] = [
    { id: 'acme.bad-type', differs: { type: 'other-vendor' }, state: 'refused', reason: /type: .*other-vendor.*trendmicro-cas/ },
    { id: 'acme.bad-host', baseUrl: 'https://example.com', state: 'refused', reason: /baseUrl: .*example\.com/ },
    { id: 'acme.bad-attribute', differs: { contentType: ['sharepoint'] }, state: 'refused', reason: /contentType\b.*/ },
    { id: 'acme.bad-content', differs: { contentTypes: ['sharepoints'] }, state: 'refused', reason: /contentTypes.*sharepoints/ },
    { id: 'acme.bad-number', differs: { requestsPerMinute: 0 }, state: 'refused', reason: /requestsPerMinute: .*\b0\b.*\b1\b/ },
    {
      id: 'acme.bad-filter',
      differs: { logFilters: [{ name: 'f', conditions: [{ field: 'nope', operator: 'equals', values: ['x'] }] }] },
      state: 'refused',
      reason: /logFilters.*nope/,
    },
    {
      id: 'acme.bad-secret-name',
      differs: { apiKeySecrets: ['other/acme'] },
      state: 'refused',
      reason: /apiKeySecrets.*does not begin with "tributary\/acme\/"\. Give the name of a secret/,
    },
    {
      id: 'acme.no-secret',
      differs: { apiKeySecrets: ['tributary/acme/nowhere'] },
      state: 'failing',
      reason: /tributary\/acme\/nowhere.*Give it under exactly this name/,
    },
    {
      id: 'acme.bad-key',
      differs: { apiKeySecrets: ['tributary/acme/rejected'] },
      state: 'failing',
      reason: /401.*then give a new one/,
    },
  ]
  const about = await collectBeside(bad, [], [['acme.pool', { apiKeySecrets: ['tributary/acme/rejected', 'tributary/acme/key'] }]])
  expect(about('acme.pool')?.reason).toMatch(/1 of 2 keys rejected by the vendor \(401\): store a new one/)
  expect(about('acme.pool')?.streams.every(({ delivered }) => delivered > 0)).toBe(true)
})

// A test of its own: such a connector is tried two or three times, with real pauses, before its failure counts as permanent.
test('each connector whose vendor cannot be reached or responds with rubbish says what is wrong and what to do, and the good connector beside them is collected', async () => {
  const rubbish = await server((_, response) => response.setHeader('content-type', 'text/html').end('<html>Welcome to the proxy</html>'))
  const unreachable = 'http://127.0.0.1:1'
  const own = { apiKeySecrets: ['tributary/acme/own'] }
  await collectBeside(
    [
      {
        id: 'acme.unreachable',
        baseUrl: unreachable,
        differs: own,
        state: 'failing',
        reason: /No connection to 127\.0\.0\.1:1: .*Check baseUrl/,
      },
      {
        id: 'acme.rubbish',
        baseUrl: rubbish.url,
        differs: { ...own, ...limits, eventTypes: ['dlp'] },
        state: 'failing',
        reason: /not JSON \(\d+ bytes, text\/html, SHA-256 [0-9a-f]{16}\).*Check that baseUrl is the API/,
      },
    ],
    [rubbish.host, new URL(unreachable).host],
  )
})

test('an item whose id no connector can have is refused at once with its place in the file, and the good connector beside it is collected', async () => {
  const { url, host } = await vendor({ keys: [{ key: 'acme-key' }], eventsPerHour: 600 })
  const dir = temporaryFolder()
  const long = `acme.${'x'.repeat(2_033)}`
  const items = [connectorItem('acme.good', url, limits), connectorItem(long, url, limits), connectorItem('acme cas', url, limits)]
  const args = [...ownConnectors(dir, items, secrets, [host]), '--data', join(dir, 'data'), '--once', '--json']
  const { code, ...said } = await run(args)
  expect(code).toBe(1)
  const rule = 'Give a tenant and a name, such as "acme.cas": 1 to 40 lower-case letters'
  const wrong = [
    `item 2: The item was not accepted. connectorId: It is "acme.${'x'.repeat(55)}…" (2038 characters). ${rule}`,
    `item 3: The item was not accepted. connectorId: It is "acme cas". ${rule}`,
  ]
  for (const each of wrong) for (const begin of ['Refused', 'Missing']) expect(said.err).toContain(`\n${begin}: ${each}`)
  expect(`${said.out}${said.err}`).not.toContain('x'.repeat(60))
  expect(said.err).not.toMatch(/^Missing: acme\.good/m)
  expect(summaryOf(said).connectors).toMatchObject([
    { connectorId: 'item 2', state: 'refused', reason: expect.stringContaining(rule), streams: [] },
    { connectorId: 'item 3', state: 'refused', reason: expect.stringContaining(rule), streams: [] },
    { connectorId: 'acme.good', state: 'ok', reason: '' },
  ])
})
