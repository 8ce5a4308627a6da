import { createHash } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { type LakeRecord, serialise, toRecord } from '../../functions/domain/record/record.ts'
import { identityOf, recordId } from '../../functions/domain/record/record-id.ts'
import { recordSchema } from '../../functions/domain/record/record-schema.ts'
import { rfc5424 } from '../../functions/domain/record/syslog.ts'
import { lakeFields, vendorOf } from '../../functions/vendors/index.ts'
import { documented, mail, message } from './trendmicro-cas-samples.ts'

const digest = (text: string) => createHash('sha256').update(text).digest('hex')
const receivedAt = Date.UTC(2020, 6, 19, 22, 55)
const connector = { connectorId: 'acme.cas', name: 'tenant-cas', tenantName: 'tenant', baseUrl: 'https://api.tmcas.trendmicro.com' }

/** The record of an item, as its line has it. */
function recordOf(raw: unknown, stream = 'onedrive/securityrisk'): LakeRecord {
  const vendor = vendorOf('trendmicro-cas')!
  const body = { security_events: [raw] }
  const page = vendor.parsePage({ body, text: JSON.stringify(body), receivedAt })
  if (!page.ok) throw new Error(page.failure.detail)
  const item = page.value.items[0]!
  const identity = identityOf(item, digest, new Set())
  const id = recordId(digest, connector.connectorId, stream, identity)
  const envelope = { id, eventId: identity.vendorId, ingestedAt: receivedAt, ingestMode: 'live', connector } as const
  return JSON.parse(serialise(toRecord(vendor.normalise(item, { stream, receivedAt }), envelope)))
}

const withMessage = (more: object) => ({ ...documented, message: { ...message, ...more } })

