import * as fc from 'fast-check'
import { expect, it } from 'vitest'
import { rfc5424, syslogStruct } from '../../functions/domain/record/syslog.ts'

/** Parses the octets of a message strictly by RFC 5424, section 6. Throws if the message breaks it. */
function parseStrictly(octets: Buffer) {
  const text = octets.toString('latin1')
  const grammar =
    /^<(0|[1-9]\d{0,2})>([1-9]\d{0,2}) (-|\S+) (-|[!-~]{1,255}) (-|[!-~]{1,48}) (-|[!-~]{1,128}) (-|[!-~]{1,32}) (-|(?:\[[^\]]+\])+)(?: (.*))?$/s
  const match = grammar.exec(text)
  if (match === null) throw new Error(`no syslog message: ${text}`)
  const [, priority = '', version, timestamp = '', hostname, appName, procId, msgId, structuredData, message = ''] = match
  if (Number(priority) > 191) throw new Error(`priority ${priority}`)
  if (version !== '1') throw new Error(`version ${version}`)
  if (timestamp !== '-') checkTimestamp(timestamp)
  const body = Buffer.from(message, 'latin1')
  const claimsUtf8 = body.subarray(0, 3).equals(Buffer.from([0xef, 0xbb, 0xbf]))
  if (!claimsUtf8 && body.some((octet) => octet > 0x7e)) throw new Error('octets beyond ASCII without a byte order mark')
  if (body.some((octet) => octet < 0x20 || octet === 0x7f)) throw new Error('control characters')
  const decoded = new TextDecoder('utf-8', { fatal: true }).decode(body)
  return { priority: Number(priority), timestamp, hostname, appName, procId, msgId, structuredData, message: decoded }
}

function checkTimestamp(timestamp: string) {
  const match =
    /^(\d{4})-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])T([01]\d|2[0-3]):[0-5]\d:[0-5]\d(\.\d{1,6})?(Z|[+-]([01]\d|2[0-3]):[0-5]\d)$/.exec(
      timestamp,
    )
  if (match === null) throw new Error(`timestamp ${timestamp}`)
  const daysOfMonth = new Date(Date.UTC(Number(match[1]), Number(match[2]), 0)).getUTCDate()
  if (Number(match[3]) > daysOfMonth) throw new Error(`timestamp ${timestamp}`)
}

const anyText = fc.string({ unit: 'binary', maxLength: 300 })

it('any event becomes a line that a strict parser accepts and reads with the same values', () => {
  return fc.assert(
    fc.property(
      fc.date({ min: new Date('0000-01-01T00:00:00Z'), max: new Date('9999-12-31T23:59:59.999Z'), noInvalidDate: true }),
      fc.constantFrom('critical', 'high', 'medium', 'low', 'informational', undefined),
      anyText,
      anyText,
      anyText,
      anyText,
      (date, severity, hostname, appName, msgId, message) => {
        const syslog = { ...syslogStruct({ timestamp: date.getTime(), severity, appName, msgId, message }), hostname }
        const parsed = parseStrictly(Buffer.from(rfc5424({ syslog })))
        expect(parsed).toMatchObject({ priority: syslog.priority, timestamp: syslog.timestamp, procId: '-', structuredData: '-' })
      },
    ),
  )
})

it('a printable message arrives as it was sent', () => {
  return fc.assert(
    fc.property(
      fc.string({ unit: 'grapheme' }).filter((text) => !/[\p{Cc}\ufeff]/u.test(text)),
      (message) => {
        const syslog = { ...syslogStruct({ timestamp: 0, severity: 'low', appName: 'a', msgId: 'm', message }), hostname: 'h' }
        expect(parseStrictly(Buffer.from(rfc5424({ syslog }))).message).toBe(message)
      },
    ),
  )
})

it('the line of a record is well formed, whatever its fields contain', () => {
  return fc.assert(
    fc.property(anyText, anyText, anyText, (timestamp, proc_id, message) => {
      const syslog = {
        ...syslogStruct({ timestamp: 0, severity: 'low', appName: 'a', msgId: 'm', message }),
        hostname: 'h',
        timestamp,
        proc_id,
      }
      expect(() => parseStrictly(Buffer.from(rfc5424({ syslog })))).not.toThrow()
    }),
  )
})
