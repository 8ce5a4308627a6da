import { describe, expect, it } from 'vitest'
import { attributeOptions, attributesOf, withoutAttributes } from '../../cli/attributes.ts'
import { instantOf } from '../../cli/times.ts'
import { attributeNames } from '../../functions/domain/connector/connector-schema.ts'
import { hour } from '../../functions/domain/time.ts'
import { now } from './in-memory.ts'

const read = (path: string) => `the content of ${path}`

describe('the options of create and edit', () => {
  it('are every attribute of the schema but the id, which is an argument, and the owner, which is a file', () => {
    const names = attributeOptions().map(({ attribute }) => attribute.name)
    expect([...names, 'connectorId', 'managedBy'].toSorted()).toEqual(attributeNames.toSorted())
  })

  it('give values of the attribute’s own type', () => {
    const given = {
      name: 'acme-cas',
      intervalMinutes: '10',
      enabled: 'false',
      contentTypes: ['sharepoint, teams', 'onedrive'],
      logFilters: '[{"name":"x"}]',
      tlsCaPem: '@ca.pem',
      json: true,
    }
    expect(attributesOf(given, read)).toEqual({
      name: 'acme-cas',
      intervalMinutes: 10,
      enabled: false,
      contentTypes: ['sharepoint', 'teams', 'onedrive'],
      logFilters: [{ name: 'x' }],
      tlsCaPem: 'the content of ca.pem',
    })
  })

  it('keep a text that is no value of the type, so that the schema tells what it must be', () => {
    expect(attributesOf({ intervalMinutes: 'ten', enabled: 'yes' }, read)).toEqual({ intervalMinutes: 'ten', enabled: 'yes' })
  })

  it('are refused if log filters are no JSON', () => {
    expect(() => attributesOf({ logFilters: '[' }, read)).toThrow('--log-filters is not JSON.')
  })

  it('take an attribute out by its name, and know a name that is none', () => {
    expect(withoutAttributes({ connectorId: 'a.b', note: 'x' }, ['note'])).toEqual({ connectorId: 'a.b' })
    expect(() => withoutAttributes({}, ['nots'])).toThrow('Did you mean note?')
  })
})

describe('a time of an option', () => {
  it.each<[string, number]>([
    ['2026-11-24T20:35:26.120Z', Date.UTC(2026, 10, 24, 20, 35, 26, 120)],
    ['2026-11-24T20:35+02:00', Date.UTC(2026, 10, 24, 18, 35)],
    ['2026-11-24 20:35', Date.UTC(2026, 10, 24, 20, 35)],
    ['2026-11-24', Date.UTC(2026, 10, 24)],
    ['6h', now - 6 * hour],
    ['now', now],
  ])('may be written as %s', (text, at) => {
    expect(instantOf('--from', text, now)).toBe(at)
  })

  it.each(['yesterday', '24.11.2026', '2026-13-01', '6 h', ''])('is refused as %j, with the ways to write it', (text) => {
    expect(() => instantOf('--from', text, now)).toThrow(`--from ${text}: this is no time. Give 2026-11-24T20:35Z`)
  })
})
