import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import { digest } from '../../functions/adapters/digest.ts'
import { type LakeRecord, toRecord } from '../../functions/domain/record/record.ts'
import { identityOf, recordId } from '../../functions/domain/record/record-id.ts'
import { rfc5424 } from '../../functions/domain/record/syslog.ts'
import { hour } from '../../functions/domain/time.ts'
import { trendmicroCas } from '../../functions/vendors/trendmicro-cas/index.ts'
import { eventTypeNames, type StreamName, streamNames } from '../../local/simulator/catalogue.ts'
import { itemOf } from '../../local/simulator/messages.ts'
import { VendorModel } from '../../local/simulator/model.ts'
import { judgesDir } from './folders.ts'

/** The lines of the lake, read by parsers of other makers: pycef and syslog-rfc5424-parser. */

interface ParsedLine {
  readonly syslog: Readonly<Record<string, unknown>>
  readonly cef: Readonly<Record<string, string>>
}

interface Line {
  readonly stream: StreamName
  readonly item: Readonly<Record<string, unknown>>
  readonly record: LakeRecord
  readonly parsed: ParsedLine
}

const now = Date.UTC(2026, 10, 24, 12)
const connector = { connectorId: 'acme.cas', name: 'acme', tenantName: 'Acme', baseUrl: 'https://api.tmcas.trendmicro.com' }

/** The member of the item, or of its message, that each extension repeats. */
const sources: Readonly<Record<string, string>> = {
  DevicePayloadId: 'log_item_id',
  destinationServiceName: 'service',
  cat: 'event',
  msg: 'scan_type',
  TrendMicroCasAffectedUser: 'affected_user',
  TrendMicroCasLocation: 'location',
  rt: 'detection_time',
  TrendMicroCasPolicyName: 'triggered_policy_name',
  TrendMicroCasFilter: 'triggered_security_filter',
  act: 'action',
  TrendMicroCasThreatType: 'threat_type',
  outcome: 'action_result',
  suid: 'mail_message_id',
  suser: 'mail_message_sender',
  duser: 'mail_message_recipient',
  start: 'mail_message_submit_time',
  end: 'mail_message_delivery_time',
  TrendMicroCasMailSubject: 'mail_message_subject',
  TrendMicroCasMailFileName: 'mail_message_file_name',
  fname: 'file_name',
}

/** The numbers of RFC 5424 by the names that its parser gives. */
const syslogSeverities = ['emerg', 'alert', 'crit', 'err', 'warning', 'notice', 'info', 'debug']
/** The severities that CEF allows as words, by that of the record (`severity`). */
const cefSeverities: Readonly<Record<string, string>> = {
  critical: 'Very-High',
  high: 'High',
  medium: 'Medium',
  low: 'Low',
  informational: 'Low',
}
/** A file name with all that CEF escapes and more. */
const hostile = 'a\r\nCEF:0|X|Y|1|1|n|High act=b\\ \u001b[31m \u2028 c|d ü😀'

let lines: readonly Line[]

beforeAll(() => {
  const model = new VendorModel({ eventsPerHour: 20 })
  const unread = streamNames.flatMap((stream) => {
    const events = [...model.eventsVisible(stream, now - 2 * hour, now)].slice(0, 5)
    const items = events.map((event) => itemOf(event) as { readonly message: object })
    return [...items, ...items.slice(0, 1).map((item) => ({ ...item, message: { ...item.message, file_name: hostile } }))].map((item) => ({
      stream,
      item,
      record: recordOf(item, stream),
    }))
  })
  const python = join(judgesDir, 'venv/bin/python')
  const input = JSON.stringify(unread.map(({ record }) => rfc5424(record)))
  const parsed: ParsedLine[] = JSON.parse(
    execFileSync(python, [join(import.meta.dirname, 'judges/syslog_lines.py')], { input, encoding: 'utf8', maxBuffer: 64 * 2 ** 20 }),
  )
  lines = unread.map((line, index) => ({ ...line, parsed: parsed[index]! }))
})

function recordOf(item: object, stream: StreamName): LakeRecord {
  const body = { security_events: [item] }
  const page = trendmicroCas.parsePage({ body, text: JSON.stringify(body), receivedAt: now })
  if (!page.ok) throw new Error(page.failure.detail)
  const wire = page.value.items[0]!
  const identity = identityOf(wire, digest, new Set())
  const id = recordId(digest, connector.connectorId, stream, identity)
  const more = { id, eventId: identity.vendorId, ingestedAt: now, ingestMode: 'live', connector } as const
  return toRecord(trendmicroCas.normalise(wire, { stream, receivedAt: now }), more)
}

/** The text that CEF escaped. */
function unescaped(value: string): string {
  return value.replaceAll(/\\([\\=rn])/g, (_, character: string) => ({ r: '\r', n: '\n' })[character] ?? character)
}

/** The text as it may be in a line: what ends a line is a break, and other control characters are dots. */
function inLine(value: unknown): string {
  const text = Array.isArray(value) ? JSON.stringify(value) : String(value)
  return text
    .replaceAll(/[\u0085\u2028\u2029]/g, '\n')
    .replaceAll(/(?![\r\n])[\p{Cc}\p{Cf}]/gu, '·')
    .trim()
}

describe('each line, of every event type and service', () => {
  it('is among those that are read here', () => {
    expect(new Set(lines.map(({ stream }) => stream)).size).toBe(streamNames.length)
    expect(new Set(lines.map(({ record }) => record.event_type))).toEqual(new Set(eventTypeNames))
  })

  it('is syslog with the time, the host, the severity and the type of its record', () => {
    for (const { record, parsed } of lines) {
      expect(parsed.syslog).toMatchObject({
        severity: syslogSeverities[record.syslog.severity],
        facility: 'auth',
        timestamp: record.syslog.timestamp,
        hostname: record.syslog.hostname,
        appname: record.syslog.app_name,
        msgid: record.event_type,
      })
    }
  })

  it('is CEF with the severity of its record', () => {
    for (const { record, parsed } of lines) {
      const expected = record.severity === undefined ? 'Unknown' : cefSeverities[record.severity]
      expect(parsed.cef).toMatchObject({ DeviceVendor: 'Trend Micro', DeviceProduct: 'CAS', Name: record.event_type, Severity: expected })
    }
  })

  it('has each attribute of its item as an extension, and no other extension', () => {
    const header = [
      'DeviceVendor',
      'DeviceProduct',
      'DeviceVersion',
      'DeviceEventClassID',
      'Name',
      'DeviceName',
      'Severity',
      'DeviceSeverity',
      'CEFVersion',
    ]
    for (const { item, parsed } of lines) {
      const message = item['message'] as Readonly<Record<string, unknown>>
      const expected = Object.entries(sources).flatMap(([key, member]) => {
        const value = item[member] ?? message[member]
        return value === undefined || value === null || value === '' ? [] : [[key, inLine(value)]]
      })
      const extensions = Object.entries(parsed.cef).filter(([key]) => !header.includes(key))
      expect(Object.fromEntries(extensions.map(([key, value]) => [key, unescaped(value).trim()]))).toEqual(Object.fromEntries(expected))
    }
  })
})
