import type { Field, Severity } from '../../domain/record/fields.ts'
import { ocsfIds } from '../../domain/record/ocsf.ts'
import { type FieldValue, processor, type RecordBody } from '../../domain/record/record.ts'
import { syslogStruct } from '../../domain/record/syslog.ts'
import type { StreamId } from '../../domain/stream/stream.ts'
import type { Instant } from '../../domain/time.ts'
import type { VendorItem } from '../../domain/vendor.ts'
import { cefMessage } from './cef.ts'
import { itemFields, messageFields } from './fields.ts'
import { describe } from './request.ts'
import { listOf, parseItem, textOf, timeOf, type WireItem } from './wire.ts'

/** `msg_origin.source` of every record. */
export const source = 'trendmicro_cloud_app_security'

/** `msg_class` of the records of a service. */
export function msgClassOf(service: string): string {
  return `trendmicro_cas_logs_${service}`
}

type Message = WireItem['message']

export function normalise(
  { id, raw, rawEncoding, value }: VendorItem,
  { stream, receivedAt }: { readonly stream: StreamId; readonly receivedAt: Instant },
): RecordBody {
  const { service, event } = describe(stream)
  const wire = parseItem(value)
  const message = wire?.message ?? {}
  const eventTime = timeOf(message['detection_time'], receivedAt)
  const timestamp = eventTime ?? receivedAt
  const severity = wire === undefined ? undefined : severityOf(event, message)
  return {
    timestamp,
    timestamp_source: eventTime === undefined ? 'receipt' : 'event',
    msg_class: msgClassOf(service),
    msg_origin: { vendor: 'trendmicro', source, category: 'cloud_security', processor },
    event_type: event,
    service,
    severity,
    user: textOf(message['affected_user']),
    location: textOf(message['location']),
    file_name: firstText(message, 'file_name', 'mail_message_file_name'),
    file_sha1: textOf(message['file_sha1'])?.toLowerCase(),
    file_sha256: textOf(message['file_sha256'])?.toLowerCase(),
    email_message_id: textOf(message['mail_message_id']),
    email_sender: textOf(message['mail_message_sender']),
    email_recipients: listOf(message['mail_message_recipient']),
    email_subject: textOf(message['mail_message_subject']),
    threat_name: firstText(message, 'ransomware_name', 'virus_name', 'security_risk_name'),
    threat_type: textOf(message['threat_type']),
    detected_by: textOf(message['detected_by']),
    policy_name: textOf(message['triggered_policy_name']),
    rule_name: textOf(message['triggered_security_filter']),
    dlp_templates: listOf(message['triggered_dlp_template']),
    action: textOf(message['action']),
    outcome: textOf(message['action_result']),
    trendmicro: wire && documented(wire, id, receivedAt),
    syslog: syslogStruct({ timestamp, severity, appName: 'trendmicro_cas', msgId: event, message: cefMessage(event, severity, wire) }),
    ...ocsfIds(event === 'dlp' ? 'data-security' : 'detection', severity),
    malformed: wire === undefined ? true : undefined,
    raw,
    raw_encoding: rawEncoding,
  }
}

function firstText(message: Message, ...names: readonly (keyof typeof messageFields)[]): string | undefined {
  for (const name of names) {
    const text = textOf(message[name])
    if (text !== undefined && text !== '') return text
  }
  return undefined
}

const itemFieldList: readonly (readonly [string, Field])[] = Object.entries(itemFields)
const messageFieldList: readonly (readonly [string, Field])[] = Object.entries(messageFields)
/** Copies of it have one shape, whatever fields an item has. */
const noFields: Readonly<Record<string, FieldValue | undefined>> = Object.fromEntries(
  [...itemFieldList, ...messageFieldList].map(([name]) => [name, undefined]),
)

function documented({ item, message }: WireItem, id: string | undefined, receivedAt: Instant): Record<string, FieldValue | undefined> {
  const fields = { ...noFields }
  for (const [name, field] of itemFieldList) fields[name] = fitting(field, item[name], receivedAt)
  for (const [name, field] of messageFieldList) fields[name] = fitting(field, message[name], receivedAt)
  fields['log_item_id'] = id
  return fields
}

function fitting(field: Field, value: unknown, receivedAt: Instant): FieldValue | undefined {
  if (field.type === 'bigint') return timeOf(value, receivedAt)
  return field.type === 'array<string>' ? listOf(value) : textOf(value)
}

/** The vendor's risk level; if the item has none, the usual severity of the threat. */
function severityOf(event: string, message: Message): Severity {
  const risk = textOf(message['risk_level'])?.toLowerCase() ?? ''
  if (/\bno\b|none|normal|info/.test(risk)) return 'informational'
  const stated = (['critical', 'high', 'medium', 'low'] as const).find((level) => risk.includes(level))
  if (stated !== undefined) return stated
  if (event === 'ransomware' || firstText(message, 'ransomware_name') !== undefined) return 'critical'
  if (firstText(message, 'virus_name') !== undefined) return 'high'
  return /malware|virus|ransom|phish|spyware|trojan|exploit|compromise/i.test(textOf(message['threat_type']) ?? '') ? 'high' : 'medium'
}
