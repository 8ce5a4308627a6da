import { readFile, stat } from 'node:fs/promises'
import * as z from 'zod'
import { plainItem } from '../functions/adapters/connectors-table.ts'
import { cutText } from '../functions/domain/text.ts'
import type { ConnectorItem } from '../functions/flows/item-digest.ts'
import { StartupError } from './services/startup-error.ts'

/** An id may have any length. A message shows this much of it (characters). */
const shownMax = 64

const typeNames = new Set(['S', 'N', 'B', 'BOOL', 'NULL', 'L', 'M', 'SS', 'NS', 'BS'])

/** Reads connectors as a user writes them to DynamoDB: a JSON array of items, each as plain JSON or as DynamoDB's typed JSON. Throws `StartupError`. */
export async function readConnectorsFile(path: string): Promise<readonly (ConnectorItem & { readonly connectorId: string })[]> {
  const content = await readJson('--connectors', path)
  if (!Array.isArray(content)) {
    throw new StartupError(
      `--connectors ${path}: the file must be a JSON array of items, but it is ${kindOf(content)}. Put the items between [ and ].`,
    )
  }
  const items: readonly unknown[] = content
  const seen = new Set<string>()
  return items.map((item, i) => {
    const where = `--connectors ${path}: item ${i + 1}`
    if (typeof item !== 'object' || item === null || Array.isArray(item)) throw new StartupError(`${where} is not a JSON object.`)
    const plain = isTyped(item) ? plainItem(item) : { ...item }
    const { connectorId } = plain as ConnectorItem
    if (typeof connectorId !== 'string' || connectorId === '') {
      throw new StartupError(`${where} has no connectorId. Give it one: the key of the connectors table, a text such as "acme.cas".`)
    }
    if (seen.has(connectorId)) {
      const shown = cutText(connectorId, shownMax)
      throw new StartupError(`${where} repeats the connectorId ${shown} of an earlier item. Give each item its own.`)
    }
    seen.add(connectorId)
    return { ...plain, connectorId }
  })
}

/** Reads API keys by secret name. Throws `StartupError`; its message never contains a key. */
export async function readSecretsFile(path: string): Promise<ReadonlyMap<string, string>> {
  const { mode } = await stat(path).catch(() => {
    throw new StartupError(`--secrets ${path}: the file does not exist, or you have no permission to read it.`)
  })
  if (process.platform !== 'win32' && (mode & 0o077) !== 0) {
    throw new StartupError(
      `--secrets ${path} is accessible to other users (mode ${(mode & 0o777).toString(8)}). Run "chmod 600 ${path}" and start again.`,
    )
  }
  const parsed = z.record(z.string().min(1), z.string().min(1)).safeParse(await readJson('--secrets', path, { quiet: true }))
  if (!parsed.success)
    throw new StartupError(`--secrets ${path}: the file must be a JSON object from secret name to API key, and neither may be empty.`)
  return new Map(Object.entries(parsed.data))
}

async function readJson(option: string, path: string, { quiet = false } = {}): Promise<unknown> {
  const bytes = await readFile(path).catch((error: NodeJS.ErrnoException) => {
    throw new StartupError(`${option} ${path} cannot be read: ${readErrors[error.code ?? ''] ?? error.code ?? error.message}.`)
  })
  const text = textOf(bytes)
  try {
    return JSON.parse(text)
  } catch {
    // In a file of keys the place of the mistake may be a key.
    throw new StartupError(`${option} ${path} is not JSON. ${describeMistake(text, quiet)}.`)
  }
}

const token =
  /[ \t\r\n]*(?:(?<mark>[{}[\],:])|(?<text>"(?:[^"\\\p{Cc}]|[\x7f-\x9f]|\\(?:["\\/bfnrt]|u[\da-fA-F]{4}))*")|(?<other>-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?\b|true\b|false\b|null\b))/uy

/** The tokens that may come next, by their first character (`v`: a number, true, false or null), in words. */
const expectations = {
  value: ['{["v', 'a value'],
  valueOrEnd: ['{["v]', 'a value or ]'],
  name: ['"', 'a name in double quotes'],
  nameOrEnd: ['"}', 'a name in double quotes or }'],
  colon: [':', 'a colon'],
  commaInObject: [',}', 'a comma or }'],
  commaInList: [',]', 'a comma or ]'],
  nothing: ['', 'the end of the file'],
} as const

type Expectation = keyof typeof expectations

/** Says where a text stops being JSON and what would have to be there: JSON.parse does not always say where. */
function describeMistake(text: string, quiet: boolean): string {
  const { at, expected } = findMistake(text)
  const before = text.slice(0, at).split('\n')
  const place = `Line ${before.length}, column ${(before.at(-1)?.length ?? 0) + 1}`
  const [rest = ''] = text.slice(at, at + shownMax).split(/[\r\n]/)
  if (rest === '') return `${place}: the file ends where ${expected} must be`
  const shown = quiet ? 'something else' : rest
  if (rest.startsWith('"') && expected.includes('value'))
    return `${place}: the text that begins there${quiet ? '' : ` (${shown})`} has no closing quote, or a character that needs a backslash`
  return `${place}: there is ${shown} where ${expected} must be`
}

function findMistake(text: string): { readonly at: number; readonly expected: string } {
  const open: string[] = []
  let next = 'value' as Expectation
  const afterValue = (): Expectation => (open.length === 0 ? 'nothing' : open.at(-1) === '{' ? 'commaInObject' : 'commaInList')
  for (let end = 0; ; end = token.lastIndex) {
    token.lastIndex = end
    const { mark, text: word } = token.exec(text)?.groups ?? {}
    const [allowed, expected]: readonly [string, string] = expectations[next]
    const kind = mark ?? (word === undefined ? 'v' : '"')
    if (token.lastIndex === 0 || !allowed.includes(kind))
      return { at: end + (/^[ \t\r\n]*/.exec(text.slice(end))?.[0].length ?? 0), expected }
    if (kind === '{' || kind === '[') {
      open.push(kind)
      next = kind === '{' ? 'nameOrEnd' : 'valueOrEnd'
    } else if (kind === '}' || kind === ']') {
      open.pop()
      next = afterValue()
    } else if (kind === ',') next = open.at(-1) === '{' ? 'name' : 'value'
    else if (kind === ':') next = 'value'
    else next = next === 'name' || next === 'nameOrEnd' ? 'colon' : afterValue()
  }
}

/** PowerShell writes a byte order mark before UTF-8, and redirects in UTF-16. TextDecoder takes the mark off. */
function textOf(bytes: Buffer): string {
  const mark = bytes.toString('latin1', 0, 2)
  return new TextDecoder(mark === '\xff\xfe' ? 'utf-16le' : mark === '\xfe\xff' ? 'utf-16be' : 'utf-8').decode(bytes)
}

const readErrors: Readonly<Record<string, string>> = {
  ENOENT: 'the file does not exist',
  EISDIR: 'it is a folder',
  EACCES: 'you have no permission',
}

function kindOf(value: unknown): string {
  if (value === null) return 'null'
  return typeof value === 'object' ? 'an object' : `a ${typeof value}`
}

function isTyped(item: object): item is Parameters<typeof plainItem>[0] {
  const values: unknown[] = Object.values(item)
  return (
    values.length > 0 &&
    values.every((value) => {
      const names = typeof value === 'object' && value !== null && !Array.isArray(value) ? Object.keys(value) : []
      return names.length === 1 && typeNames.has(names[0] ?? '')
    })
  )
}