describe('an event', () => {
  it('becomes a record', () => {
    expect(recordOf(documented)).toEqual({
      id: expect.stringMatching(/^[0-9a-f]{32}$/),
      timestamp: Date.UTC(2020, 6, 19, 22, 51, 30),
      timestamp_source: 'event',
      event_id: documented.log_item_id,
      ingested_at: receivedAt,
      ingest_mode: 'live',
      tenant: 'acme',
      tenant_name: 'tenant',
      connector_id: 'acme.cas',
      connector_name: 'tenant-cas',
      domain: 'https://api.tmcas.trendmicro.com',
      msg_class: 'trendmicro_cas_logs_onedrive',
      msg_origin: {
        vendor: 'trendmicro',
        source: 'trendmicro_cloud_app_security',
        category: 'cloud_security',
        processor: { name: 'tributary', type: 'log_collector' },
      },
      event_type: 'securityrisk',
      service: 'onedrive',
      severity: 'medium',
      user: 'ann@example.com',
      location: 'https://example-my.sharepoint.com/personal/ann/Documents',
      file_name: 'invoice.exe',
      file_sha1: 'da39a3ee5e6b4b0d3255bfef95601890afd80709',
      threat_name: 'EXE file',
      policy_name: 'Default OneDrive Policy',
      rule_name: 'File Blocking',
      action: 'Quarantine',
      outcome: 'success',
      syslog: expect.objectContaining({
        hostname: 'api.tmcas.trendmicro.com',
        app_name: 'trendmicro_cas',
        msg_id: 'securityrisk',
        priority: 36,
      }),
      class_uid: 2004,
      type_uid: 200_401,
      severity_id: 3,
      raw: JSON.stringify(documented),
      trendmicro: {
        event: 'security_risk_scan',
        log_item_id: 'a9e2',
        service: 'OneDrive',
        scan_type: 'Real-time scan',
        affected_user: 'ann@example.com',
        location: 'https://example-my.sharepoint.com/personal/ann/Documents',
        detection_time: Date.UTC(2020, 6, 19, 22, 51, 30),
        triggered_policy_name: 'Default OneDrive Policy',
        triggered_security_filter: 'File Blocking',
        action: 'Quarantine',
        action_result: 'success',
        file_name: 'invoice.exe',
        file_upload_time: Date.UTC(2020, 6, 19, 22, 51, 20),
        file_sha1: 'DA39A3EE5E6B4B0D3255BFEF95601890AFD80709',
        security_risk_name: 'EXE file',
      },
    })
  })

  it('is accepted by the validator', () => {
    for (const item of [documented, mail]) expect(recordSchema(lakeFields).safeParse(recordOf(item)).error).toBeUndefined()
  })

  it('has sender, recipients and subject if it is about a mail', () => {
    expect(recordOf(mail, 'exchange/securityrisk')).toMatchObject({
      email_message_id: '<1@example.com>',
      email_sender: 'eve@example.net',
      email_recipients: ['bob@example.com', 'ann@example.com'],
      email_subject: 'FW: test\nBcc: all',
      file_name: 'filename.exe',
      threat_type: 'Phishing',
    })
  })

  it('lists its templates, in whatever form they come, and is a Data Security Finding if it is about data loss', () => {
    const one = recordOf(withMessage({ triggered_dlp_template: 'PCI-DSS' }), 'onedrive/dlp')
    const two = recordOf(withMessage({ triggered_dlp_template: ['PCI-DSS', 'HIPAA'] }), 'onedrive/dlp')
    expect([one.dlp_templates, two.dlp_templates]).toEqual([['PCI-DSS'], ['PCI-DSS', 'HIPAA']])
    expect(one).toMatchObject({ class_uid: 2006, trendmicro: { triggered_dlp_template: ['PCI-DSS'] } })
  })

  it('has the time when it was received if its own time cannot be read', () => {
    const record = recordOf(withMessage({ detection_time: 'soon' }))
    expect(record).toMatchObject({ timestamp: receivedAt, syslog: { timestamp: '2020-07-19T22:55:00.000Z' } })
    expect(record['trendmicro']).not.toHaveProperty('detection_time')
  })

  it('has a number as text, and an object in raw only', () => {
    const record = recordOf(withMessage({ file_name: 42, action: { kind: 'x' } }))
    expect(record).toMatchObject({ file_name: '42', trendmicro: { file_name: '42' } })
    expect(record).not.toHaveProperty('action')
    expect(record['trendmicro']).not.toHaveProperty('action')
    expect(record.raw).toContain('"action":{"kind":"x"}')
  })

  it('has an unknown field in raw only', () => {
    expect(recordOf(withMessage({ brand_new: 'x' })).raw).toContain('"brand_new":"x"')
  })

  it('has the id of its message if only the message has one', () => {
    expect(recordOf({ event: 'e', service: 's', message })['trendmicro']).toMatchObject({ log_item_id: 'a9e2' })
  })
})

describe('the severity of an event', () => {
  const severity = (stream: string, more: object) => recordOf(withMessage(more), stream).severity

  it.each([
    ['High', 'high'],
    ['High risk', 'high'],
    ['MEDIUM', 'medium'],
    ['low', 'low'],
    ['Critical', 'critical'],
    ['No risk', 'informational'],
  ])('is the risk level %s, whatever the threat', (risk_level, expected) => {
    expect(severity('onedrive/ransomware', { risk_level })).toBe(expected)
  })

  it('comes from the threat if there is no risk level', () => {
    expect(severity('onedrive/ransomware', {})).toBe('critical')
    expect(severity('onedrive/securityrisk', { virus_name: 'Eicar' })).toBe('high')
    expect(severity('exchange/securityrisk', { threat_type: 'Phishing' })).toBe('high')
    expect(severity('onedrive/dlp', {})).toBe('medium')
  })
})

