import { createHash } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { type FieldTable, recordFields } from '../../functions/domain/record/fields.ts'
import { glueColumns, glueType } from '../../functions/domain/record/glue.ts'
import { type RecordBody, type RecordEnvelope, serialise, toRecord } from '../../functions/domain/record/record.ts'
import { identityOf, recordId } from '../../functions/domain/record/record-id.ts'
import { recordSchema } from '../../functions/domain/record/record-schema.ts'

const digest = (text: string) => createHash('sha256').update(text).digest('hex')

const body: RecordBody = {
  timestamp: 1_595_199_090_000,
  timestamp_source: 'event',
  msg_class: 'acme_logs_mail',
  msg_origin: { vendor: 'acme', source: 'acme_mail', category: 'cloud_security', processor: { name: 'tributary', type: 'log_collector' } },
  event_type: 'dlp',
  service: 'mail',
  severity: 'medium',
  syslog: {
    facility: 4,
    severity: 4,
    priority: 36,
    timestamp: '2020-07-19T22:51:30.000Z',
    app_name: 'acme',
    proc_id: '-',
    msg_id: 'dlp',
    message: 'm',
  },
  class_uid: 2006,
  type_uid: 200_601,
  severity_id: 3,
  raw: '{}',
}

const envelope: RecordEnvelope = {
  id: '0'.repeat(32),
  eventId: 'e1',
  ingestedAt: 1_595_199_200_000,
  ingestMode: 'live',
  connector: { connectorId: 'c1', name: 'tenant-acme', tenantName: 'tenant', baseUrl: 'https://api.example.com' },
}

describe('a record', () => {
  it('names its connector, its tenant and the host that it was read from', () => {
    expect(toRecord(body, envelope)).toMatchObject({
      connector_id: 'c1',
      connector_name: 'tenant-acme',
      tenant: '~tenant',
      tenant_name: 'tenant',
      domain: 'https://api.example.com',
      syslog: { hostname: 'api.example.com' },
    })
  })

  it('has the tenant that the id of its connector names, whatever its name for people', () => {
    const connector = { ...envelope.connector, connectorId: 'acme.cas', tenantName: 'Globex' }
    expect(toRecord(body, { ...envelope, connector })).toMatchObject({ tenant: 'acme', tenant_name: 'Globex' })
  })

  it('cannot be given another tenant by its body', () => {
    expect(toRecord({ ...body, tenant_name: 'other', id: 'other' }, envelope)).toMatchObject({ tenant_name: 'tenant', id: envelope.id })
  })

  it('leaves out blank values at every depth', () => {
    const blanks = {
      user: '',
      location: undefined,
      email_recipients: [],
      dlp_templates: ['', 'PCI'],
      acme: { one: '', two: 2, three: [] },
      none: {},
    }
    const record = JSON.parse(serialise(toRecord({ ...body, ...blanks }, envelope)))
    expect(record).not.toHaveProperty('user')
    expect(record).not.toHaveProperty('location')
    expect(record).not.toHaveProperty('email_recipients')
    expect(record).not.toHaveProperty('none')
    expect(record.dlp_templates).toEqual(['PCI'])
    expect(record['acme']).toEqual({ two: 2 })
  })

  it('has its fields in the order of the table, and then the vendor’s fields', () => {
    const shuffled = Object.fromEntries(Object.entries({ ...body, acme: { a: 1 } }).reverse()) as RecordBody
    const names = Object.keys(toRecord(shuffled, envelope))
    expect(names.at(-1)).toBe('acme')
    expect(names.slice(0, -1)).toEqual(Object.keys(recordFields).filter((name) => names.includes(name)))
    expect(serialise(toRecord(shuffled, envelope))).toBe(serialise(toRecord({ ...body, acme: { a: 1 } }, envelope)))
  })

  it('is accepted by the validator', () => {
    expect(recordSchema(recordFields).safeParse(toRecord(body, envelope))).toMatchObject({ success: true })
  })

  it('is one line of JSON, whatever its values are', () => {
    const line = serialise(toRecord({ ...body, user: 'a\r\n\u0000\u2028b\ud800' }, envelope))
    expect(line).not.toMatch(/[\r\n]/)
    expect(JSON.parse(line)).toMatchObject({ user: 'a\r\n\u0000\u2028b\ufffd' })
  })
})

