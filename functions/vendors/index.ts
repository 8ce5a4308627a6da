import { type FieldTable, recordFields } from '../domain/record/fields.ts'
import type { Vendor } from '../domain/vendor.ts'
import { trendmicroFields } from './trendmicro-cas/fields.ts'
import { trendmicroCas } from './trendmicro-cas/index.ts'

/** Every vendor, by the `type` of its connectors. */
export const vendors: ReadonlyMap<string, Vendor> = new Map([trendmicroCas].map((vendor) => [vendor.type, vendor]))

export function vendorOf(type: string): Vendor | undefined {
  return vendors.get(type)
}

/** Every field of the lake: the common ones, and those of each vendor. */
export const lakeFields = { ...recordFields, ...trendmicroFields } as const satisfies FieldTable
