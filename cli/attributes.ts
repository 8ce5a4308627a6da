import { type ConnectorAttribute, connectorAttributes } from '../functions/domain/connector/connector-schema.ts'
import { unknownName } from '../functions/domain/connector/problems.ts'
import type { Vendor } from '../functions/domain/vendor.ts'
import type { Item } from './answers.ts'
import { Mistake } from './outcome.ts'

/** The attributes of a connector as options of `create` and `edit`, made from the schema of connectors. */

/** Shorter names of options, beside the attribute's own. */
const shortNames: Readonly<Record<string, string>> = { tenantName: '--tenant', apiKeySecrets: '--secret' }
/** The id is an argument, and a file alone may own an item. */
const notOptions: readonly string[] = ['connectorId', 'managedBy']
/** Long values, which a file may hold. */
const inFiles: Readonly<Record<string, string>> = {
  logFilters: ' JSON, or @FILE for that in a file.',
  tlsCaPem: ' @FILE for those in a file.',
}

export interface AttributeOption {
  readonly attribute: ConnectorAttribute
  /** As commander takes it: `--secret, --api-key-secrets <text>`. */
  readonly flags: string
  /** Whether it may be given several times, each time with one value or more. */
  readonly isList: boolean
  readonly help: string
}

export function attributeOptions(vendor?: Vendor): readonly AttributeOption[] {
  return connectorAttributes(vendor)
    .filter(({ name }) => !notOptions.includes(name))
    .map((attribute) => {
      const { name, type, doc, default: byDefault } = attribute
      const long = `--${kebab(name)} ${placeholder(type)}`
      const short = shortNames[name]
      const isList = type === 'list of texts'
      const more = isList ? ' Several: with commas, or the option several times.' : (inFiles[name] ?? '')
      return {
        attribute,
        isList,
        flags: short === undefined ? long : `${short}, ${long}`,
        help: `${doc}${more}${byDefault === undefined ? '' : ` Default: ${byDefault}.`}`,
      }
    })
}

function placeholder(type: string): string {
  if (type === 'list of texts') return '<text>'
  if (type === 'list of log filters') return '<json>'
  return type === 'boolean' ? '<true|false>' : `<${type}>`
}

function kebab(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)
}

/** The attributes that options give, by the names that commander has for them. Throws `Mistake`. */
export function attributesOf(options: Readonly<Record<string, unknown>>, readFile: (path: string) => string): Item {
  const given = attributeOptions().flatMap(({ attribute: { name, type } }) => {
    const value = options[name]
    const isInFile = typeof value === 'string' && value.startsWith('@') && name in inFiles
    const given = isInFile ? readFile(value.slice(1)) : value
    return given === undefined ? [] : [[name, attributeValue(name, type, given)] as const]
  })
  return Object.fromEntries(given)
}

/** A text that is no value of the type stays: the schema then says what it must be. */
function attributeValue(name: string, type: string, given: unknown): unknown {
  if (type === 'list of texts') return listOf(given)
  if (typeof given !== 'string') return given
  if (type === 'number') return /^\d+$/.test(given) ? Number(given) : given
  if (type === 'boolean') return given === 'true' ? true : given === 'false' ? false : given
  return type === 'list of log filters' ? jsonOf(name, given) : given
}

function listOf(given: unknown): readonly string[] {
  const texts = Array.isArray(given) ? given.map(String) : [String(given)]
  return texts.flatMap((text) => text.split(',')).flatMap((text) => (text.trim() === '' ? [] : [text.trim()]))
}

function jsonOf(name: string, text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw new Mistake(`--${kebab(name)} is not JSON. Give it in single quotes, or put the connector into a file and give it with -f.`)
  }
}

/** The item without the attributes that `--unset` names. Throws `Mistake` for a name that no attribute has. */
export function withoutAttributes(item: Item, names: readonly string[]): Item {
  const known = connectorAttributes().map(({ name }) => name)
  const wrong = names.find((name) => !known.includes(name))
  if (wrong !== undefined) throw new Mistake(`--unset ${unknownName(wrong, 'a connector', known)}`)
  return Object.fromEntries(Object.entries(item).filter(([name]) => !names.includes(name)))
}
