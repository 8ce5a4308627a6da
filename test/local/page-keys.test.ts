import { readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { pageKeys } from '../../local/page/page-keys.ts'
import { localServices } from '../local-services.ts'

const key = 'f0a1b2c3d4e5f60718293a4b5c6d7e8f'

describe('the keys that are typed on the page', () => {
  it('lie in keys.json, which only its owner can read, and replace an earlier one of the same name', async () => {
    const services = await localServices()
    const keys = pageKeys(services)
    expect(await keys.store('tributary/acme/cas', 'the-earlier-key')).toMatchObject({ ok: true })
    expect(await keys.store('tributary/acme/cas', key)).toMatchObject({ ok: true })
    const path = join(services.dataDir, 'keys.json')
    expect(statSync(path).mode & 0o777).toBe(0o600)
    expect(JSON.parse(readFileSync(path, 'utf8'))).toEqual({ 'tributary/acme/cas': { text: key, changedAt: expect.any(Number) } })
  })

  it('are offered by name to their tenant alone, with those of the file of --secrets', async () => {
    const keys = pageKeys(await localServices({ secrets: new Map([['tributary/acme/given', 'given-key']]) }))
    for (const name of ['tributary/acme/cas', 'tributary/acme-2/cas', 'tributary/globex/cas']) await keys.store(name, key)
    expect([...(await keys.names('acme'))].sort()).toEqual(['tributary/acme/cas', 'tributary/acme/given'])
    expect(await keys.names('nobody')).toEqual([])
  })

  it('never take the place of one of the demonstration or of --secrets', async () => {
    const keys = pageKeys(await localServices({ secrets: new Map([['tributary/acme/cas', 'given-key']]) }))
    expect(await keys.store('tributary/acme/cas', key)).toMatchObject({
      ok: false,
      failure: { code: 'failed', message: expect.stringContaining('the demonstration or the file of --secrets') },
    })
  })

  it.each([
    ['an empty key', 'tributary/acme/cas', ''],
    ['a key of more than 4,096 characters', 'tributary/acme/cas', 'k'.repeat(4_097)],
    ['a key with a line feed', 'tributary/acme/cas', `${key}\n`],
    ['a name outside the prefix', 'elsewhere/acme/cas', key],
    ['a name without a tenant', 'tributary/cas', key],
    ['a name of no tenant', 'tributary/../cas', key],
  ])('are refused without a word of the key: %s', async (_, name, typed) => {
    const stored = await pageKeys(await localServices()).store(name, typed)
    expect(stored).toMatchObject({ ok: false, failure: { code: 'wrong' } })
    if (typed !== '') expect(JSON.stringify(stored)).not.toContain(typed)
  })
})
