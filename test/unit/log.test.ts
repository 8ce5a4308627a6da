import fc from 'fast-check'
import { describe, expect, it, vi } from 'vitest'
import { jsonLog } from '../../functions/adapters/log.ts'
import type { LogEntry } from '../../functions/domain/ports.ts'
import { Redactor } from '../../functions/domain/redaction/redactor.ts'

/** A person still reads a line of this length (characters); unlimited, the line of this test would have a million. */
const readableLengthMax = 20_000

const clock = { now: () => Date.UTC(2026, 10, 24), sleepUntil: async () => {} }

function lineOf(details: Record<string, unknown>, secrets: readonly string[] = []): string {
  const lines: string[] = []
  const { log, addRedaction } = jsonLog({ clock, write: (line) => lines.push(line) })
  secrets.forEach(addRedaction)
  log({ level: 'info', event: 'tested', message: 'A test', ...details } as LogEntry)
  expect(lines).toHaveLength(1)
  return lines[0]!
}

function read(line: string): Record<string, unknown> {
  return JSON.parse(line)
}

describe('a log line', () => {
  it('is one JSON object with the time', () => {
    const line = lineOf({ note: 'two\nlines' })
    expect(line).not.toContain('\n')
    expect(read(line)).toEqual({ time: '2026-11-24T00:00:00.000Z', level: 'info', event: 'tested', message: 'A test', note: 'two\nlines' })
  })

  it('has the name, message, stack, cause and added properties of an error', () => {
    const error = Object.assign(new TypeError('bad', { cause: new Error('worse') }), { code: 'E1' })
    expect(read(lineOf({ error }))['error']).toMatchObject({
      name: 'TypeError',
      message: 'bad',
      stack: expect.stringContaining('log.test.ts'),
      cause: { name: 'Error', message: 'worse' },
      code: 'E1',
    })
  })

  it('has a replacement for each value that JSON cannot hold', () => {
    const circular: Record<string, unknown> = {}
    circular['self'] = circular
    const details = {
      circular,
      big: 12n,
      at: new Date(0),
      never: new Date(Number.NaN),
      map: new Map([['a', 1n]]),
      set: new Set([1]),
      bytes: Buffer.from('x'),
      call: Symbol('s'),
    }
    expect(read(lineOf(details))).toMatchObject({
      circular: { self: '[circular]' },
      big: '12',
      at: '1970-01-01T00:00:00.000Z',
      never: null,
      map: { a: '1' },
      set: [1],
      bytes: '[1 bytes]',
      call: 'Symbol(s)',
    })
  })

  it('reports an entry that cannot be serialised', () => {
    const hostile = {
      get secret(): string {
        throw new RangeError('no')
      },
    }
    expect(read(lineOf({ hostile }))).toMatchObject({ level: 'error', event: 'log-failed' })
  })

  it('is dropped without an exception if it cannot be written', () => {
    const { log } = jsonLog({
      clock,
      write: () => {
        throw new Error('EPIPE')
      },
    })
    expect(() => log({ level: 'info', event: 'x', message: 'x' })).not.toThrow()
  })

  it('is limited in depth, count and length', () => {
    let deep: unknown = 'end'
    for (let i = 0; i < 1_000; i++) deep = { deep }
    const line = lineOf({ deep, many: Array.from({ length: 100_000 }, (_, i) => i), long: 'x'.repeat(1_000_000) })
    expect(line.length).toBeLessThan(readableLengthMax)
  })
})

