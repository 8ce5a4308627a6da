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
  const word = severity === undefined ? 'Unknown' : severityWords[severity]
  const header = `CEF:0|Trend Micro|CAS|5.0|100,101|${cefHeader(event)}|${word}|`
  return wire === undefined ? header : `${header}${extension(wire)}`
}

function extension({ item, message }: WireItem): string {
  const recipients = listOf(message['mail_message_recipient'])
  return [
    attribute('DevicePayloadId', textOf(item['log_item_id']) || textOf(message['log_item_id'])),
    attribute('destinationServiceName', item['service']),
    attribute('cat', item['event']),
    attribute('msg', message['scan_type']),
    attribute('TrendMicroCasAffectedUser', message['affected_user']),
    attribute('TrendMicroCasLocation', message['location']),
    attribute('rt', message['detection_time']),
    attribute('TrendMicroCasPolicyName', message['triggered_policy_name']),
    attribute('TrendMicroCasFilter', message['triggered_security_filter']),
    attribute('act', message['action']),
    attribute('TrendMicroCasThreatType', message['threat_type']),
    attribute('outcome', message['action_result']),
    attribute('suid', message['mail_message_id']),
    attribute('suser', message['mail_message_sender']),
    attribute('duser', recipients.length === 0 ? undefined : JSON.stringify(recipients)),
    attribute('start', message['mail_message_submit_time']),
    attribute('end', message['mail_message_delivery_time']),
    attribute('TrendMicroCasMailSubject', message['mail_message_subject']),
    attribute('TrendMicroCasMailFileName', message['mail_message_file_name']),
    attribute('fname', message['file_name']),
  ]
    .join('')
    .slice(1)
}

/** An attribute with a space before it; nothing if the item does not have it. */
function attribute(name: string, value: unknown): string {
  const text = textOf(value)
  return text === undefined || text === '' ? '' : ` ${name}=${cefValue(text)}`
}
