import { withNames } from '../../domain/operate/new-item.ts'
import type { Draft, Item } from './draft.ts'

/** The identity of a new connector: its tenant and its name make the id, and none of them can change later. */

export interface KnownTenant {
  readonly tenant: string
  /** For people. */
  readonly name: string
}

/** The texts of the form that make the identity. `newTenant` counts before `tenant`. */
export const identityNames = ['type', 'tenant', 'newTenant', 'shortName'] as const

export function identityOf(draft: Draft): { readonly tenant: string; readonly connectorId: string } {
  const { tenant: chosen = '', newTenant = '', shortName = '' } = draft
  const tenant = newTenant.trim() === '' ? chosen.trim() : newTenant.trim()
  return { tenant, connectorId: tenant === '' && shortName.trim() === '' ? '' : `${tenant}.${shortName.trim()}` }
}

/** The item with its id. The names that people see follow from the tenant and the short name, if they are not given. */
export function withIdentity(item: Item, draft: Draft, tenants: readonly KnownTenant[]): Item {
  const { tenant, connectorId } = identityOf(draft)
  return withNames({ ...item, connectorId }, tenants.find((each) => each.tenant === tenant)?.name)
}
