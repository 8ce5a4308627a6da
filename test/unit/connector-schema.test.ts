import { generate } from 'selfsigned'
import { describe, expect, it } from 'vitest'
import { connectorAttributes, parseConnector } from '../../functions/domain/connector/connector-schema.ts'
import type { Problem } from '../../functions/domain/connector/problems.ts'
import type { Vendor } from '../../functions/domain/vendor.ts'
import { accepted, item, policy, vendor } from './acme-mail.ts'

/** Looks like an API key, and is nobody's. */
const apiKey = '7c1f0d7be2a94386b1d0c47e9a3f62585c11ab07'

function problems(changes: object, base: object = item): readonly Problem[] {
  const parsed = parseConnector({ ...base, ...changes }, policy)
  return parsed.ok ? [] : parsed.problems
}

describe('a connector', () => {
  it('has the default of every attribute that the item leaves out', () => {
    expect(accepted()).toStrictEqual({
      ...item,
      apiKeySecrets: [{ secretName: 'tributary/globex/key' }],
      contentTypes: ['mail'],
      eventTypes: ['virus', 'sandbox'],
      logFilters: [],
      disableTlsVerification: false,
      enabled: true,
      intervalMinutes: 5,
      requestsPerMinute: 20,
      initialBackfillMinutes: 10,
      lateArrivalMinutes: 20,
      sharedKey: false,
      sharedWith: [],
      identityIgnoredFields: [],
    })
  })

  it('has the values of the item', () => {
    const changes = {
      eventTypes: ['virus'],
      contentTypes: ['files'],
      disableTlsVerification: true,
      enabled: false,
      intervalMinutes: 60,
      requestsPerMinute: 6_000,
      requestsPerDay: 14_400,
      rateGroup: 'globex',
      initialBackfillMinutes: 4_310,
      lateArrivalMinutes: 0,
      sharedKey: true,
      sharedWith: ['acme', 'globex-2', '~Globex GmbH'],
      identityIgnoredFields: ['message.score', 'risk'],
      logFilters: [
        { name: 'low', action: 'include', shadow: true, conditions: [{ field: 'severity', operator: 'equals', values: ['low'] }] },
      ],
    }
    expect(accepted(changes)).toMatchObject(changes)
  })

  it('waits for late events as long as its vendor advises, by default', () => {
    expect(accepted({ eventTypes: ['virus'] }).lateArrivalMinutes).toBe(10)
  })

  it('may have a pool of keys, each a secret of its own or a member of a JSON object', () => {
    expect(
      accepted({ apiKeySecrets: ['tributary/globex/a', 'tributary/globex/b#first key', 'tributary/globex/b#second.key'] }).apiKeySecrets,
    ).toEqual([
      { secretName: 'tributary/globex/a' },
      { secretName: 'tributary/globex/b', jsonKey: 'first key' },
      { secretName: 'tributary/globex/b', jsonKey: 'second.key' },
    ])
  })

  it.each([
    ['https://api-eu.acme.example/v1/events?limit=5', 'https://api-eu.acme.example'],
    ['https://API.acme.example:443/', 'https://api.acme.example'],
    ['http://localhost:8080/v1', 'http://localhost:8080'],
    ['https://10.0.0.7:9443', 'https://10.0.0.7:9443'],
    ['http://10.0.0.7', 'http://10.0.0.7'],
  ])('with the pasted address %s has the origin %s', (pasted, baseUrl) => {
    expect(accepted({ baseUrl: pasted }).baseUrl).toBe(baseUrl)
  })

  it('may trust an own CA', async () => {
    const { cert } = await generate([{ name: 'commonName', value: 'an own CA' }])
    expect(accepted({ tlsCaPem: `The CA\n${cert}\n${cert}` }).tlsCaPem).toContain('The CA')
    for (const lineEnd of ['\r\n', ' ', '\n    '])
      expect(accepted({ tlsCaPem: cert.replaceAll('\n', lineEnd) }).tlsCaPem).toContain(lineEnd)
  })
})

const long = 'x'.repeat(500)
const shownLong = `"${'x'.repeat(60)}…" (500 characters)`
const idRule =
  'Give a tenant and a name, such as "acme.cas": 1 to 40 lower-case letters, digits or hyphens, a dot, then letters (A to Z), digits, dots, hyphens or underscores, at most 64 characters together.'
const pem = '-----BEGIN CERTIFICATE-----\nMIIB\n'

