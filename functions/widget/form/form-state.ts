import type { Problem } from '../../domain/connector/problems.ts'
import type { Vendor } from '../../domain/vendor.ts'
import type { Draft, Item } from './draft.ts'
import type { Field, FormStep } from './fields.ts'
import type { KnownTenant } from './identity.ts'

/** All that one view of the form shows. */
export interface FormState {
  readonly mode: 'create' | 'edit'
  readonly step: FormStep
  readonly vendor: Vendor
  readonly vendors: readonly Vendor[]
  /** The item as it is stored; of a new connector its type alone. */
  readonly item: Item
  readonly version?: string
  readonly draft: Draft
  readonly fields: readonly Field[]
  readonly tenants: readonly KnownTenant[]
  /** The id, as far as it is known. */
  readonly connectorId: string
  readonly problems: readonly Problem[]
  /** The attribute that a failed Test leads to. */
  readonly field?: string
  readonly notice?: string
  /** The name of a secret for a key that is typed here. */
  readonly newSecret: string
  readonly canStoreKeys: boolean
}
