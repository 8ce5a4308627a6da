import { Document, isNode, LineCounter, parseDocument } from 'yaml'
import { connectorAttributes } from '../functions/domain/connector/connector-schema.ts'
import { quote, unknownName } from '../functions/domain/connector/problems.ts'
import { tenantOfId } from '../functions/domain/connector/tenant.ts'
import type { Item } from './answers.ts'
import { Mistake } from './outcome.ts'

/** A file of connectors, in YAML or JSON: `defaults` for all, and the list `connectors`. A list alone is the same as `connectors`. */
export interface ConnectorsFile {
  readonly connectors: readonly FileConnector[]
}

export interface FileConnector {
  readonly connectorId: string
  /** With the defaults, and as the file's own. */
  readonly item: Item
  /** The place in the file, for a problem at this path of the item: `connectors.yaml line 12`. */
  place(path?: string): string
}

const fileNames = ['defaults', 'connectors']
const itemsMax = 10_000
/** A file may repeat a part by an alias so often (count). More would be an attack on the memory. */
const aliasesMax = 1_000

/** Throws `Mistake`, with the line. */
export function parseConnectorsFile(name: string, text: string): ConnectorsFile {
  const { value, lineOf } = parseYaml(name, text)
  const isList = Array.isArray(value)
  const top = isList ? { connectors: value } : value
  if (!isItem(top)) throw new Mistake(`${name}: the file must be an object with connectors, and defaults if you like. See docs/command.md.`)
  const wrong = Object.keys(top).find((key) => !fileNames.includes(key))
  if (wrong !== undefined) throw new Mistake(`${name} line ${lineOf([wrong])}: ${unknownName(wrong, 'a file of connectors', fileNames)}`)
  const { defaults = {}, connectors } = top
  if (!isItem(defaults))
    throw new Mistake(`${name} line ${lineOf(['defaults'])}: defaults must be an object with attributes of a connector.`)
  if (defaults['connectorId'] !== undefined) {
    throw new Mistake(
      `${name} line ${lineOf(['defaults', 'connectorId'])}: each connector has its own connectorId. Take it out of defaults.`,
    )
  }
  if (!Array.isArray(connectors)) throw new Mistake(`${name}: connectors must be a list. An empty one is [].`)
  if (connectors.length > itemsMax) throw new Mistake(`${name} has ${connectors.length} connectors. A file has at most ${itemsMax}.`)
  const items: readonly unknown[] = connectors
  const seen = new Map<string, number>()
  return {
    connectors: items.map((given, i) => {
      const at = isList ? [i] : ['connectors', i]
      const place = (path = '') => `${name} line ${lineOf([...at, ...stepsOf(path)])}`
      if (!isItem(given)) throw new Mistake(`${place()}: this is no connector. Give an object with its attributes.`)
      const { connectorId } = given
      if (typeof connectorId !== 'string' || connectorId === '') {
        throw new Mistake(`${place()}: the connector has no connectorId. Give it one, a text such as acme.cas.`)
      }
      const earlier = seen.get(connectorId)
      if (earlier !== undefined) throw new Mistake(`${place('connectorId')}: ${quote(connectorId)} stands in line ${earlier} already.`)
      seen.set(connectorId, lineOf([...at, 'connectorId']))
      return { connectorId, item: { ...defaultsFor(defaults, connectorId), ...given, managedBy: 'file' }, place }
    }),
  }
}

/** A file with one connector, for `create` and `edit`. Throws `Mistake`. */
export function parseItemFile(name: string, text: string): Item {
  const { value } = parseYaml(name, text)
  if (!isItem(value)) throw new Mistake(`${name}: the file must be an object with the attributes of one connector.`)
  if ('connectors' in value) throw new Mistake(`${name} is a file of several connectors. Use "plan -f ${name}" and "apply -f ${name}".`)
  return value
}

/** `{tenant}` in a text of the defaults is the tenant of the connector's id. */
function defaultsFor(defaults: Item, connectorId: string): Item {
  const tenant = tenantOfId(connectorId)
  const fill = (value: unknown): unknown => {
    if (typeof value === 'string') return tenant === undefined ? value : value.replaceAll('{tenant}', tenant)
    if (Array.isArray(value)) return value.map(fill)
    return isItem(value) ? Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, fill(inner)])) : value
  }
  return Object.fromEntries(Object.entries(defaults).map(([key, value]) => [key, fill(value)]))
}

/** The connectors as a file, in the order of the docs. The file owns them from its first `apply` on. */
export function formatConnectorsFile(items: readonly Item[]): string {
  const order = connectorAttributes().map(({ name }) => name)
  const rank = (name: string) => (order.indexOf(name) + order.length + 1) % (order.length + 1)
  const connectors = items.map((item) =>
    Object.fromEntries(
      Object.entries(item)
        .filter(([name]) => name !== 'managedBy')
        .sort(([a], [b]) => rank(a) - rank(b)),
    ),
  )
  return new Document({ connectors }).toString({ lineWidth: 120 })
}

/** One item as YAML. */
export function formatItem(item: Item): string {
  return new Document(item).toString({ lineWidth: 120 })
}

function parseYaml(name: string, text: string) {
  const lineCounter = new LineCounter()
  const document = parseDocument(text.replace(/^\ufeff/, ''), { lineCounter, uniqueKeys: true, prettyErrors: false })
  const [error] = document.errors
  if (error !== undefined) {
    const { line, col } = lineCounter.linePos(error.pos[0])
    throw new Mistake(`${name} line ${line}, column ${col}: this is neither YAML nor JSON. ${error.message}.`)
  }
  const lineOf = (path: readonly (string | number)[]): number => {
    for (let length = path.length; length > 0; length--) {
      const node = document.getIn(path.slice(0, length), true)
      if (isNode(node) && node.range) return lineCounter.linePos(node.range[0]).line
    }
    return 1
  }
  try {
    const value: unknown = document.toJS({ maxAliasCount: aliasesMax })
    return { value, lineOf }
  } catch (error) {
    throw new Mistake(`${name} cannot be read: ${error instanceof Error ? error.message : String(error)}`)
  }
}

/** `logFilters[0].operator` as steps. */
function stepsOf(path: string): readonly (string | number)[] {
  return [...path.matchAll(/\[(\d+)\]|([^.[\]]+)/g)].map(([, index, name = '']) => (index === undefined ? name : Number(index)))
}

function isItem(value: unknown): value is Item {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
