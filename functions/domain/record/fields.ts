/**
 * The field table of the record, the only list of its fields. The type, the validator, the columns of the Glue table and the docs are
 * made from it.
 */

interface FieldBase {
  /** Shown in the docs and as the comment of the Glue column, which has room for 255 characters. */
  readonly doc: string
  /** Whether every record has the field. */
  readonly required?: true
}

export interface ScalarField extends FieldBase {
  /** The type's name in Glue. Times are `bigint`, epoch ms. */
  readonly type: 'string' | 'bigint' | 'int' | 'boolean' | 'array<string>'
  /** All values that the field may have; absent: any. */
  readonly values?: readonly string[]
}

export interface StructField extends FieldBase {
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
    doc: 'Identity of the record: a hash of connector, stream, event_id and content. The same event always has the same id; an update has its own.',
  },
  event_id: { type: 'string', doc: 'The vendor’s id of the event. An update of the event has the same one.' },
  timestamp: {
    type: 'bigint',
    required: true,
    doc: 'When the event happened (epoch ms). If the vendor’s time cannot be read, when it was received.',
  },
  timestamp_source: {
    type: 'string',
    required: true,
    values: ['event', 'receipt'],
    doc: 'event: timestamp is the vendor’s time; receipt: that is missing or means nothing, so timestamp is the receipt.',
  },
  ingested_at: { type: 'bigint', required: true, doc: 'When the event was received (epoch ms).' },
  ingest_mode: {
    type: 'string',
    required: true,
    values: ['live', 'backfill', 'rewind'],
    doc: 'Why the event was read: live: as it came; backfill: later, to fill a gap; rewind: reserved.',
  },
  tenant: {
    type: 'string',
    required: true,
    doc: 'The tenant that the connector’s id names. If the id names none, as before 0.4.0, ~ and tenant_name.',
  },
  tenant_name: { type: 'string', required: true, doc: 'The tenant’s name for people.' },
  connector_id: { type: 'string', required: true, doc: 'The connector that read the event.' },
  connector_name: { type: 'string', required: true, doc: 'The connector’s name.' },
  domain: { type: 'string', required: true, doc: 'The base URL that the event was read from.' },
  msg_class: { type: 'string', required: true, doc: 'Class of the message: vendor, product and content type.' },
  msg_origin: {
    type: 'struct',
    required: true,
    doc: 'The origin of the message.',
    fields: {
      vendor: { type: 'string', required: true, doc: 'The vendor.' },
      source: { type: 'string', required: true, doc: 'The vendor’s product.' },
      category: { type: 'string', required: true, doc: 'The kind of product.' },
      processor: {
        type: 'struct',
        required: true,
        doc: 'The program that read the message.',
        fields: {
          name: { type: 'string', required: true, doc: 'Name of the processor.' },
          type: { type: 'string', required: true, doc: 'Kind of processor.' },
        },
      },
    },
  },
  event_type: { type: 'string', required: true, doc: 'Kind of event, as the connector’s eventTypes name it.' },
  service: { type: 'string', required: true, doc: 'The protected service, as the connector’s contentTypes name it.' },
  severity: { type: 'string', values: severities, doc: 'From the vendor’s risk level or, if there is none, from the kind of threat.' },
  user: { type: 'string', doc: 'The user concerned.' },
  location: { type: 'string', doc: 'Place of the file or message: a URL, a path or a folder.' },
  file_name: { type: 'string', doc: 'Name of the file or attachment.' },
  file_sha1: { type: 'string', doc: 'SHA-1 of the file, lower-case hex.' },
  file_sha256: { type: 'string', doc: 'SHA-256 of the file, lower-case hex.' },
  email_message_id: { type: 'string', doc: 'The mail’s Message-ID.' },
  email_sender: { type: 'string', doc: 'The mail’s sender.' },
  email_recipients: { type: 'array<string>', doc: 'The mail’s recipients.' },
  email_subject: { type: 'string', doc: 'The mail’s subject.' },
  threat_name: { type: 'string', doc: 'Name of the risk, malware or ransomware that was found.' },
  threat_type: { type: 'string', doc: 'Kind of threat.' },
  detected_by: { type: 'string', doc: 'The technique that found it.' },
  policy_name: { type: 'string', doc: 'The policy that was triggered.' },
  rule_name: { type: 'string', doc: 'The rule or filter of the policy that was triggered.' },
  dlp_templates: { type: 'array<string>', doc: 'The data loss prevention templates that matched.' },
  action: { type: 'string', doc: 'The action that was taken.' },
  outcome: { type: 'string', doc: 'The result of the action.' },
  syslog: {
    type: 'struct',
    required: true,
    doc: 'The event as a syslog message (RFC 5424).',
    fields: {
      facility: { type: 'int', required: true, doc: 'Facility, 0 to 23.' },
      severity: { type: 'int', required: true, doc: 'Severity, 0 (emergency) to 7 (debug).' },
      priority: { type: 'int', required: true, doc: 'Facility × 8 + severity.' },
      timestamp: { type: 'string', required: true, doc: 'When the event happened (RFC 3339).' },
      hostname: { type: 'string', required: true, doc: 'Host that the event was read from.' },
      app_name: { type: 'string', required: true, doc: 'The product.' },
      proc_id: { type: 'string', required: true, doc: 'The process: “-”, because the vendor names none.' },
      msg_id: { type: 'string', required: true, doc: 'Kind of event.' },
      message: { type: 'string', required: true, doc: 'The event in the vendor’s own syslog format.' },
    },
  },
  class_uid: { type: 'int', required: true, doc: 'OCSF 1.8 class: 2004 Detection Finding, 2006 Data Security Finding.' },
  type_uid: { type: 'bigint', required: true, doc: 'OCSF event type: class × 100 + activity (1, create).' },
  severity_id: { type: 'int', required: true, doc: 'OCSF severity: 0 unknown, 1 informational, 2 low, 3 medium, 4 high, 5 critical.' },
  malformed: { type: 'boolean', doc: 'True if the item differs from the vendor’s documentation. raw has all of it.' },
  redacted: {
    type: 'boolean',
    doc: 'True if the item held an API key of its connector. [redacted] stands in its place, in raw too.',
  },
  raw: { type: 'string', required: true, doc: 'The text of the item, as received (JSON), but for keys (redacted).' },
  raw_encoding: {
    type: 'string',
    doc: 'The encoding of raw if it is not plain text: gzip+base64, base64 (bytes that are not of the charset), or truncated.',
  },
} as const satisfies FieldTable
