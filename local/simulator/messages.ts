import { type EventType, eventTypes, partsOf, type Service, services } from './catalogue.ts'
import type { SimulatedEvent } from './history.ts'
import { between, hex32, pick, type Random, randomFrom, scramble, unit, uuid } from './random.ts'

/** Makes the item of an event: the fields that the vendor documents for its service and type, with values like real ones. */

type Message = Record<string, unknown>
/** An object, unless the event is malformed. */
type Item = object | string | null

const people = [
  'anna.lindqvist',
  'b.okafor',
  'chen.wei',
  'dolores.o-hara',
  'emre.yildiz',
  'françois.dubois',
  'gita_rao',
  'hiroshi.tanaka',
  'ivan.petrov+archive',
  'jörg.müller',
  'svc-backup',
  'maría.núñez',
]
const strangers = [
  'billing@paypa1-secure.example',
  'no-reply@dhl-tracking.example',
  '"Müller, Jörg" <j.mueller@partner.example>',
  'ceo@acrne.example',
  'faktura@leverantör.example',
]
const files = [
  'Q3 forecast, final (2).xlsx',
  'invoice_2041.pdf.exe',
  '予算_2026年度.docx',
  'Lebenslauf Müller, Jörg.docm',
  'payroll|2026-10.csv',
  'a=b.zip',
  'say "hello".js',
  'Счёт №117.rtf',
  '20170813_125133.jpg',
  "l'été – photos.7z",
  'backup\\old\\keys.pem',
  'README',
]
const subjects = [
  'Invoice 2041 overdue – please pay, today',
  'Re: "Quarterly numbers", draft | v2',
  '請求書のご確認',
  'Ihre Rechnung Nr. 117=118',
  '🎁 You have won, anna!',
  'Срочно: подтвердите пароль',
  'FW: C:\\share\\plan.docx',
  'Multi\tpart,\r\n folded',
  '',
]
const policies = [
  'Default Policy',
  'All staff, except board',
  'Finance | strict',
  'PII=block',
  'Política por defecto',
  'Board "A" – monitor only',
]
const dlpTemplates = [
  'All: Credit Card Number',
  'US: SSN (Social Security Number)',
  'EU: IBAN, BIC',
  'Germany: Personalausweis',
  'Source Code = Confidential',
  'PCI-DSS | v4',
]
const malware = ['TROJ_GEN.R002C0WKA20', 'Eicar_test_1', 'HEUR_VBA.O2', 'Trojan.W97M.POWLOAD.SMTHF1', 'Worm.Win32.AUTORUN.USMANEAGAK']
const ransomware = ['Ransom.Win32.LOCKBIT.SMCET', 'Ransom_WCRY.SM2', 'Ransom.Win32.RYUK.THFBEAI', 'Ransom.Linux.BLACKCAT.YXCIDZ']
const actions = ['Quarantine', 'Delete', 'Pass', 'Tag subject', 'Replace file with text']
const results = ['success', 'success', 'success', 'success', 'failed', 'partially succeeded']

const mailServices: ReadonlySet<Service> = new Set(['exchange', 'gmail', 'exchangeserver'])

/** Returns the item that a response shows. */
export function itemOf(event: SimulatedEvent): Item {
  const { service, event: type } = partsOf(event.stream)
  const item = { event: eventTypes[type], log_item_id: event.id, service: services[service], message: messageOf(event) }
  switch (event.malformed) {
    case undefined:
      return item
    case 'null':
      return null
    case 'string':
      return `item ${event.id} could not be rendered`
    case 'no-message':
      return { event: item.event, log_item_id: item.log_item_id, service: item.service }
    case 'no-id': {
      const { log_item_id: _, ...message } = item.message
      return { event: item.event, service: item.service, message }
    }
    case 'odd-types':
      return {
        ...item,
        service: 7,
        message: {
          ...item.message,
          affected_user: 42,
          location: ['a', { b: null }],
          detection_time: event.detection,
          action: null,
          risk_level: { level: 'High' },
          mail_message_recipient: { 0: 'a@example.com' },
          triggered_dlp_template: [1, null, 'x'],
        },
      }
  }
}

function messageOf(event: SimulatedEvent): Message {
  const { service, event: type } = partsOf(event.stream)
  const random = randomFrom(event.seed, scramble(event.seed), event.detection | 0)
  const isMail = mailServices.has(service)
  const person = `${pick(random, people)}@${event.customer}.example`
  const file = pick(random, files)
  return {
    scan_type: pick(random, ['Real-time scan', 'Real-time scan', 'Manual scan']),
    affected_user: person,
    location: locationOf(service, person, random),
    detection_time: formatTime(event.detection, random),
    triggered_policy_name: pick(random, policies),
    triggered_security_filter: filterOf(type, random),
    action: pick(random, actions),
    action_result: pick(random, results),
    ...(isMail ? mailFields(event, person, type === 'dlp' && unit(random) < 0.5 ? '' : file, random) : fileFields(event, file, random)),
    ...findingFields(type, random),
    ...(unit(random) < 0.02 ? { tenant_group: 'Default, all | =' } : {}),
    log_item_id: event.id,
  }
}

function mailFields({ detection, customer }: SimulatedEvent, person: string, attachment: string, random: Random): Message {
  const others = Array.from({ length: between(random, 0, 3) }, () => `${pick(random, people)}@${customer}.example`)
  return {
    mail_message_id: `<${uuid(random)}@mail.${customer}.example>`,
    mail_message_sender: pick(random, strangers),
    mail_message_recipient: [...new Set([person, ...others])],
    mail_message_submit_time: formatTime(detection - between(random, 2_000, 9_000), random),
    mail_message_delivery_time: formatTime(detection - between(random, 0, 2_000), random),
    mail_message_subject: pick(random, subjects),
    mail_message_file_name: attachment,
  }
}

