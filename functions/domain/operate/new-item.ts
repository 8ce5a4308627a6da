import { tenantOfId } from '../connector/tenant.ts'

type Item = Readonly<Record<string, unknown>>

/**
 * The item of a new connector with the names that people see, where they are not given: by convention they follow from its id, TENANT.NAME.
 * `tenantName`: the one that other connectors of the tenant have.
 */
export function withNames(item: Item, tenantName?: string): Item {
  const id = item['connectorId']
  const tenant = typeof id === 'string' ? tenantOfId(id) : undefined
  if (typeof id !== 'string' || tenant === undefined) return item
  return { ...item, name: item['name'] ?? id.replace('.', '-'), tenantName: item['tenantName'] ?? tenantName ?? tenant }
}
