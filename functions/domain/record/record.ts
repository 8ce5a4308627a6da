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
 * Makes a record: the fields in the order of the table, then the vendor's fields. Blank values (an empty text or list, null) become undefined,
 * so a line does not have them. All records of a vendor are objects of one shape: V8 makes and writes those several times as fast.
 */
export function toRecord(body: RecordBody, envelope: RecordEnvelope): LakeRecord {
  const { connector } = envelope
  const common: { readonly [K in keyof typeof recordFields]: CommonRecord[K] } = {
    id: envelope.id,
    event_id: tidied(envelope.eventId),
    timestamp: body.timestamp,
    timestamp_source: body.timestamp_source,
    ingested_at: envelope.ingestedAt,
    ingest_mode: envelope.ingestMode,
    tenant: tidied(tenantOf(connector)),
    tenant_name: tidied(connector.tenantName),
    connector_id: tidied(connector.connectorId),
    connector_name: tidied(connector.name),
    domain: tidied(connector.baseUrl),
    msg_class: tidied(body.msg_class),
    msg_origin: tidied(body.msg_origin),
    event_type: tidied(body.event_type),
    service: tidied(body.service),
    severity: body.severity,
    user: tidied(body.user),
    location: tidied(body.location),
    file_name: tidied(body.file_name),
    file_sha1: tidied(body.file_sha1),
    file_sha256: tidied(body.file_sha256),
    email_message_id: tidied(body.email_message_id),
    email_sender: tidied(body.email_sender),
    email_recipients: tidied(body.email_recipients),
    email_subject: tidied(body.email_subject),
    threat_name: tidied(body.threat_name),
    threat_type: tidied(body.threat_type),
    detected_by: tidied(body.detected_by),
    policy_name: tidied(body.policy_name),
    rule_name: tidied(body.rule_name),
    dlp_templates: tidied(body.dlp_templates),
    action: tidied(body.action),
    outcome: tidied(body.outcome),
    syslog: syslogOf(body.syslog, connector.baseUrl),
    class_uid: body.class_uid,
    type_uid: body.type_uid,
    severity_id: body.severity_id,
    malformed: body.malformed,
    redacted: envelope.isRedacted === true ? true : undefined,
    raw: tidied(body.raw),
    raw_encoding: tidied(body.raw_encoding),
  }
  const record: Record<string, FieldValue | undefined> & CommonRecord = { ...common }
  for (const name in body) if (!Object.hasOwn(recordFields, name)) record[name] = tidied(body[name])
  return record
}

function syslogOf(syslog: RecordBody['syslog'], baseUrl: string): CommonRecord['syslog'] {
  return {
    facility: syslog.facility,
    severity: syslog.severity,
    priority: syslog.priority,
    timestamp: tidied(syslog.timestamp),
    hostname: tidied(URL.parse(baseUrl)?.hostname ?? '-'),
    app_name: tidied(syslog.app_name),
    proc_id: tidied(syslog.proc_id),
    msg_id: tidied(syslog.msg_id),
    message: tidied(syslog.message),
  }
}

/** A blank value becomes undefined, and a lone surrogate U+FFFD: many readers of the lake reject one. `raw` still has it, as an escape. */
function tidied<T extends FieldValue | null | undefined>(value: T): T {
  return tidiedValue(value) as T
}

function tidiedValue(value: FieldValue | null | undefined): FieldValue | undefined {
  if (typeof value === 'string') return value === '' ? undefined : value.toWellFormed()
  if (value === null || value === undefined) return undefined
  if (typeof value !== 'object') return value
  if (isList(value)) {
    const list = value.filter((text) => text !== '').map((text) => text.toWellFormed())
    return list.length > 0 ? list : undefined
  }
  const struct: Record<string, FieldValue | undefined> = { ...value }
  let isBlank = true
  for (const name in struct) {
    struct[name] = tidiedValue(struct[name])
    if (struct[name] !== undefined) isBlank = false
  }
  return isBlank ? undefined : struct
}

function isList(value: FieldValue): value is readonly string[] {
  return Array.isArray(value)
}

/** A record as one NDJSON line, without the newline. */
export function serialise(record: LakeRecord): string {
  return JSON.stringify(record)
}
