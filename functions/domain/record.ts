import * as z from 'zod'
import type { Connector } from './connector.ts'
import type { Digest } from './ports.ts'
import type { Instant } from './time.ts'
import type { StreamId, VendorItem } from './vendor.ts'

/**
 * The record: what becomes of one event in the lake. The table below is the only place that says which fields there are; the
 * type, the validator, the columns of the Glue table and the docs are made from it.
 */

interface FieldBase {
  /** Shown in the docs and as the comment of the Glue column, which holds 255 characters. */
  readonly doc: string
  /** In every record. */
  readonly required?: true
}

interface ScalarField extends FieldBase {
  /** As Glue calls it. Times are `bigint`, epoch ms. */
  readonly type: 'string' | 'bigint' | 'int' | 'boolean' | 'array<string>'
  /** The only values there are. */
  readonly values?: readonly string[]
}

interface StructField extends FieldBase {
  readonly type: 'struct'
  readonly fields: FieldTable
}

export type Field = ScalarField | StructField

export interface FieldTable {
  readonly [name: string]: Field
}

export const severities = ['informational', 'low', 'medium', 'high', 'critical'] as const

export type Severity = (typeof severities)[number]

export const recordFields = {
  id: {
    type: 'string',
    required: true,
    doc: 'Identity of the event: a hash of connector, stream and the vendor’s id. The same event always has the same.',
  },
  timestamp: {
    type: 'bigint',
    required: true,
    doc: 'When the event happened (epoch ms); when it was received, where the vendor’s time cannot be read.',
  },
  ingested_at: { type: 'bigint', required: true, doc: 'When the event was received (epoch ms).' },
  ingest_mode: {
    type: 'string',
    required: true,
    values: ['live', 'backfill', 'rewind'],
    doc: 'Why it was read: as it came, later to fill a gap, or because somebody asked for it again.',
  },
  tenant_name: { type: 'string', required: true, doc: 'The tenant of the connector.' },
  connector_id: { type: 'string', required: true, doc: 'The connector that read it.' },
  connector_name: { type: 'string', required: true, doc: 'The connector’s name.' },
  domain: { type: 'string', required: true, doc: 'The base URL it was read from.' },
  msg_class: { type: 'string', required: true, doc: 'Class of the message: vendor, product and content type.' },
  msg_origin: {
    type: 'struct',
    required: true,
    doc: 'Where the message comes from.',
    fields: {
      vendor: { type: 'string', required: true, doc: 'The vendor.' },
      source: { type: 'string', required: true, doc: 'The vendor’s product.' },
      category: { type: 'string', required: true, doc: 'The kind of product.' },
      processor: {
        type: 'struct',
        required: true,
        doc: 'What brought it here.',
        fields: {
          name: { type: 'string', required: true, doc: 'Name of the processor.' },
          type: { type: 'string', required: true, doc: 'Kind of processor.' },
        },
      },
    },
  },
  event_type: { type: 'string', required: true, doc: 'Kind of event, as the connector’s eventTypes name it.' },
  service: { type: 'string', required: true, doc: 'The protected service, as the connector’s contentTypes name it.' },
  severity: { type: 'string', values: severities, doc: 'From the vendor’s risk level; from the kind of threat where there is none.' },
  user: { type: 'string', doc: 'The user concerned.' },
  location: { type: 'string', doc: 'Where the file or message lies: a URL, a path or a folder.' },
  file_name: { type: 'string', doc: 'Name of the file or attachment.' },
  file_sha1: { type: 'string', doc: 'SHA-1 of the file, lower-case hex.' },
  file_sha256: { type: 'string', doc: 'SHA-256 of the file, lower-case hex.' },
  email_message_id: { type: 'string', doc: 'The mail’s Message-ID.' },
  email_sender: { type: 'string', doc: 'The mail’s sender.' },
  email_recipients: { type: 'array<string>', doc: 'The mail’s recipients.' },
  email_subject: { type: 'string', doc: 'The mail’s subject.' },
  threat_name: { type: 'string', doc: 'Name of what was found: risk, malware or ransomware.' },
  threat_type: { type: 'string', doc: 'Kind of threat.' },
  detected_by: { type: 'string', doc: 'The technique that found it.' },
  policy_name: { type: 'string', doc: 'The policy that was triggered.' },
  rule_name: { type: 'string', doc: 'The rule or filter of the policy that was triggered.' },
  dlp_templates: { type: 'array<string>', doc: 'The data loss prevention templates that matched.' },
  action: { type: 'string', doc: 'What was done about it.' },
  outcome: { type: 'string', doc: 'Whether that succeeded.' },
  syslog: {
    type: 'struct',
    required: true,
    doc: 'The event as a syslog message (RFC 5424).',
    fields: {
      facility: { type: 'int', required: true, doc: 'Facility, 0 to 23.' },
      severity: { type: 'int', required: true, doc: 'Severity, 0 (emergency) to 7 (debug).' },
      priority: { type: 'int', required: true, doc: 'Facility × 8 + severity.' },
      timestamp: { type: 'string', required: true, doc: 'When the event happened (RFC 3339).' },
      hostname: { type: 'string', required: true, doc: 'Host that it was read from.' },
      app_name: { type: 'string', required: true, doc: 'The product.' },
      proc_id: { type: 'string', required: true, doc: 'The process: “-”, since the vendor names none.' },
      msg_id: { type: 'string', required: true, doc: 'Kind of event.' },
      message: { type: 'string', required: true, doc: 'The event in the vendor’s own syslog format.' },
    },
  },
  class_uid: { type: 'int', required: true, doc: 'OCSF 1.8 class: 2004 Detection Finding, 2006 Data Security Finding.' },
  type_uid: { type: 'bigint', required: true, doc: 'OCSF event type: class × 100 + activity (1, create).' },
  severity_id: { type: 'int', required: true, doc: 'OCSF severity: 0 unknown, 1 informational, 2 low, 3 medium, 4 high, 5 critical.' },
  malformed: { type: 'boolean', doc: 'True where the item is not what the vendor documents; all there is of it is in raw.' },
  raw: { type: 'string', required: true, doc: 'The item as received (JSON).' },
  raw_encoding: { type: 'string', doc: 'How raw is encoded where it is not plain text: gzip+base64, or truncated.' },
} as const satisfies FieldTable

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

