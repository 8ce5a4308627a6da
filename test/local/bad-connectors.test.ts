import { join } from 'node:path'
import { expect, test } from 'vitest'
import { temporaryFolder } from '../local-services.ts'
import { connectorItem, lakeRows, ownConnectors, run, summaryOf } from './program.ts'
import { server, vendor } from './vendors.ts'

const key = { 'tributary/acme': 'acme-key' }
const limits = { requestsPerMinute: 6_000 }

test('each bad connector says what is wrong and what to do, and the good connector beside them is collected', async () => {
  const { url, host, model } = await vendor({ keys: [{ key: 'acme-key' }], eventsPerHour: 600 })
  const rubbish = await server((_, response) => response.setHeader('content-type', 'text/html').end('<html>Welcome to the proxy</html>'))
  const closed = await server(() => {})
  const unreachable = 'http://127.0.0.1:1'
  const dir = temporaryFolder()
  const own = { apiKeySecrets: ['tributary/own'] }
  const items: Readonly<Record<string, unknown>>[] = [
    connectorItem('good', url, { ...limits, initialBackfillMinutes: 60 }),
    connectorItem('bad-type', url, { type: 'other-vendor' }),
    connectorItem('bad-host', 'https://example.com'),
    connectorItem('bad-attribute', url, { contentType: ['sharepoint'] }),
    connectorItem('bad-content', url, { contentTypes: ['sharepoints'] }),
    connectorItem('bad-number', url, { requestsPerMinute: 0 }),
    connectorItem('bad-filter', url, { logFilters: [{ name: 'f', conditions: [{ field: 'nope', operator: 'equals', values: ['x'] }] }] }),
    connectorItem('bad-secret-name', url, { apiKeySecrets: ['elsewhere/acme'] }),
    connectorItem('no-secret', url, { apiKeySecrets: ['tributary/nowhere'] }),
    connectorItem('bad-key', url, { apiKeySecrets: ['tributary/rejected'] }),
    connectorItem('pool', url, { ...limits, apiKeySecrets: ['tributary/rejected', 'tributary/acme'] }),
    connectorItem('unreachable', unreachable, own),
    connectorItem('rubbish', rubbish.url, { ...own, ...limits, eventTypes: ['dlp'] }),
  ]
  const secrets = { ...key, 'tributary/rejected': 'rejected-key', 'tributary/own': 'own-key' }
  const hosts = [host, rubbish.host, closed.host, new URL(unreachable).host]
  const args = [...ownConnectors(dir, items, secrets, hosts), '--data', join(dir, 'data'), '--once', '--json']
  const { code, ...said } = await run(args)
  expect(said.err).not.toContain('    at ')
  expect(code).toBe(1)
  expect(said.err).toContain('Not everything could be collected, and waiting longer does not help.')

  const { connectors } = summaryOf(said)
  const about = (id: string) => connectors.find(({ connectorId }) => connectorId === id)
  expect(connectors).toHaveLength(items.length)
  expect(about('good')).toMatchObject({ state: 'ok', reason: '' })
  expect(about('pool')?.reason).toMatch(/1 of 2 keys rejected by the vendor \(401\): store a new one/)
  expect(about('pool')?.streams.every(({ delivered }) => delivered > 0)).toBe(true)
  const wrong: [string, string, RegExp][] = [
    ['bad-type', 'refused', /type: .*other-vendor.*trendmicro-cas/],
    ['bad-host', 'refused', /baseUrl: .*example\.com/],
    ['bad-attribute', 'refused', /contentType\b.*/],
    ['bad-content', 'refused', /contentTypes.*sharepoints/],
    ['bad-number', 'refused', /requestsPerMinute: .*\b0\b.*\b1\b/],
    ['bad-filter', 'refused', /logFilters.*nope/],
    ['bad-secret-name', 'refused', /apiKeySecrets.*does not begin with "tributary\/"\. Give the name of a secret/],
    ['no-secret', 'failing', /tributary\/nowhere.*Create it under exactly this name\./],
    ['bad-key', 'failing', /401.*store a new one in the secret\./],
    ['unreachable', 'failing', /No connection to 127\.0\.0\.1:1: .*Check baseUrl/],
    ['rubbish', 'failing', /not JSON \(text\/html\).*Check that baseUrl is the API/],
  ]
  for (const [id, state, reason] of wrong) {
    expect(about(id), id).toMatchObject({ state, reason: expect.stringMatching(reason) })
    expect(said.err).toMatch(new RegExp(`^Missing: ${id}: `, 'm'))
  }
  expect(said.err).not.toMatch(/^Missing: (good|pool): /m)

  const rows = await lakeRows(join(dir, 'data'), "SELECT trendmicro.log_item_id AS id FROM syslog_raw WHERE connector_id = 'good'")
  const { streams = [] } = about('good') ?? {}
  const coveredTo = Math.min(...streams.map((stream) => Date.parse(stream.coveredTo)))
  const since = coveredTo - 30 * 60_000
  const wanted = ['securityrisk', 'virtualanalyzer', 'ransomware', 'dlp'] as const
  const ids = new Set(rows.map(({ id }) => String(id)))
  const missing = wanted
    .flatMap((event) => [...model.eventsVisible(`sharepoint/${event}`, since, coveredTo)])
    .filter(({ id }) => !ids.has(id))
  expect(missing).toEqual([])
  expect(ids.size).toBe(rows.length)
})
