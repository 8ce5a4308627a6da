import { describe, expect, it } from 'vitest'
import { cefHeader, cefValue, rfc5424, syslogStruct } from '../../functions/domain/record/syslog.ts'

const syslog = {
  ...syslogStruct({ timestamp: 1_595_199_090_000, severity: 'high', appName: 'acme_mail', msgId: 'dlp', message: 'CEF:0|Acme' }),
  hostname: 'api.example.com',
}

describe('the syslog part of a record', () => {
  it('has the priority of its facility and severity', () => {
    expect(syslog).toMatchObject({ facility: 4, severity: 3, priority: 35 })
  })

  it('has a smaller severity number for a more severe event', () => {
    const of = (severity: 'critical' | 'high' | 'medium' | 'low' | 'informational' | undefined) =>
      syslogStruct({ timestamp: 0, severity, appName: 'a', msgId: 'm', message: '' }).severity
    expect([of('critical'), of('high'), of('medium'), of('low'), of('informational'), of(undefined)]).toEqual([2, 3, 4, 5, 6, 5])
  })
})

describe('an RFC 5424 line', () => {
  it('has all header fields', () => {
    expect(rfc5424({ syslog })).toBe('<35>1 2020-07-19T22:51:30.000Z api.example.com acme_mail - dlp - CEF:0|Acme')
  })

  it('cuts header fields to their maxima', () => {
    const long = 'x'.repeat(300)
    const line = rfc5424({ syslog: { ...syslog, hostname: long, app_name: long, proc_id: long, msg_id: long } })
    expect(
      line
        .split(' ')
        .slice(2, 6)
        .map((field) => field.length),
    ).toEqual([255, 48, 128, 32])
  })

  it('has a hyphen in place of an empty header field and of an impossible time', () => {
    const line = rfc5424({ syslog: { ...syslog, hostname: '', timestamp: '2020-13-40T99:00:00Z' } })
    expect(line).toBe('<35>1 - - acme_mail - dlp - CEF:0|Acme')
  })

  it('has only ASCII without spaces in its header fields', () => {
    expect(rfc5424({ syslog: { ...syslog, app_name: 'ä b\n😀' } })).toContain(' __b__ ')
  })

  it('marks its message as UTF-8 if that is not ASCII', () => {
    expect(rfc5424({ syslog: { ...syslog, message: 'Grüße' } })).toMatch(/ - \ufeffGrüße$/)
  })

  it('has no line break and no lone surrogate in its message', () => {
    expect(rfc5424({ syslog: { ...syslog, message: 'a\r\nb\u0000c\ud800' } })).toMatch(/ - \ufeffa {2}b c\ufffd$/)
  })
})

describe('a CEF message', () => {
  it('has bar and backslash escaped in its header', () => {
    expect(cefHeader('a|b\\c=d\ne')).toBe('a\\|b\\\\c=d e')
  })

  it('has equals sign, backslash and line breaks escaped in its values', () => {
    expect(cefValue('a=b\\c|d\ne\rf')).toBe('a\\=b\\\\c|d\\ne\\rf')
    expect(cefValue('\u001b[2J\u009b\u202eexe.txt')).toBe('·[2J··exe.txt')
    expect(cefHeader('\u001b]0;x\u0007\u2028')).toBe('·]0;x··')
    expect(cefValue('a\u2028b\u2029c\u0085d')).toBe('a\\nb\\nc\\nd')
  })
})