/** The fields that a vendor adds, as structs under the vendor's own name; its folder has the table of them. */
interface VendorStructs {
  readonly [name: string]: FieldValue | undefined
}

type CommonRecord = RecordOf<typeof recordFields>

/** A record of the lake; no field is blank. */
export type LakeRecord = CommonRecord & VendorStructs

type EnvelopeField = 'id' | 'ingested_at' | 'ingest_mode' | 'tenant_name' | 'connector_id' | 'connector_name' | 'domain'

/** The part of a record that is the vendor's to fill; blank values are left out later. */
export type RecordBody = Omit<CommonRecord, EnvelopeField | 'syslog'> & {
  readonly syslog: Omit<CommonRecord['syslog'], 'hostname'>
} & VendorStructs

type IngestMode = CommonRecord['ingest_mode']

/** The part that is not. */
export interface RecordEnvelope {
  readonly id: string
  readonly ingestedAt: Instant
  readonly ingestMode: IngestMode
  readonly connector: Pick<Connector, 'connectorId' | 'name' | 'tenantName' | 'baseUrl'>
}

/** `msg_origin.processor`: this program. */
export const processor = { name: 'tributary', type: 'log_collector' } as const

/** Fields in the order of the table, the vendor's after them, without blanks (an empty text or list, null, undefined). */
export function toRecord(body: RecordBody, { id, ingestedAt, ingestMode, connector }: RecordEnvelope): LakeRecord {
  return tidied(recordFields, {
    ...body,
    id,
    ingested_at: ingestedAt,
    ingest_mode: ingestMode,
    tenant_name: connector.tenantName,
    connector_id: connector.connectorId,
    connector_name: connector.name,
    domain: connector.baseUrl,
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
  // Half a character is no text to many a reader of the lake. `raw` holds it still, as an escape.
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

/** One NDJSON line, without its newline. */
export function serialise(record: LakeRecord): string {
  return JSON.stringify(record)
}

/** The vendor's id of an item; where it has none, a hash of the item, so that the same item has the same id again. */
export function itemId(item: VendorItem, digest: Digest): string {
  return item.id ?? digest(canonicalJson(item.raw))
}

/** 32 lower-case hex digits, the same for the same event for ever. */
export function recordId(digest: Digest, connectorId: string, stream: StreamId, itemId: string): string {
  return digest(JSON.stringify([connectorId, stream, itemId])).slice(0, 32)
}

/** An item as JSON text, in the order it came. */
export function rawJson(item: unknown): string {
  try {
    return JSON.stringify(item) ?? 'null'
  } catch (thrown) {
    // JSON.parse reads nesting of any depth; JSON.stringify recurses, and its stack ends at some thousand levels.
    if (thrown instanceof RangeError) return canonicalJson(item)
    throw thrown
  }
}

/** JSON text with sorted keys, for a JSON value of any depth: what is still to be written waits on a stack of its own. */
export function canonicalJson(value: unknown): string {
  const parts: string[] = []
  const todo: ({ readonly text: string } | { readonly value: unknown })[] = [{ value }]
  for (let next = todo.pop(); next !== undefined; next = todo.pop()) {
    if ('text' in next) parts.push(next.text)
    else if (typeof next.value !== 'object' || next.value === null) parts.push(JSON.stringify(next.value) ?? 'null')
    else {
      const list = Array.isArray(next.value)
      const members = Object.entries(next.value)
      if (!list) members.sort(([a], [b]) => (a < b ? -1 : 1))
      parts.push(list ? '[' : '{')
      todo.push({ text: list ? ']' : '}' })
      for (const [index, [key, member]] of [...members.entries()].reverse()) {
        todo.push({ value: member }, { text: `${index === 0 ? '' : ','}${list ? '' : `${JSON.stringify(key)}:`}` })
      }
    }
  }
  return parts.join('')
}

/** The validator of records with the fields of a table and no others. */
export function recordSchema(table: FieldTable): z.ZodType {
  return z.strictObject(
    Object.fromEntries(
      Object.entries(table).map(([name, field]) => {
        const schema = fieldSchema(field)
        return [name, field.required === true ? schema : schema.optional()]
      }),
    ),
  )
}

function fieldSchema(field: Field): z.ZodType {
  switch (field.type) {
    case 'struct':
      return recordSchema(field.fields)
    case 'string':
      return field.values === undefined ? z.string().min(1) : z.enum(field.values)
    case 'array<string>':
      return z.array(z.string().min(1)).min(1)
    case 'bigint':
      return z.int()
    case 'int':
      return z.int32()
    case 'boolean':
      return z.boolean()
  }
}

export interface GlueColumn {
  readonly name: string
  readonly type: string
  readonly comment: string
}

export function glueColumns(table: FieldTable): GlueColumn[] {
  return Object.entries(table).map(([name, field]) => ({ name, type: glueType(field), comment: field.doc }))
}

/** `string`, `struct<name:string,type:string>`. */
export function glueType(field: Field): string {
  if (field.type !== 'struct') return field.type
  const members = Object.entries(field.fields).map(([name, inner]) => `${name}:${glueType(inner)}`)
  return `struct<${members.join(',')}>`
}
