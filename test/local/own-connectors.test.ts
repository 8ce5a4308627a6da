import { join } from 'node:path'
import { marshall } from '@aws-sdk/util-dynamodb'
import { describe, expect, it } from 'vitest'
import { temporaryFolder } from '../local-services.ts'
import { connectorItem, deliveredIds, ownConnectors, run, summaryOf } from './program.ts'
import { vendor } from './vendors.ts'

const key = { 'tributary/acme/key': 'acme-key' }
const limits = { requestsPerMinute: 6_000 }
/** A start that waited for the backoff of a rejected key would take longer than this (s). */
const withoutBackoffSeconds = 15

describe('connectors of a file', () => {
  it("are collected without loss, as plain JSON or DynamoDB's typed JSON, and continued by a second start", async () => {
    // At this rate there are new events whenever the second start comes.
    const { url, host, model } = await vendor({ eventsPerHour: 14_400 })
    const dir = temporaryFolder()
    const item = connectorItem('acme.mine', url, limits)
    const deliveries: number[] = []
    for (const [round, written] of [item, marshall(item)].entries()) {
      const args = [...ownConnectors(dir, [written], key, [host]), '--data', join(dir, 'data')]
      const { code, ...said } = await run([...args, '--once', '--json'])
      expect(said.err).not.toContain('    at ')
      expect(code).toBe(0)
      const [mine, ...others] = summaryOf(said).connectors
      expect(others).toEqual([])
      expect(mine).toMatchObject({ connectorId: 'acme.mine', state: 'ok', reason: '' })
      deliveries.push(mine?.streams.reduce((sum, { delivered }) => sum + delivered, 0) ?? 0)
      expect((await deliveredIds(join(dir, 'data'), 'syslog_raw')).sort()).toEqual([...model.account.shown.keys()].sort())
      expect(deliveries[round]).toBe(model.account.shown.size)
    }
    expect(deliveries[1]).toBeGreaterThan(deliveries[0] ?? 0)
  })

  it('are retired by the next start when the file no longer has them', async () => {
    const { url, host } = await vendor()
    const dir = temporaryFolder()
    const both = [connectorItem('acme.goes', url, limits), connectorItem('acme.stays', url, limits)]
    const end = ['--data', join(dir, 'data'), '--once', '--json']
    expect((await run([...ownConnectors(dir, both, key, [host]), ...end])).code).toBe(0)
    const second = await run([...ownConnectors(dir, both.slice(1), key, [host]), ...end])
    expect(second.code).toBe(0)
    expect(summaryOf(second).connectors.map(({ connectorId }) => connectorId)).toEqual(['acme.stays'])
    expect(second.err).toContain('acme.goes connector-retired')
    expect(second.err).not.toMatch(/acme\.goes \S+ \d+ delivered/)

    const empty = [...ownConnectors(dir, [], key, [host]), ...end]
    const refused = await run(empty)
    expect(refused.code).toBe(1)
    expect(refused.err).toContain('has no connector, and')
    expect(refused.err).toContain('(acme.stays). Nothing was changed. Correct the file, or retire all of them with --allow-empty.')
    const retired = await run([...empty, '--allow-empty'])
    expect(retired.code).toBe(0)
    expect(retired.err).toContain('acme.stays connector-retired')
  })

  it('are collected as the file of this start says, and not as that of the last one: one is enabled again', async () => {
    const { url, host } = await vendor()
    const dir = temporaryFolder()
    const end = ['--data', join(dir, 'data'), '--once', '--json']
    const item = connectorItem('acme.mine', url, limits)
    expect((await run([...ownConnectors(dir, [{ ...item, enabled: false }], key, [host]), ...end])).code).toBe(0)
    const enabled = await run([...ownConnectors(dir, [item], key, [host]), ...end])
    expect(enabled.code).toBe(0)
    expect(summaryOf(enabled)).toMatchObject({ connectors: [{ state: 'ok' }] })
    expect(summaryOf(enabled).requests).toBeGreaterThan(0)
  })

  it('send a new key to the new address only', async () => {
    const [former, next] = await Promise.all([vendor(), vendor()])
    const keysAt = ({ model }: typeof former) => ['acme-key', 'new-key'].filter((each) => model.account.requests(each).length > 0)
    const dir = temporaryFolder()
    const hosts = [former.host, next.host]
    const end = ['--data', join(dir, 'data'), '--once', '--json']
    expect((await run([...ownConnectors(dir, [connectorItem('acme.mine', former.url, limits)], key, hosts), ...end])).code).toBe(0)
    const moved = { 'tributary/acme/key': 'new-key' }
    expect((await run([...ownConnectors(dir, [connectorItem('acme.mine', next.url, limits)], moved, hosts), ...end])).code).toBe(0)
    expect({ former: keysAt(former), next: keysAt(next) }).toEqual({ former: ['acme-key'], next: ['new-key'] })
  })

  it('are tried at once by the next start when their mistake is corrected, although their backoff has not ended', async () => {
    const { url, host } = await vendor({ keys: [{ key: 'acme-key' }] })
    const dir = temporaryFolder()
    const items = [connectorItem('acme.mine', url, limits)]
    const end = ['--data', join(dir, 'data'), '--once', '--json']
    const bad = await run([...ownConnectors(dir, items, { 'tributary/acme/key': 'wrong-key' }, [host]), ...end])
    expect(bad.code).toBe(1)
    const mended = await run([...ownConnectors(dir, items, key, [host]), ...end])
    expect(mended.code).toBe(0)
    expect(summaryOf(mended)).toMatchObject({
      connectors: [{ state: 'ok', reason: '' }],
      seconds: expect.toSatisfy((s: number) => s < withoutBackoffSeconds),
    })
  })
})