describe('a registered secret', () => {
  const secret = 'k3y/with+special="chars"\\and~more'
  const embedded = (before: string, after: string, encoding: 'base64' | 'base64url') =>
    Buffer.from(`${before}${secret}${after}`).toString(encoding)

  it.each([
    ['as it is', `Bearer ${secret}`],
    ['in upper case', secret.toUpperCase()],
    ['as JSON', JSON.stringify({ secret })],
    ['as JSON in JSON', JSON.stringify(JSON.stringify({ secret }))],
    ['URL-encoded', `https://x.example/?k=${encodeURIComponent(secret)}`],
    ['URL-encoded in lower case', encodeURIComponent(secret).toLowerCase()],
    ['URL-encoded twice', encodeURIComponent(encodeURIComponent(secret))],
    ['in base64', embedded('', '', 'base64')],
    ['in base64, after one byte', embedded('x', 'y', 'base64')],
    ['in base64, after two bytes', embedded('xx', '', 'base64')],
    ['in basic authorization', embedded('user:', '', 'base64')],
    ['in base64url', embedded('user:', ':x', 'base64url')],
  ])('is redacted %s', (_, text) => {
    const { note } = read(lineOf({ note: text }, [secret])) as { note: string }
    expect(note).toContain('[redacted]')
    expect(note.replaceAll('[redacted]', '').length).toBeLessThan(text.length - secret.length / 2)
  })

  it('is redacted in property names, in errors and in their stacks', () => {
    const line = lineOf({ [secret]: 1, nested: [{ error: new Error(`no ${secret}`, { cause: new Error(secret) }) }] }, [secret])
    expect(line).not.toContain('k3y')
    expect(line).not.toContain('and~more')
  })

  it('is redacted at the place where a long text is cut off', () => {
    expect(lineOf({ note: `${'x'.repeat(8_180)}${secret}` }, [secret])).not.toContain('k3y/')
  })

  it('is redacted in a number, and the line stays JSON', () => {
    expect(read(lineOf({ count: 9123456789 }, ['12345678']))['count']).toBe('9[redacted]9')
  })

  it('is redacted beside thousands that were read later, and until an hour after it was last read', () => {
    const key = (n: number) => `key-${n}-0123456789abcdef`
    const lines: string[] = []
    let now = 0
    const { log, addRedaction } = jsonLog({ clock: { ...clock, now: () => now }, write: (line) => lines.push(line) })
    const noteOf = (n: number) => {
      log({ level: 'info', event: 'tested', message: `the key ${key(n)}, and ${Buffer.from(key(n)).toString('base64')}` })
      return JSON.parse(lines.at(-1)!).message
    }
    for (let n = 0; n < 5_000; n++) addRedaction(key(n))
    now = 3_600_000
    addRedaction(key(0))
    for (const n of [0, 1, 4_999]) expect(noteOf(n)).toMatch(/^the key \[redacted\], and \[redacted\]/)
    now++
    addRedaction(key(5_000))
    for (const n of [1, 4_999]) expect(noteOf(n)).toContain(key(n))
    for (const n of [0, 5_000]) expect(noteOf(n)).not.toContain('0123456789')
  })

  it('is looked for in a text with the same work, however many begin like it', () => {
    const key = (n: number) => `key-00-${String(n).padStart(5, '0')}-0123456789abcdef`
    const looksWith = (count: number) => {
      const redactor = new Redactor(...Array.from({ length: count }, (_, n) => key(n)))
      const looks = vi.spyOn(Map.prototype, 'has')
      redactor.redact('an unknown key-00-99999-0123456789abcdef '.repeat(100))
      const { length } = looks.mock.calls
      looks.mockRestore()
      return length
    }
    expect(looksWith(2_000)).toBe(looksWith(1))
  })

  it.each([
    ['ends in another character', `${'k'.repeat(4_095)}1`],
    ['begins with another character', `1${'k'.repeat(4_095)}`],
  ])('of a repeated letter that %s costs no more than a look at each character', (_, repetitive) => {
    const redactor = new Redactor(repetitive)
    const looks = vi.spyOn(Map.prototype, 'has')
    expect(redactor.redact('k'.repeat(1_000_000))).toMatch(/^\[redacted\]$|^k{1000000}$/)
    // A look compares 4,096 characters.
    expect(looks.mock.calls.length).toBeLessThan(10_000)
    looks.mockRestore()
    expect(redactor.redact(`x${repetitive}x`)).toBe('x[redacted]x')
  })

  it('that is removed is no longer redacted, and another one with a form of it still is', () => {
    const [first, second] = ['abcdefghijkl', 'ABCDEFGHIJKL']
    const redactor = new Redactor(first, second)
    redactor.remove(first)
    expect(redactor.redact(`${first} ${second}`)).toBe('[redacted] [redacted]')
    redactor.remove(second)
    expect(redactor.redact(`${first} ${second}`)).toBe(`${first} ${second}`)
  })

  it('is in no line, whatever it is and wherever it was', () => {
    const secrets = fc.string({ unit: fc.constantFrom(...'abcXYZ019+/=-_.~"\\%&<\' '), minLength: 12, maxLength: 60 })
    fc.assert(
      fc.property(secrets, fc.string(), fc.string(), (value, before, after) => {
        const text = `${before}${value}${after}`
        const line = lineOf({ text, json: JSON.stringify({ text }), list: [text], encoded: encodeURIComponent(text.toWellFormed()) }, [
          value,
        ])
        expect(() => read(line)).not.toThrow()
        expect(line.includes(value) || line.includes(JSON.stringify(value).slice(1, -1)) || line.includes(encodeURIComponent(value))).toBe(
          false,
        )
      }),
    )
  })

  it('changes nothing if it is empty', () => {
    expect(read(lineOf({ note: 'as it is' }, ['']))['note']).toBe('as it is')
  })
})

it('the log writes nothing for the level debug', () => {
  const lines: string[] = []
  const { log } = jsonLog({ clock: { now: () => 0, sleepUntil: async () => {} }, write: (line) => lines.push(line) })
  log({ level: 'debug', event: 'page-read', message: '0 new of 0' })
  expect(lines).toEqual([])
})
