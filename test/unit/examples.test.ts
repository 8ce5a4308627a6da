import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { plainItem } from '../../functions/adapters/connectors-table.ts'
import { parseConnector } from '../../functions/domain/connector/connector-schema.ts'
import { vendors } from '../../functions/vendors/index.ts'

const policy = { vendors, secretPrefix: 'tributary/', allowedHosts: [], tlsVerificationOptional: false }
const example = (name: string) => readFileSync(new URL(`../../examples/${name}`, import.meta.url), 'utf8')

describe('the example', () => {
  it('connector.json is accepted as it is, and equals the item of connectors.json without its filters', () => {
    const item = plainItem(JSON.parse(example('connector.json')))
    expect(parseConnector(item, policy)).toMatchObject({ ok: true, connector: { connectorId: 'acme.cas' } })
    const [{ logFilters: _, ...other }] = JSON.parse(example('connectors.json'))
    expect(item).toEqual(other)
  })
})
