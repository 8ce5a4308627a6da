import { type FieldTable, recordFields } from '../domain/record/fields.ts'
import type { Vendor } from '../domain/vendor.ts'
import { trendmicroFields } from './trendmicro-cas/fields.ts'
import { trendmicroCas } from './trendmicro-cas/index.ts'

/** Every vendor there is, by the `type` of its connectors. */
export const vendors: ReadonlyMap<string, Vendor> = new Map([trendmicroCas].map((vendor) => [vendor.type, vendor]))

export function vendorOf(type: string): Vendor | undefined {
  return vendors.get(type)
}

/** Every field of the lake: those that all records have, and each vendor's own. */
export const lakeFields = { ...recordFields, ...trendmicroFields } as const satisfies FieldTable