function fileFields({ detection }: SimulatedEvent, file: string, random: Random): Message {
  return { file_name: file, file_upload_time: formatTime(detection - between(random, 1_000, 120_000), random) }
}

function findingFields(type: EventType, random: Random): Message {
  const hashes = { file_sha1: hex(random, 5), file_sha256: unit(random) < 0.2 ? '' : hex(random, 8) }
  const level = pick(random, ['High', 'Medium', 'Low', ''])
  switch (type) {
    case 'securityrisk':
      return {
        security_risk_name: pick(random, [...malware, 'http://phish.example/login?u=1&v=2', '']),
        detected_by: pick(random, ['Pattern-based scanning', 'Predictive Machine Learning', '']),
        risk_level: level,
        threat_type: pick(random, ['Phishing', 'Malicious files', 'Spam', '']),
        ...hashes,
      }
    case 'virtualanalyzer':
      return {
        detection_type: pick(random, ['File', 'URL']),
        virus_name: pick(random, ['VAN_MALWARE.UMXX', ...malware]),
        risk_level: level,
        ...hashes,
      }
    case 'ransomware':
      return { ransomware_name: pick(random, ransomware), detected_by: pick(random, ['Pattern-based scanning', '']), ...hashes }
    case 'dlp': {
      const templates = Array.from({ length: between(random, 1, 3) }, () => pick(random, dlpTemplates))
      return { triggered_dlp_template: unit(random) < 0.4 ? templates.join(', ') : [...new Set(templates)] }
    }
  }
}

function filterOf(type: EventType, random: Random): string {
  switch (type) {
    case 'securityrisk':
      return pick(random, ['File Blocking', 'Web Reputation', 'Malware Scanning', 'Advanced Spam Protection'])
    case 'virtualanalyzer':
      return 'Virtual Analyzer'
    case 'ransomware':
      return 'Malware Scanning'
    case 'dlp':
      return 'Data Loss Prevention'
  }
}

function locationOf(service: Service, person: string, random: Random): string {
  const name = person.split('@')[0]
  switch (service) {
    case 'exchange':
    case 'exchangeserver':
      return `${person}\\${pick(random, ['Inbox', 'Junk Email', 'Gelöschte Elemente'])}`
    case 'gmail':
      return `${person}/INBOX`
    case 'teams_chat':
      return `Chat: ${name}, ${pick(random, people)}`
    case 'teams':
      return `Teams/${pick(random, ['Sales', 'R&D | core', 'Ekonomi'])}/General/`
    case 'salesforce_sandbox':
    case 'salesforce_production':
      return `Opportunity/${pick(random, ['Renewal=2027', 'New, "big"'])}`
    default:
      return `/personal/${name}/Documents/${pick(random, ['', 'Shared, all/', 'projects=2026/', 'プロジェクト/'])}`
  }
}

/** Formats a time with milliseconds and Z; some times lack one of these, as some real ones do. */
function formatTime(at: number, random: Random): string {
  const text = new Date(at).toISOString()
  const style = between(random, 0, 19)
  if (style < 2) return text.replace(/\.\d{3}/, '')
  if (style === 2) return text.slice(0, -1)
  return text
}

function hex(random: Random, words: number): string {
  let text = ''
  for (let word = 0; word < words; word += 1) text += hex32(random())
  return text
}

/** Returns the item as one line of the vendor's CEF, for `format=cef`. A malformed item that is no object stays the same. */
export function cefOf(event: SimulatedEvent): Item {
  const item = itemOf(event)
  if (item === null || typeof item !== 'object') return item
  const { service, event: type } = partsOf(event.stream)
  const message: Message = 'message' in item ? (item.message as Message) : {}
  const level = message['risk_level'] === '' || typeof message['risk_level'] !== 'string' ? 'Unknown' : message['risk_level']
  const extension: [string, unknown][] = [
    ['DevicePayloadId', event.id],
    ['destinationServiceName', services[service]],
    ['cat', eventTypes[type]],
    ['msg', message['scan_type']],
    ['TrendMicroCasAffectedUser', message['affected_user']],
    ['TrendMicroCasLocation', message['location']],
    ['rt', new Date(event.detection).toISOString()],
    ['TrendMicroCasPolicyName', message['triggered_policy_name']],
    ['TrendMicroCasFilter', message['triggered_security_filter']],
    ['act', message['action']],
    ['TrendMicroCasThreatType', message['threat_type']],
    ['outcome', message['action_result']],
    ['suid', message['mail_message_id']],
    ['suser', message['mail_message_sender']],
    ['duser', message['mail_message_recipient']],
    ['TrendMicroCasMailSubject', message['mail_message_subject']],
    ['TrendMicroCasMailFileName', message['mail_message_file_name']],
    ['fname', message['file_name']],
  ]
  const fields = extension.flatMap(([key, value]) =>
    value === undefined || value === '' || value === null ? [] : [`${key}=${cefValue(value)}`],
  )
  return `CEF:0|Trend Micro|CAS|5.0|100,101|${type}|${level}|${fields.join(' ')}`
}

function cefValue(value: unknown): string {
  const text = Array.isArray(value) ? `[${value.join(', ')}]` : String(value)
  return text.replaceAll('\\', '\\\\').replaceAll('=', '\\=').replaceAll('\r', '\\r').replaceAll('\n', '\\n')
}
