import type { FieldTable } from '../../domain/record/fields.ts'

const text = (doc: string) => ({ type: 'string', doc }) as const
const list = (doc: string) => ({ type: 'array<string>', doc }) as const
const time = (doc: string) => ({ type: 'bigint', doc: `${doc} (epoch ms).` }) as const

/** The documented fields of an item, except those of its `message`. */
export const itemFields = {
  event: text('Kind of event, in the vendor’s words.'),
  log_item_id: text('The vendor’s id of the event.'),
  service: text('The protected service, in the vendor’s words.'),
} as const satisfies FieldTable

/** The documented fields of an item's `message`. */
export const messageFields = {
  scan_type: text('Real-time or manual scan.'),
  affected_user: text('The user concerned.'),
  location: text('The location of the file or message.'),
  detection_time: time('When it was detected'),
  triggered_policy_name: text('The policy that was triggered.'),
  triggered_security_filter: text('The filter of the policy that was triggered.'),
  action: text('The action that was taken.'),
  action_result: text('Whether that succeeded.'),
  mail_message_id: text('The mail’s Message-ID.'),
  mail_message_sender: text('The mail’s sender.'),
  mail_message_recipient: list('The mail’s recipients.'),
  mail_message_submit_time: time('When the mail was submitted'),
  mail_message_delivery_time: time('When the mail was delivered'),
  mail_message_subject: text('The mail’s subject.'),
  mail_message_file_name: text('Name of the attachment.'),
  file_name: text('Name of the file.'),
  file_upload_time: time('When the file was uploaded'),
  file_sha1: text('SHA-1 of the file.'),
  file_sha256: text('SHA-256 of the file.'),
  security_risk_name: text('Name of the risk that was found.'),
  detected_by: text('The technique that found it.'),
  risk_level: text('The vendor’s risk level.'),
  threat_type: text('Kind of threat.'),
  virus_name: text('Name of the malware.'),
  detection_type: text('Kind of detection (Virtual Analyzer).'),
  ransomware_name: text('Name of the ransomware.'),
  triggered_dlp_template: list('The data loss prevention templates that matched.'),
} as const satisfies FieldTable

/** This vendor's part of the record. */
export const trendmicroFields = {
  trendmicro: {
    type: 'struct',
    doc: 'Every field that the vendor documents. A value that is not of its type is in raw only.',
    fields: { ...itemFields, ...messageFields },
  },
} as const satisfies FieldTable