describe('an item with a mistake', () => {
  it.each<[object, string, string]>([
    [{ connectorId: undefined }, 'connectorId', `It is missing. ${idRule}`],
    [{ connectorId: '' }, 'connectorId', `It is "". ${idRule}`],
    [{ connectorId: 'a#b' }, 'connectorId', `It is "a#b". ${idRule}`],
    [{ connectorId: 'a'.repeat(65) }, 'connectorId', `It is "${'a'.repeat(60)}…" (65 characters). ${idRule}`],
    ...['globex', 'globex-mail', 'Globex.mail', '.mail', 'globex.', `${'g'.repeat(41)}.mail`, '~globex.mail', 'glo_bex.mail'].map(
      (id): [object, string, string] => [{ connectorId: id, apiKeySecrets: ['tributary/key'] }, 'connectorId', `It is "${id}". ${idRule}`],
    ),
    [{ connectorId: 'kölsch' }, 'connectorId', `It is "kölsch". ${idRule}`],
    [{ connectorId: 7 }, 'connectorId', `It is 7. ${idRule}`],
    [{ type: undefined }, 'type', 'It is missing. Give one of: acme-mail.'],
    [{ type: 'acme_mial' }, 'type', 'It is "acme_mial". Did you mean acme-mail? Give one of: acme-mail.'],
    [{ type: 'constructor' }, 'type', 'It is "constructor". Give one of: acme-mail.'],
    [{ name: 'Köln' }, 'name', 'It is "Köln". Give 1 to 128 ASCII characters, such as tenant-type.'],
    [{ name: ' globex' }, 'name', 'It is " globex". Give 1 to 128 ASCII characters, such as tenant-type.'],
    [{ name: long }, 'name', `It is ${shownLong}. Give 1 to 128 ASCII characters, such as tenant-type.`],
    [{ tenantName: '' }, 'tenantName', 'It is "". Give 1 to 128 printable characters, without blanks at either end.'],
    [{ tenantName: 'globex ' }, 'tenantName', 'It is "globex ". Give 1 to 128 printable characters, without blanks at either end.'],
    [{ tenantName: 'a\nb' }, 'tenantName', 'It is "a\\nb". Give 1 to 128 printable characters, without blanks at either end.'],
    [{ tenantName: 'a\u202eb' }, 'tenantName', 'It is "a\\u{202e}b". Give 1 to 128 printable characters, without blanks at either end.'],
    [{ tenantName: 'x'.repeat(129) }, 'tenantName', `It is "${'x'.repeat(60)}…" (129 characters). Give 1 to 128 printable characters`],
    [{ baseUrl: undefined }, 'baseUrl', 'It is missing. Give the address of the vendor’s service, https://host.'],
    [
      { baseUrl: 'not a url' },
      'baseUrl',
      'It is "not a url", which is not a web address. Give https:// and one of: api.acme.example, api-eu.acme.example.',
    ],
    [{ baseUrl: 'ftp://api.acme.example' }, 'baseUrl', 'It is "ftp://api.acme.example", which is not a web address.'],
    [
      { baseUrl: 'http://api.acme.example' },
      'baseUrl',
      'It is "http://api.acme.example". Only https on port 443 is allowed: give https://api.acme.example.',
    ],
    [{ baseUrl: 'https://api.acme.example:8443' }, 'baseUrl', 'It is "https://api.acme.example:8443". Only https on port 443 is allowed'],
    [
      { baseUrl: 'https://evil.example' },
      'baseUrl',
      'Its host is "evil.example". Give one of the vendor’s: api.acme.example, api-eu.acme.example; or ask the operator to allow this host.',
    ],
    [{ baseUrl: 'https://api.acme.example.evil.example' }, 'baseUrl', 'Its host is "api.acme.example.evil.example". Give one of'],
    [{ baseUrl: 'https://127.0.0.1' }, 'baseUrl', 'Its host is "127.0.0.1". Give one of'],
    [{ baseUrl: 'https://0x7f.1' }, 'baseUrl', 'Its host is "127.0.0.1". Give one of'],
    [{ baseUrl: 'https://[::1]' }, 'baseUrl', 'Its host is "[::1]". Give one of'],
    [{ baseUrl: 'http://localhost:8081' }, 'baseUrl', 'Its host is "localhost". Give one of'],
    [
      { baseUrl: 'https://user:hunter2@api.acme.example' },
      'baseUrl',
      'It has an @, as for a user name and password, which are never sent. Give https://host alone.',
    ],
    [{ apiKeySecrets: undefined }, 'apiKeySecrets', 'It is missing. Give a list of 1 to 20 names of secrets.'],
    [{ apiKeySecrets: [] }, 'apiKeySecrets', 'It is a list of 0. Give a list of 1 to 20 names of secrets.'],
    [
      { apiKeySecrets: Array.from({ length: 21 }, (_, i) => `tributary/globex/${i}`) },
      'apiKeySecrets',
      'It is a list of 21. Give a list of 1 to 20 names of secrets.',
    ],
    [
      { apiKeySecrets: 'tributary/globex/key' },
      'apiKeySecrets',
      'It is a text of 20 characters. Give a list, even of one: ["name"] (DynamoDB type L).',
    ],
    [{ apiKeySecrets: { key: apiKey } }, 'apiKeySecrets', 'It is an object. Give a list of 1 to 20 names of secrets.'],
    [{ apiKeySecrets: [{ key: apiKey }] }, 'apiKeySecrets[0]', 'It is an object. Give the name of a secret, a text.'],
    [
      { apiKeySecrets: ['tributary/globex/a', 'b'] },
      'apiKeySecrets[1]',
      'It is a text of 1 characters that does not begin with "tributary/globex/". Give the name of a secret under that path, or name#jsonKey.',
    ],
    [
      { apiKeySecrets: ['arn:aws:secretsmanager:eu-west-1:1:secret:tributary/a'] },
      'apiKeySecrets[0]',
      'It is an ARN that does not begin with "tributary/globex/".',
    ],
    [
      { apiKeySecrets: ['tributary/'] },
      'apiKeySecrets[0]',
      'It is the path alone. Give the whole name of a secret, such as "tributary/globex/name".',
    ],
    [
      { apiKeySecrets: ['tributary/globex/'] },
      'apiKeySecrets[0]',
      'It is the path alone. Give the whole name of a secret, such as "tributary/globex/name".',
    ],
    ...['tributary/globex', 'tributary/key', 'tributary/acme/key', 'tributary/globex-2/key', 'tributary/Globex/key'].map(
      (name): [object, string, string] => [
        { apiKeySecrets: [name] },
        'apiKeySecrets[0]',
        `It is "${name}", and the secrets of this tenant lie under "tributary/globex/". Store the key in a secret there, such as "tributary/globex/key", and name that.`,
      ],
    ),
    [
      { apiKeySecrets: ['tributary/globex/a b'] },
      'apiKeySecrets[0]',
      'It is "tributary/globex/a b". The name of a secret has 1 to 512 letters (A to Z), digits and / _ + = . @ -.',
    ],
    [
      { apiKeySecrets: ['tributary/globex/a#'] },
      'apiKeySecrets[0]',
      'It is "tributary/globex/a#". The part after # must be the name of one member',
    ],
    [
      { apiKeySecrets: ['tributary/globex/a#b#c'] },
      'apiKeySecrets[0]',
      'It is "tributary/globex/a#b#c". The part after # must be the name of one member',
    ],
    [
      { apiKeySecrets: ['tributary/globex/a', 'tributary/globex/a'] },
      'apiKeySecrets[1]',
      'It is "tributary/globex/a", the same as apiKeySecrets[0]. Name each secret once.',
    ],
    [{ contentTypes: ['mail', 'chat'] }, 'contentTypes[1]', '"chat" is none of mail, files.'],
    [{ contentTypes: [long] }, 'contentTypes[0]', `${shownLong} is none of mail, files.`],
    [{ logFilters: 'severity' }, 'logFilters', 'It is "severity". Give a list of at most 50 log filters.'],
    [
      { logFilters: [{ name: 'low', conditions: [{ field: 'raw', operator: 'matches', values: ['ok', '('] }] }] },
      'logFilters[0].conditions[0].values[1]',
      'It is "(", which is not a regular expression: missing closing )',
    ],
    [{ logFilters: [{ name: 'low' }] }, 'logFilters[0].conditions', 'It is missing. Give a list of 1 to 20 conditions.'],
    [
      { disableTlsVerification: 'true' },
      'disableTlsVerification',
      'It is "true". Give true or false. It is a text; its type in DynamoDB must be BOOL.',
    ],
    [{ enabled: null }, 'enabled', 'It is null. Give true or false.'],
    [{ sharedKey: 1 }, 'sharedKey', 'It is 1. Give true or false.'],
    [{ sharedWith: 'acme' }, 'sharedWith', 'It is "acme". Give a list of at most 100 tenants, such as ["globex"].'],
    [{ sharedWith: ['Acme'] }, 'sharedWith[0]', 'It is "Acme". Give a tenant, 1 to 40 lower-case letters, digits or hyphens.'],
    [
      { sharedWith: Array.from({ length: 101 }, (_, i) => `t${i}`) },
      'sharedWith',
      'It is a list of 101. Give a list of at most 100 tenants, such as ["globex"].',
    ],
    [{ identityIgnoredFields: 'score' }, 'identityIgnoredFields', 'It is "score". Give a list of at most 20 paths of fields'],
    [{ identityIgnoredFields: ['a..b'] }, 'identityIgnoredFields[0]', 'It is "a..b". Give the path of a field'],
    [{ tlsCaPem: 5 }, 'tlsCaPem', 'It is 5. Give one or more certificates in PEM form'],
    [{ tlsCaPem: 'ca.pem' }, 'tlsCaPem', 'It is a text of 6 characters without a certificate. Give one or more certificates in PEM form'],
    [{ tlsCaPem: pem }, 'tlsCaPem', '1 of its 1 certificates cannot be read. Give one or more certificates'],
    [{ tlsCaPem: `${pem}!!!!\n-----END CERTIFICATE-----` }, 'tlsCaPem', '1 of its 1 certificates cannot be read.'],
    [
      { tlsCaPem: '-----BEGIN PRIVATE KEY-----\nMIIB' },
      'tlsCaPem',
      'It holds a private key. Give certificates only, and make a new private key: this one is exposed.',
    ],
    [
      { tlsCaPem: `${pem}-----END CERTIFICATE-----`, disableTlsVerification: true },
      'tlsCaPem',
      'It has no effect together with disableTlsVerification. Keep tlsCaPem and remove disableTlsVerification.',
    ],
    [{ intervalMinutes: 0 }, 'intervalMinutes', 'It is 0. Give a whole number of minutes, from 1 to 60.'],
    [{ intervalMinutes: 61 }, 'intervalMinutes', 'It is 61. Give a whole number of minutes, from 1 to 60.'],
    [{ intervalMinutes: 2.5 }, 'intervalMinutes', 'It is 2.5. Give a whole number of minutes, from 1 to 60.'],
    [
      { intervalMinutes: '5' },
      'intervalMinutes',
      'It is "5". Give a whole number of minutes, from 1 to 60. It is a text; its type in DynamoDB must be N.',
    ],
    [{ requestsPerMinute: 0 }, 'requestsPerMinute', 'It is 0. Give a whole number, from 1 to 6000.'],
    [{ requestsPerMinute: 6_001 }, 'requestsPerMinute', 'It is 6001. Give a whole number, from 1 to 6000.'],
    [{ requestsPerDay: 0 }, 'requestsPerDay', 'It is 0. Give a whole number, 1 or more.'],
    [{ rateGroup: 'a b' }, 'rateGroup', 'It is "a b". Give 1 to 64 letters (A to Z), digits, dots, hyphens or underscores.'],
    [{ initialBackfillMinutes: -1 }, 'initialBackfillMinutes', 'It is -1. Give a whole number of minutes, 0 or more.'],
    [
      { initialBackfillMinutes: 4_311 },
      'initialBackfillMinutes',
      'It is 4311. Give a whole number of minutes from 0 to 4310, since the vendor keeps events no longer.',
    ],
    [{ lateArrivalMinutes: 1_441 }, 'lateArrivalMinutes', 'It is 1441. Give a whole number of minutes, from 0 to 1440.'],
    [
      { requestPerMinute: 5 },
      'requestPerMinute',
      '"requestPerMinute" is no attribute of a connector. Did you mean requestsPerMinute? Rename or remove it.',
    ],
    [{ base_url: '' }, 'base_url', '"base_url" is no attribute of a connector. Did you mean baseUrl?'],
    [{ apiKey }, 'apiKey', '"apiKey" is no attribute of a connector. Did you mean apiKeySecrets?'],
    [{ colour: 'red' }, 'colour', '"colour" is no attribute of a connector. The attributes are connectorId, type, name,'],
    [{ [long]: 1 }, `[${shownLong}]`, `${shownLong} is no attribute of a connector.`],
  ])('is refused with the place, the value seen and the values allowed (%#): %j', (changes, path, message) => {
    expect(problems(changes)).toEqual([{ path, message: expect.stringContaining(message) }])
  })

  it('is refused with all of its mistakes at once', () => {
    const wrong = {
      connectorId: 'a#b',
      name: '',
      tenantName: '',
      baseUrl: 'https://evil.example',
      apiKeySecrets: ['nowhere'],
      contentTypes: ['chat'],
      intervalMinutes: 0,
      initialBackfillMinutes: 9_999,
      tlsCaPem: '',
      disableTlsVerification: true,
      colour: 'red',
    }
    const paths = new Set(problems(wrong).map(({ path }) => path))
    expect(paths).toEqual(
      new Set([
        'connectorId',
        'name',
        'tenantName',
        'baseUrl',
        'apiKeySecrets[0]',
        'contentTypes[0]',
        'intervalMinutes',
        'initialBackfillMinutes',
        'tlsCaPem',
        'colour',
      ]),
    )
  })

  it('is refused with each required attribute that it lacks, once', () => {
    expect(problems({}, {}).map(({ path }) => path)).toEqual(['connectorId', 'name', 'tenantName', 'baseUrl', 'apiKeySecrets', 'type'])
  })

  it.each([undefined, null, 'text', 5, [item]])('is refused if it is not an object: %j', (value) => {
    expect(parseConnector(value, policy)).toEqual({
      ok: false,
      problems: [{ path: 'item', message: expect.stringContaining('Give an object with the attributes of a connector.') }],
    })
  })

  it('is refused for an attribute named __proto__ as for any other unknown name', () => {
    const parsed = parseConnector(JSON.parse(`{"__proto__": {"enabled": false}, ${JSON.stringify(item).slice(1)}`), policy)
    expect(parsed).toMatchObject({ ok: false, problems: [{ path: '__proto__' }] })
  })

  it('is refused with its first 50 mistakes and the number of the others', () => {
    const reported = problems(Object.fromEntries(Array.from({ length: 5_000 }, (_, i) => [`x${i}`, 1])))
    expect(reported).toHaveLength(51)
    expect(reported.at(-1)).toEqual({ path: 'item', message: 'There are 4950 more problems. Correct these first.' })
  })

  it.each([
    { apiKeySecrets: apiKey },
    { apiKeySecrets: [apiKey] },
    { apiKeySecrets: [`tributary/globex/${apiKey} `] },
    { apiKeySecrets: [`tributary/globex/a#${apiKey}#`] },
    { apiKeySecrets: ['hunter2'] },
    { apiKeySecrets: [`tributary/globex/${apiKey}`, `tributary/globex/${apiKey}`] },
    { apiKeySecrets: [{ apiKey }] },
    { apiKeySecrets: { apiKey } },
    { apiKey },
    { [apiKey]: apiKey },
    { rateGroup: `${apiKey} ` },
    { contentTypes: apiKey },
    { contentTypes: [apiKey] },
    { tlsCaPem: apiKey },
    { logFilters: apiKey },
    { baseUrl: `https://user:hunter2@api.acme.example/${apiKey}` },
    { baseUrl: `https://evil.example/v1?token=${apiKey}` },
    { baseUrl: `user:hunter2@${apiKey} /` },
    { intervalMinutes: apiKey },
    { connectorId: `${apiKey}#` },
  ])('is refused without repeating a key, wherever that was pasted: %j', (changes) => {
    const reported = JSON.stringify(problems(changes))
    expect(reported).not.toBe('[]')
    expect(reported).not.toContain(apiKey)
    expect(reported).not.toContain('hunter2')
  })
})

describe('the table of attributes', () => {
  it('has a row with a type and a description for every attribute of a connector', () => {
    const table = connectorAttributes()
    expect(table.map(({ name }) => name)).toEqual(expect.arrayContaining(Object.keys(accepted())))
    expect(table.filter(({ doc, type }) => doc === '' || type === '')).toEqual([])
  })

  it('marks the required attributes', () => {
    const required = connectorAttributes().flatMap(({ name, required }) => (required ? [name] : []))
    expect(required).toEqual(['connectorId', 'type', 'name', 'tenantName', 'baseUrl', 'apiKeySecrets'])
  })

  it('shows the defaults, and the defaults of a vendor if one is given', () => {
    const shown = (of?: Vendor) => Object.fromEntries(connectorAttributes(of).map((attribute) => [attribute.name, attribute.default]))
    expect(shown()).toMatchObject({
      logFilters: '[]',
      enabled: 'true',
      intervalMinutes: '5',
      contentTypes: 'the vendor’s',
      tlsCaPem: undefined,
    })
    expect(shown(vendor)).toMatchObject({ contentTypes: '["mail"]', eventTypes: '["virus","sandbox"]', lateArrivalMinutes: '20' })
  })
})
