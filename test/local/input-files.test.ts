import { chmodSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it, test } from 'vitest'
import { readConnectorsFile, readSecretsFile } from '../../local/input-files.ts'
import { StartupError } from '../../local/services/startup-error.ts'
import { temporaryFolder } from '../local-services.ts'

function file(content: unknown, mode = 0o600): string {
  const path = join(temporaryFolder(), 'file.json')
  writeFileSync(path, typeof content === 'string' || content instanceof Uint8Array ? content : JSON.stringify(content))
  chmodSync(path, mode)
  return path
}

/** A text as Windows PowerShell saves it, redirects it, and as the other byte order has it. */
const marked = {
  'UTF-8 with a byte order mark': (text: string) => Buffer.from(`\ufeff${text}`),
  'UTF-16, little end first': (text: string) => Buffer.from(`\ufeff${text}`, 'utf16le'),
  'UTF-16, big end first': (text: string) => Buffer.from(`\ufeff${text}`, 'utf16le').swap16(),
}

describe.each(Object.entries(marked))('a file in %s', (_, encoded) => {
  it('is read as connectors', async () => {
    expect(await readConnectorsFile(file(encoded('[]')))).toEqual([])
    expect(await readConnectorsFile(file(encoded('[{"connectorId":"a"}]')))).toEqual([{ connectorId: 'a' }])
  })

  it('is read as secrets', async () => {
    expect(await readSecretsFile(file(encoded('{"tributary/k1":"abc-key"}')))).toEqual(new Map([['tributary/k1', 'abc-key']]))
  })
})

describe('the file of connectors', () => {
  it('holds items as plain JSON', async () => {
    const items = [{ connectorId: 'a', contentTypes: ['exchange'], requestsPerMinute: 20, enabled: true }]
    expect(await readConnectorsFile(file(items))).toEqual(items)
  })

  it("holds items as DynamoDB's typed JSON, beside plain ones", async () => {
    const typed = {
      connectorId: { S: 'a' },
      requestsPerMinute: { N: '20' },
      enabled: { BOOL: true },
      contentTypes: { L: [{ S: 'exchange' }] },
      apiKeySecrets: { SS: ['tributary/a'] },
      logFilters: { L: [{ M: { name: { S: 'f' }, conditions: { L: [] } } }] },
    }
    expect(await readConnectorsFile(file([typed, { connectorId: 'b' }]))).toEqual([
      {
        connectorId: 'a',
        requestsPerMinute: 20,
        enabled: true,
        contentTypes: ['exchange'],
        apiKeySecrets: ['tributary/a'],
        logFilters: [{ name: 'f', conditions: [] }],
      },
      { connectorId: 'b' },
    ])
  })

  it('may contain no connectors', async () => {
    expect(await readConnectorsFile(file([]))).toEqual([])
  })

  it.each([
    ['{"a": 1', /is not JSON\. .+\.$/],
    ['', /is not JSON\. .+\.$/],
    [{ connectorId: 'a' }, /must be a JSON array of items, but it is an object/],
    ['"text"', /must be a JSON array of items, but it is a string/],
    ['null', /must be a JSON array of items, but it is null/],
    [[{ connectorId: 'a' }, 5], /item 2 is not a JSON object\.$/],
    [[{ connectorId: 'a' }, []], /item 2 is not a JSON object\.$/],
    [[{ name: 'a' }], /item 1 has no connectorId/],
    [[{ connectorId: 7 }], /item 1 has no connectorId/],
    [[{ connectorId: { N: '7' } }], /item 1 has no connectorId/],
    [[{ connectorId: 'a' }, { connectorId: { S: 'a' } }], /item 2 repeats the connectorId a of an earlier item\./],
    [[{ connectorId: 'x'.repeat(70) }, { connectorId: 'x'.repeat(70) }], /item 2 repeats the connectorId x{63}… of an earlier item\./],
  ])('is refused as %j, with its path and its mistake', async (content, said) => {
    const path = file(content)
    const reading = readConnectorsFile(path)
    await expect(reading).rejects.toBeInstanceOf(StartupError)
    await expect(reading).rejects.toThrow(said)
    await expect(reading).rejects.toThrow(path)
  })

  it.each([
    ['[\n  {"connectorId": "a"},\n]', 'Line 3, column 1: there is ] where a value must be.'],
    ['[\n  {"connectorId": "a",\n   }\n]', 'Line 3, column 4: there is } where a name in double quotes must be.'],
    ['[{"connectorId" "a"}]', 'Line 1, column 17: there is "a"}] where a colon must be.'],
    ['[{"connectorId": "a"\r\n  "name": "b"}]', 'Line 2, column 3: there is "name": "b"}] where a comma or } must be.'],
    ["[{'connectorId': 'a'}]", "Line 1, column 3: there is 'connectorId': 'a'}] where a name in double quotes or } must be."],
    ['[{connectorId: "a"}]', 'Line 1, column 3: there is connectorId: "a"}] where a name in double quotes or } must be.'],
    ['[{"a": 01}]', 'Line 1, column 8: there is 01}] where a value must be.'],
    ['[{"a": True}]', 'Line 1, column 8: there is True}] where a value must be.'],
    ['[{"a": "b}]', 'Line 1, column 8: the text that begins there ("b}]) has no closing quote, or a character that needs a backslash.'],
    [
      '[{"a": "C:\\data"}]',
      'Line 1, column 8: the text that begins there ("C:\\data"}]) has no closing quote, or a character that needs a backslash.',
    ],
    ['[1, 2', 'Line 1, column 6: the file ends where a comma or ] must be.'],
    ['[1]\n[2]', 'Line 2, column 1: there is [2] where the end of the file must be.'],
    ['// my connectors\n[]', 'Line 1, column 1: there is // my connectors where a value must be.'],
    ['  \n', 'Line 2, column 1: the file ends where a value must be.'],
  ])('that is %j says in which line and column it stops being JSON, and what must be there', async (content, said) => {
    const path = file(content)
    await expect(readConnectorsFile(path)).rejects.toThrow(`--connectors ${path} is not JSON. ${said}`)
  })

  it.each([
    ['the file does not exist', '/nowhere/c.json', /^--connectors \/nowhere\/c\.json cannot be read: the file does not exist\.$/],
    ['it is a folder', '/tmp', /^--connectors \/tmp cannot be read: it is a folder\.$/],
  ])('is refused with the reason when %s', async (_, path, said) => {
    await expect(readConnectorsFile(path)).rejects.toThrow(said)
  })
})

