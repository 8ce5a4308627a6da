import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { readConnectorsFile } from '../../local/input-files.ts'
import { temporaryFolder } from '../local-services.ts'

test('every text that JSON.parse refuses has a place where it stops being JSON, and nothing before it can be the mistake', async () => {
  const path = join(temporaryFolder(), 'connectors.json')
  const broken = fc
    .tuple(fc.json({ maxDepth: 3 }), fc.nat(), fc.constantFrom('', ',', '}', ']', '"', ':', 'x', '\n', '\\', '\u00a0', '\u0001'))
    .map(([text, n, put]) => {
      const at = n % (text.length + 1)
      return text.slice(0, at) + put + text.slice(at + 1)
    })
    .filter((text) => !isJson(text))
  await fc.assert(
    fc.asyncProperty(broken, async (text) => {
      writeFileSync(path, text)
      const said = await readConnectorsFile(path).then(
        () => 'accepted',
        (error: Error) => error.message,
      )
      const [, line, column] = /is not JSON\. Line (\d+), column (\d+): /.exec(said) ?? []
      expect(said).not.toMatch(/ends where the end/)
      const lines = text.split('\n')
      const at = lines.slice(0, Number(line) - 1).reduce((sum, each) => sum + each.length + 1, 0) + Number(column) - 1
      expect(at).toBeLessThanOrEqual(text.length)
      // V8 names the position of some mistakes.
      const position = /at position (\d+)/.exec(mistakeOf(text))?.[1]
      if (position !== undefined) expect(at).toBeLessThanOrEqual(Number(position))
    }),
  )
})

function isJson(text: string): boolean {
  return mistakeOf(text) === ''
}

function mistakeOf(text: string): string {
  try {
    JSON.parse(text)
    return ''
  } catch (error) {
    return String(error)
  }
}
