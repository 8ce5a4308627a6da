import { tenantOf } from '../connector/tenant.ts'
import type { Instant } from '../time.ts'
import { type Field, type FieldTable, recordFields, type ScalarField, type StructField } from './fields.ts'

/** The record: one event as the lake stores it. */

interface ValueOfType {
  readonly string: string
  readonly bigint: number
  readonly int: number
  readonly boolean: boolean
  readonly 'array<string>': readonly string[]
}

type ValueOf<F extends Field> = F extends StructField
  ? RecordOf<F['fields']>
  : F extends { readonly values: readonly (infer V)[] }
    ? V
    : F extends ScalarField
      ? ValueOfType[F['type']]
      : never

type RequiredNames<T extends FieldTable> = { [K in keyof T]: T[K] extends { readonly required: true } ? K : never }[keyof T]

type RecordOf<T extends FieldTable> = { readonly [K in RequiredNames<T>]: ValueOf<T[K]> } & {
  readonly [K in Exclude<keyof T, RequiredNames<T>>]?: ValueOf<T[K]> | undefined
}

export type FieldValue = string | number | boolean | readonly string[] | { readonly [name: string]: FieldValue | undefined }

/** The fields that a vendor adds, as structs under the vendor's own name. The vendor's folder has their table. */
interface VendorStructs {
  readonly [name: string]: FieldValue | undefined
}

type CommonRecord = RecordOf<typeof recordFields>

/** A record of the lake. No field is blank. */
export type LakeRecord = CommonRecord & VendorStructs

/** The fields that hold nothing of the vendor's item. */
export const ownFields = [
  'id',
  'ingested_at',
  'ingest_mode',
  'tenant',
  'tenant_name',
  'connector_id',
  'connector_name',
  'domain',
] as const satisfies (keyof CommonRecord)[]

type EnvelopeField = (typeof ownFields)[number] | 'event_id' | 'redacted'

/** The part of a record that the vendor's code fills. `toRecord` leaves its blank values out. */
export type RecordBody = Omit<CommonRecord, EnvelopeField | 'syslog'> & {
  readonly syslog: Omit<CommonRecord['syslog'], 'hostname'>
} & VendorStructs

type IngestMode = CommonRecord['ingest_mode']

/** The connector that read the event, as its record names it. */
interface RecordOrigin {
  readonly connectorId: string
  readonly name: string
  readonly tenantName: string
  readonly baseUrl: string
}

/** The part of a record that the vendor's code cannot set. */
export interface RecordEnvelope {
  readonly id: string
  /** The vendor's id; `''` if the item has none. */
  readonly eventId: string
  readonly ingestedAt: Instant
  readonly ingestMode: IngestMode
  /** The body was made of an item from which an API key was removed. */
  readonly isRedacted?: boolean
  readonly connector: RecordOrigin
}

/** The value of `msg_origin.processor`: this program. */
export const processor = { name: 'tributary', type: 'log_collector' } as const

/**
 * Makes a record: the fields in the order of the table, then the vendor's fields. Blank values (an empty text or list, null, undefined)
 * are left out.
 */
export function toRecord(body: RecordBody, { id, eventId, ingestedAt, ingestMode, isRedacted, connector }: RecordEnvelope): LakeRecord {
  return tidied(recordFields, {
    ...body,
    id,
    event_id: eventId,
    ingested_at: ingestedAt,
    ingest_mode: ingestMode,
    tenant: tenantOf(connector),
    tenant_name: connector.tenantName,
    connector_id: connector.connectorId,
    connector_name: connector.name,
    domain: connector.baseUrl,
    redacted: isRedacted === true ? true : undefined,
    syslog: { ...body.syslog, hostname: URL.parse(connector.baseUrl)?.hostname ?? '-' },
  })
}

function tidied<T extends Readonly<Record<string, FieldValue | undefined>>>(table: FieldTable, values: T): T {
  const tidy: Record<string, FieldValue> = {}
  const put = (name: string, field: Field | undefined) => {
    const value = tidiedValue(field?.type === 'struct' ? field.fields : noFields, values[name])
    if (value !== undefined) tidy[name] = value
  }
  for (const name in table) put(name, table[name])
  for (const name in values) if (!Object.hasOwn(table, name)) put(name, undefined)
  return tidy as T
}

const noFields: FieldTable = {}

function tidiedValue(table: FieldTable, value: FieldValue | null | undefined): FieldValue | undefined {
  if (value === null || value === undefined || value === '') return undefined
  // Many readers of the lake reject a lone surrogate. `raw` still has it, as an escape.
  if (typeof value === 'string') return value.toWellFormed()
  if (isList(value)) {
    const list = value.filter((text) => text !== '').map((text) => text.toWellFormed())
    return list.length > 0 ? list : undefined
  }
  if (typeof value !== 'object') return value
  const struct = tidied(table, value)
  return Object.keys(struct).length > 0 ? struct : undefined
}

function isList(value: FieldValue): value is readonly string[] {
  return Array.isArray(value)
}

/** A record as one NDJSON line, without the newline. */
export function serialise(record: LakeRecord): string {
  return JSON.stringify(record)
}