describe('the validator', () => {
  const schema = recordSchema(recordFields)
  const record = toRecord(body, envelope)

  it.each([
    ['an unknown field', { ...record, other: 1 }],
    ['a blank text', { ...record, user: '' }],
    ['an empty list', { ...record, email_recipients: [] }],
    ['a time with a fraction', { ...record, timestamp: 1.5 }],
    ['a value that is not allowed', { ...record, severity: 'awful' }],
    ['a text where a struct belongs', { ...record, syslog: 'text' }],
    ['a record without its raw item', { ...record, raw: undefined }],
  ])('refuses %s', (_, value) => {
    expect(schema.safeParse(value).success).toBe(false)
  })
})

const identity = (vendorId: string, content = '') => ({ vendorId, content })

describe('the id of a record', () => {
  it('is 32 hex digits, and the same each time', () => {
    expect(recordId(digest, 'c1', 's/e', identity('i1'))).toMatch(/^[0-9a-f]{32}$/)
    expect(recordId(digest, 'c1', 's/e', identity('i1'))).toBe(recordId(digest, 'c1', 's/e', identity('i1')))
  })

  it('differs with connector, stream, id and content, even if the four together are the same text', () => {
    const parts: [string, string, string, string][] = [
      ['a', 'b', 'c', ''],
      ['ab', '', 'c', ''],
      ['a', 'bc', '', ''],
      ['', 'ab', 'c', ''],
      ['a","b', '', 'c', ''],
      ['a', 'b', '', 'c'],
    ]
    const ids = parts.map(([connector, stream, id, content]) => recordId(digest, connector, stream, identity(id, content)))
    expect(new Set(ids).size).toBe(parts.length)
  })
})

describe('the identity of an item', () => {
  const of = (raw: string, id?: string, ignored: readonly string[] = []) =>
    identityOf({ raw, value: undefined, ...(id === undefined ? {} : { id }) }, digest, new Set(ignored))

  it('has the id that the vendor gave it, and a hash of that id under which it is seen', () => {
    expect(of('{}', 'x')).toMatchObject({ vendorId: 'x', seenId: digest('x').slice(0, 16) })
    expect(of('{"a":1}', 'x').seenId).toBe(of('{"a":2}', 'x').seenId)
  })

  it('does not depend on the order of the fields', () => {
    expect(of('{"a":1,"b":[{"c":2,"d":3}]}')).toEqual(of('{ "b": [{"d":3,"c":2}], "a": 1 }'))
  })

  it('differs between different items, with one id or without', () => {
    const items = ['{}', '[]', '""', 'null', '{"a":[1,2]}', '{"a":[2,1]}', '{"a":"1"}', '{"a":1}', '"{\\"a\\":1}"']
    expect(new Set(items.map((raw) => of(raw).content)).size).toBe(items.length)
    expect(new Set(items.map((raw) => recordId(digest, 'c', 's', of(raw, 'x')))).size).toBe(items.length)
  })

  it('leaves out the fields that are ignored, wherever lists are in their path', () => {
    const one = '{"id":"x","message":{"score":1,"parts":[{"at":1,"name":"n"}]},"score":7}'
    const other = '{"id":"x","message":{"score":2,"parts":[{"at":2,"name":"n"}]},"score":7}'
    const ignored = ['message.score', 'message.parts.at']
    expect(of(one, 'x', ignored)).toEqual(of(other, 'x', ignored))
    expect(of(one, 'x', ['message.score'])).not.toEqual(of(other, 'x', ['message.score']))
    expect(of(one, 'x', ['score'])).not.toEqual(of(other, 'x', ['score']))
  })
})

describe('the columns of the Glue table', () => {
  it('are the fields of the record with their types', () => {
    const columns = glueColumns(recordFields)
    expect(columns.map(({ name }) => name)).toEqual(Object.keys(recordFields))
    expect(columns.find(({ name }) => name === 'timestamp')?.type).toBe('bigint')
    expect(columns.find(({ name }) => name === 'msg_origin')?.type).toBe(
      'struct<vendor:string,source:string,category:string,processor:struct<name:string,type:string>>',
    )
  })

  it('have comments that fit Glue', () => {
    // https://docs.aws.amazon.com/glue/latest/webapi/API_Column.html
    const commentMax = 255
    for (const { comment } of glueColumns(recordFields)) expect(comment.length).toBeLessThanOrEqual(commentMax)
  })

  it('nest as deep as the table of fields', () => {
    const fields: FieldTable = {
      list: { type: 'array<string>', doc: '' },
      inner: { type: 'struct', doc: '', fields: { at: { type: 'bigint', doc: '' } } },
    }
    expect(glueType({ type: 'struct', doc: '', fields })).toBe('struct<list:array<string>,inner:struct<at:bigint>>')
  })
})