describe('the file of secrets', () => {
  it('holds names and keys', async () => {
    expect(await readSecretsFile(file({ 'tributary/a': 'key-a' }))).toEqual(new Map([['tributary/a', 'key-a']]))
  })

  it.each([0o644, 0o640, 0o604, 0o620, 0o601])('is refused when other users have access to it (mode %o)', async (mode) => {
    await expect(readSecretsFile(file({ 'tributary/a': 'key-a' }, mode))).rejects.toThrow(
      new RegExp(`is accessible to other users \\(mode ${mode.toString(8)}\\)\\. Run "chmod 600 .+" and start again\\.$`),
    )
  })

  it.each([
    ['{"tributary/a": "s3cret-key'],
    [['s3cret-key']],
    ['"s3cret-key"'],
    [{ 'tributary/a': { key: 's3cret-key' } }],
    [{ 's3cret-key': '' }],
  ])('is refused as %j, without showing a key', async (content) => {
    const reading = readSecretsFile(file(content))
    await expect(reading).rejects.toBeInstanceOf(StartupError)
    await expect(reading).rejects.not.toThrow('s3cret-key')
  })
})

test('a file of secrets that is no JSON says in which line and column, and shows no key', async () => {
  const path = file('{\n  "tributary/a": "s3cret-key"\n  "tributary/b": "s3cret-key"\n}')
  await expect(readSecretsFile(path)).rejects.toThrow(
    `--secrets ${path} is not JSON. Line 3, column 3: there is something else where a comma or } must be.`,
  )
})

test('a file of secrets that does not exist is refused with that reason', async () => {
  await expect(readSecretsFile('/nowhere/s.json')).rejects.toThrow(
    '--secrets /nowhere/s.json: the file does not exist, or you have no permission to read it.',
  )
})
