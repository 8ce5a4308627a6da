import type { Severity } from '../../domain/record/fields.ts'
import { cefHeader, cefValue } from '../../domain/record/syslog.ts'
import { listOf, textOf, type WireItem } from './wire.ts'

const severityWords: Readonly<Record<Severity, string>> = {
  critical: 'Very-High',
  high: 'High',
  medium: 'Medium',
  low: 'Low',
  informational: 'Low',
}

/**
 * The event as the vendor's own syslog message, which the vendor documents under `format=cef`, but with a bar after the severity, as CEF
 * has it: without it parsers of CEF read an empty severity. Attributes that the item does not have are left out.
 */
export function cefMessage(event: string, severity: Severity | undefined, wire: WireItem | undefined): string {
  const header = [
    'CEF:0',
    'Trend Micro',
    'CAS',
    '5.0',
    '100,101',
    cefHeader(event),
    severity === undefined ? 'Unknown' : severityWords[severity],
  ]
  const values = wire === undefined ? [] : extension(wire).flatMap(([key, value]) => (value ? [`${key}=${cefValue(value)}`] : []))
  return `${header.join('|')}|${values.join(' ')}`
}

function extension({ item, message }: WireItem): [string, string | undefined][] {
  const recipients = listOf(message['mail_message_recipient'])
  return [
    ['DevicePayloadId', textOf(item['log_item_id']) || textOf(message['log_item_id'])],
    ['destinationServiceName', textOf(item['service'])],
    ['cat', textOf(item['event'])],
    ['msg', textOf(message['scan_type'])],
    ['TrendMicroCasAffectedUser', textOf(message['affected_user'])],
    ['TrendMicroCasLocation', textOf(message['location'])],
    ['rt', textOf(message['detection_time'])],
    ['TrendMicroCasPolicyName', textOf(message['triggered_policy_name'])],
    ['TrendMicroCasFilter', textOf(message['triggered_security_filter'])],
    ['act', textOf(message['action'])],
    ['TrendMicroCasThreatType', textOf(message['threat_type'])],
    ['outcome', textOf(message['action_result'])],
    ['suid', textOf(message['mail_message_id'])],
    ['suser', textOf(message['mail_message_sender'])],
    ['duser', recipients.length === 0 ? undefined : JSON.stringify(recipients)],
    ['start', textOf(message['mail_message_submit_time'])],
    ['end', textOf(message['mail_message_delivery_time'])],
    ['TrendMicroCasMailSubject', textOf(message['mail_message_subject'])],
    ['TrendMicroCasMailFileName', textOf(message['mail_message_file_name'])],
    ['fname', textOf(message['file_name'])],
  ]
}