describe('the time of a record', () => {
  it.each(['0001-01-01T00:00:00Z', '1601-01-01T00:00:00Z', '9999-12-31T23:59:59.9999999Z', '2020-07-19T22:51:30+99:99', undefined])(
    'is the receipt if the event has %s, and the record says so',
    (detection_time) => {
      expect(recordOf(withMessage({ detection_time }))).toMatchObject({ timestamp: receivedAt, timestamp_source: 'receipt' })
    },
  )

  it('may be written in several ways', () => {
    const at = Date.UTC(2020, 6, 19, 22, 51)
    for (const detection_time of [at, String(at), at / 1_000, '2020-07-19t22:51:00z', '2020-07-19T22:51Z']) {
      expect(recordOf(withMessage({ detection_time }))).toMatchObject({ timestamp: at, timestamp_source: 'event' })
    }
  })
})

describe('a name that looks like a CEF line', () => {
  it('stays one value of one event, whatever line ends and escapes it has', () => {
    const { syslog, file_name } = recordOf(withMessage({ file_name: 'a\r\nCEF:0|X|Y|1|1|n|High act=b\\\u001b[31m\u2028c' }))
    expect(file_name).toBe('a\r\nCEF:0|X|Y|1|1|n|High act=b\\\u001b[31m\u2028c')
    expect(syslog.message).toContain(' fname=a\\r\\nCEF:0|X|Y|1|1|n|High act\\=b\\\\·[31m\\nc')
    expect(rfc5424({ syslog }).split(/[\p{Cc}\p{Zl}\p{Zp}]/u)).toHaveLength(1)
  })
})

describe('a malformed item', () => {
  it('with bytes that are not of its charset has them in raw', () => {
    const item = { raw: 'eyLkIn0=', rawEncoding: 'base64', value: undefined } as const
    expect(vendorOf('trendmicro-cas')!.normalise(item, { stream: 'box/dlp', receivedAt })).toMatchObject({
      malformed: true,
      raw: 'eyLkIn0=',
      raw_encoding: 'base64',
    })
  })

  it.each([[null], [7], ['CEF:0|Trend Micro|CAS|'], [[]], [{}], [{ log_item_id: 'x', message: 'text' }], [{ message: [1] }]])(
    'is marked and kept: %j',
    (raw) => {
      const record = recordOf(raw)
      expect(record).toMatchObject({ malformed: true, raw: JSON.stringify(raw), timestamp: receivedAt, severity_id: 0 })
      expect(record).not.toHaveProperty('trendmicro')
      expect(recordSchema(lakeFields).safeParse(record).error).toBeUndefined()
    },
  )

  it('is the only kind of item that is marked', () => {
    expect(recordOf(documented)).not.toHaveProperty('malformed')
  })
})

describe('the syslog message of an event', () => {
  it('is the CEF line that the vendor documents', () => {
    expect(recordOf(mail, 'exchange/securityrisk').syslog.message).toBe(
      'CEF:0|Trend Micro|CAS|5.0|100,101|securityrisk|High|DevicePayloadId=IwUV destinationServiceName=Exchange Online ' +
        'cat=security_risk_scan msg=Real-time scan TrendMicroCasAffectedUser=bob@example.com ' +
        'TrendMicroCasLocation=bob@example.com\\\\Junk Email rt=2018-09-25T02:43:31Z TrendMicroCasPolicyName=a\\=b ' +
        'TrendMicroCasFilter=Web Reputation act=Quarantine TrendMicroCasThreatType=Phishing outcome=success ' +
        'suid=<1@example.com> suser=eve@example.net duser=["bob@example.com","ann@example.com"] start=2018-09-25T02:43:21 ' +
        'end=2018-09-25T02:43:05 TrendMicroCasMailSubject=FW: test\\nBcc: all TrendMicroCasMailFileName=filename.exe',
    )
  })

  it('leaves out attributes that the item does not have', () => {
    expect(recordOf({ message: { file_name: 'a.txt' } }, 'box/dlp').syslog.message).toBe(
      'CEF:0|Trend Micro|CAS|5.0|100,101|dlp|Medium|fname=a.txt',
    )
  })

  it('is the header alone if the item is malformed', () => {
    expect(recordOf(null, 'box/dlp').syslog.message).toBe('CEF:0|Trend Micro|CAS|5.0|100,101|dlp|Unknown|')
  })
})
