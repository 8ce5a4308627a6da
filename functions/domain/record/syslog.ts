import { visible } from '../text.ts'
import { type Instant, iso } from '../time.ts'
import type { Severity } from './fields.ts'
import type { LakeRecord, RecordBody } from './record.ts'

/** Syslog (RFC 5424), and CEF, the format of the message in many products. */

/** "Security/authorization messages". */
const facility = 4

const severityNumbers: Readonly<Record<Severity, number>> = { critical: 2, high: 3, medium: 4, low: 5, informational: 6 }
/** The number for an unknown severity: "notice". */
const severityNumberUnknown = 5

/** A header field without a value. */
const nil = '-'

/** The `syslog` struct of a record, without the host name, which comes from the connector. */
export function syslogStruct(event: {
  readonly timestamp: Instant
  readonly severity: Severity | undefined
  readonly appName: string
  readonly msgId: string
  readonly message: string
}): RecordBody['syslog'] {
  const severity = event.severity === undefined ? severityNumberUnknown : severityNumbers[event.severity]
  return {
    facility,
    severity,
    priority: facility * 8 + severity,
    timestamp: iso(event.timestamp),
    app_name: event.appName,
    proc_id: nil,
    msg_id: event.msgId,
    message: event.message,
  }
}

/** A record as one RFC 5424 message in UTF-8, without framing and without line breaks. */
export function rfc5424({ syslog }: Pick<LakeRecord, 'syslog'>): string {
  const header = [
    `<${syslog.priority}>1`,
    timestampField(syslog.timestamp),
    headerField(syslog.hostname, 255),
    headerField(syslog.app_name, 48),
    headerField(syslog.proc_id, 128),
    headerField(syslog.msg_id, 32),
    nil,
  ].join(' ')
  return `${header} ${messageField(syslog.message)}`
}

function timestampField(text: string): string {
  const shaped = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?(Z|[+-]\d\d:\d\d)$/.test(text)
  return shaped && !Number.isNaN(Date.parse(text)) ? text : nil
}

/** Makes printable ASCII without spaces, cut to the field's maximum. */
function headerField(text: string, charactersMax: number): string {
  const printable = text.replaceAll(/[^\x21-\x7e]/gu, '_').slice(0, charactersMax)
  return printable === '' ? nil : printable
}

function messageField(message: string): string {
  const text = message.replaceAll(/[\p{Cc}\p{Zl}\p{Zp}]/gu, ' ').toWellFormed()
  // RFC 5424 marks a UTF-8 message with a byte order mark. Plain ASCII needs none.
  return /^[\x20-\x7e]*$/.test(text) ? text : `\ufeff${text}`
}

/** Escapes text for a field of the CEF header. A control character is shown as `·`: the message may be printed to a terminal. */
export function cefHeader(text: string): string {
  return visible(text.replaceAll(/[\r\n]+/g, ' ')).replaceAll(/[\\|]/g, '\\$&')
}

const cefEscapes: Readonly<Record<string, string>> = { '\\': '\\\\', '=': '\\=', '\r': '\\r' }

/**
 * Escapes text for a value of the CEF extension. Every character that may end a line is a line break, as some readers take it for one.
 * Any other control character is shown as `·`.
 */
export function cefValue(text: string): string {
  if (isPlain(text)) return text
  return visible(text.replace(/[\\=\r\n\u0085\u2028\u2029]/g, (character) => cefEscapes[character] ?? '\\n'))
}

/** Most values are: visible ASCII that CEF does not escape. A look at each character costs less than the regular expressions. */
function isPlain(text: string): boolean {
  for (let at = 0; at < text.length; at += 1) {
    const unit = text.charCodeAt(at)
    if (unit < 0x20 || unit > 0x7e || unit === equals || unit === backslash) return false
  }
  return true
}

const equals = 0x3d
const backslash = 0x5c
