import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { connectorItems } from '../../functions/adapters/connectors-table.ts'
import { connectorsTableDefinition } from '../../functions/adapters/state-table/table-definitions.ts'
import type { ConnectorItems } from '../../functions/domain/ports.ts'
import type { LocalDynamo } from '../dynalite.ts'

/** The contract of the connectors table as operations change it, on the DynamoDB that `start` gives. */
export function connectorItemsContract(on: string, start: () => Promise<Pick<LocalDynamo, 'client' | 'create' | 'close'>>): void {
  let dynamo: Pick<LocalDynamo, 'client' | 'create' | 'close'>
  let items: ConnectorItems

  beforeAll(async () => {
    dynamo = await start()
  })
  afterAll(() => dynamo.close())
  beforeEach(async () => {
    const table = `connectors-${crypto.randomUUID()}`
    await dynamo.create(connectorsTableDefinition(table))
    items = connectorItems({ client: dynamo.client, table })
  })

  const item = {
    connectorId: 'acme.cas',
    enabled: true,
    intervalMinutes: 5,
    apiKeySecrets: ['a', 'b'],
    logFilters: [{ name: 'f', action: 'exclude', conditions: [{ field: 'action', operator: 'equals', values: ['Pass'] }] }],
  }

  describe(`the items of the connectors table on ${on}`, () => {
    it('are read as they were written', async () => {
      expect(await items.readItem('acme.cas')).toBeUndefined()
      expect(await items.writeItem(item, undefined)).toBe(true)
      expect(await items.readItem('acme.cas')).toEqual(item)
    })

    it('are not made twice', async () => {
      await items.writeItem(item, undefined)
      expect(await items.writeItem({ ...item, enabled: false }, undefined)).toBe(false)
      expect(await items.readItem('acme.cas')).toEqual(item)
    })

    it('are replaced and deleted if they are still the ones that were read', async () => {
      await items.writeItem(item, undefined)
      const next = { ...item, intervalMinutes: 10 }
      expect(await items.writeItem(next, { ...item, enabled: false })).toBe(false)
      expect(await items.writeItem(next, item)).toBe(true)
      expect(await items.writeItem({ ...item, note: 'x' }, item)).toBe(false)
      expect(await items.deleteItem(item)).toBe(false)
      expect(await items.readItem('acme.cas')).toEqual(next)
      expect(await items.deleteItem(next)).toBe(true)
      expect(await items.readItem('acme.cas')).toBeUndefined()
      expect(await items.deleteItem(next)).toBe(false)
    })

    it('are replaced by one of two who write at the same time', async () => {
      await items.writeItem(item, undefined)
      const written = await Promise.all(['a', 'b', 'c'].map((note) => items.writeItem({ ...item, note }, item)))
      expect(written.filter(Boolean)).toHaveLength(1)
      expect(['a', 'b', 'c'][written.indexOf(true)]).toBe((await items.readItem('acme.cas'))?.['note'])
    })
  })
}
