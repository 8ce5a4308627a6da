import { describe, expect, it } from 'vitest'
import type { Connector } from '../../functions/domain/connector/connector.ts'
import { immutableProblems, movedKeyProblems } from '../../functions/domain/connector/connector-edits.ts'
import { parseConnector } from '../../functions/domain/connector/connector-schema.ts'
import { accepted, item, policy } from './acme-mail.ts'

describe('an accepted connector', () => {
  const before = accepted()

  it.each(['connectorId', 'type', 'name', 'tenantName'] as const)('cannot change its %s', (path) => {
    expect(immutableProblems(before, { ...before, [path]: 'other' })).toEqual([
      {
        path,
        message: expect.stringContaining(
          `It is "other" and was "${before[path]}" when the connector was accepted; it cannot change. Set it back`,
        ),
      },
    ])
  })

  it('can change every other attribute', () => {
    expect(
      immutableProblems(before, accepted({ baseUrl: 'https://api-eu.acme.example', enabled: false, contentTypes: ['files'] })),
    ).toEqual([])
  })
})

describe('an item for a connector that a release before 0.4.0 accepted', () => {
  const legacy: Connector = { ...accepted(), connectorId: 'globex-mail', apiKeySecrets: [{ secretName: 'tributary/old' }] }
  const named: Connector = { ...legacy, connectorId: 'globex.mail' }
  const read = (changes: object, before: Connector) => {
    const parsed = parseConnector({ ...item, connectorId: before.connectorId, ...changes }, policy, before)
    return parsed.ok ? [] : parsed.problems.map(({ path }) => path)
  }

  it('may have an id that names no tenant, and any secret under the prefix', () => {
    expect(read({ apiKeySecrets: ['tributary/old'] }, legacy)).toEqual([])
    expect(read({ apiKeySecrets: ['tributary/old', 'tributary/new'] }, legacy)).toEqual([])
    expect(read({ apiKeySecrets: ['elsewhere/new'] }, legacy)).toEqual(['apiKeySecrets[0]'])
  })

  it('may keep the secrets that it was accepted with, and a new one must lie under the path of the tenant that its id names', () => {
    expect(read({ apiKeySecrets: ['tributary/old#key', 'tributary/globex/new'] }, named)).toEqual([])
    expect(read({ apiKeySecrets: ['tributary/old', 'tributary/new'] }, named)).toEqual(['apiKeySecrets[1]'])
  })
})

describe('a connector that moves to another address', () => {
  const before = accepted({ apiKeySecrets: ['tributary/globex/a#one', 'tributary/globex/b'] })
  const moved = (secrets: readonly string[], baseUrl = 'https://api-eu.acme.example') =>
    movedKeyProblems(before, { ...accepted({ apiKeySecrets: secrets }), baseUrl }, new Map([['tributary/globex/d', before.baseUrl]]))

  it('must name other secrets, and is told which ones', () => {
    expect(moved(['tributary/globex/a#two', 'tributary/globex/b', 'tributary/globex/c'])).toEqual([
      { path: 'baseUrl', message: expect.stringContaining('in place of: tributary/globex/a, tributary/globex/b.') },
    ])
    expect(moved(['tributary/globex/c'])).toEqual([])
  })

  it('must not name a secret that is bound to the former address, although its last version has not named it', () => {
    expect(moved(['tributary/globex/c', 'tributary/globex/d'])).toEqual([
      { path: 'baseUrl', message: expect.stringContaining('in place of: tributary/globex/d.') },
    ])
    expect(moved(['tributary/globex/d'], before.baseUrl)).toEqual([])
  })

  it('may keep its secrets if it stays', () => {
    expect(moved(['tributary/globex/b'], before.baseUrl)).toEqual([])
  })
})
