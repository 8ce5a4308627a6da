import { describe, expect, it } from 'vitest'
import { formatConnectorsFile, parseConnectorsFile, parseItemFile } from '../../cli/connectors-file.ts'
import { itemOf } from './in-memory.ts'

const itemsOf = (text: string) => parseConnectorsFile('c.yaml', text).connectors.map(({ item }) => item)

describe('a file of connectors', () => {
  it('gives each connector the defaults, with its tenant in place of {tenant}, and prefers its own values', () => {
    const text = `
defaults:
  type: trendmicro-cas
  name: "{tenant}-cas"
  apiKeySecrets: ["tributary/{tenant}/cas"]
  intervalMinutes: 10
connectors:
  - { connectorId: acme.cas, tenantName: Acme }
  - { connectorId: globex.cas, tenantName: Globex, intervalMinutes: 5 }
`
    const common = { type: 'trendmicro-cas', managedBy: 'file' }
    expect(itemsOf(text)).toEqual([
      {
        connectorId: 'acme.cas',
        tenantName: 'Acme',
        name: 'acme-cas',
        apiKeySecrets: ['tributary/acme/cas'],
        intervalMinutes: 10,
        ...common,
      },
      {
        connectorId: 'globex.cas',
        tenantName: 'Globex',
        name: 'globex-cas',
        apiKeySecrets: ['tributary/globex/cas'],
        intervalMinutes: 5,
        ...common,
      },
    ])
  })

  it('leaves {tenant} alone in what a connector says itself', () => {
    expect(itemsOf('connectors: [{ connectorId: acme.cas, note: "{tenant}" }]')).toMatchObject([{ note: '{tenant}' }])
  })

  it('may be JSON, and may be a list alone, as npm start takes it', () => {
    const items = [itemOf('acme.cas'), itemOf('globex.cas')]
    const owned = items.map((item) => ({ ...item, managedBy: 'file' }))
    expect(itemsOf(JSON.stringify({ connectors: items }))).toEqual(owned)
    expect(itemsOf(JSON.stringify(items))).toEqual(owned)
  })

  it('comes back from what export writes', () => {
    const items = [itemOf('acme.cas', { note: 'yes: "no" # not a comment', logFilters: [{ name: 'f', conditions: [] }] }), itemOf('b.c')]
    expect(itemsOf(formatConnectorsFile(items))).toEqual(items.map((item) => ({ ...item, managedBy: 'file' })))
  })

  it('names the line of an attribute, or of what is around it', () => {
    const [connector] = parseConnectorsFile(
      'c.yaml',
      'connectors:\n  - connectorId: acme.cas\n    contentTypes:\n      - a\n      - b\n',
    ).connectors
    expect(connector?.place('contentTypes[1]')).toBe('c.yaml line 5')
    expect(connector?.place('baseUrl')).toBe('c.yaml line 2')
  })

  it.each<[string, string]>([
    ['connectors: [', 'c.yaml line 1, column 14: this is neither YAML nor JSON.'],
    [
      'connectors:\n  - connectorId: a.b\n    name: x\n    name: y\n',
      'c.yaml line 4, column 5: this is neither YAML nor JSON. Map keys must be unique',
    ],
    ['just a text', 'c.yaml: the file must be an object with connectors'],
    ['', 'c.yaml: the file must be an object with connectors'],
    ['conectors: []', 'c.yaml line 1: "conectors" is no attribute of a file of connectors. Did you mean connectors?'],
    ['defaults: []\nconnectors: []', 'c.yaml line 1: defaults must be an object'],
    ['defaults: { connectorId: a.b }\nconnectors: []', 'c.yaml line 1: each connector has its own connectorId.'],
    ['connectors: {}', 'c.yaml: connectors must be a list.'],
    ['connectors:\n  - acme.cas', 'c.yaml line 2: this is no connector.'],
    ['connectors:\n  - name: x', 'c.yaml line 2: the connector has no connectorId.'],
    ['connectors:\n  - connectorId: a.b\n  - connectorId: a.b', 'c.yaml line 3: "a.b" stands in line 2 already.'],
  ])('is refused with the place of the mistake: %j', (text, message) => {
    expect(() => parseConnectorsFile('c.yaml', text)).toThrow(message)
  })

  it('is refused if it would grow without bound', () => {
    const bomb = [
      'a: &a [x, x]',
      ...Array.from({ length: 30 }, (_, i) => `${letter(i + 1)}: &${letter(i + 1)} [*${letter(i)}, *${letter(i)}]`),
    ]
    expect(() => parseConnectorsFile('c.yaml', bomb.join('\n'))).toThrow('c.yaml cannot be read')
  })

  it('is not taken for a file of one connector', () => {
    expect(() => parseItemFile('c.yaml', 'connectors: []')).toThrow('Use "plan -f c.yaml"')
    expect(parseItemFile('c.yaml', 'connectorId: a.b')).toEqual({ connectorId: 'a.b' })
  })
})

function letter(i: number): string {
  return i < 26 ? String.fromCharCode(97 + i) : `z${i}`
}
