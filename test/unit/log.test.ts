import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { jsonLog } from '../../functions/adapters/log.ts'
import { Redactor } from '../../functions/adapters/redact.ts'
import type { LogEntry } from '../../functions/domain/ports.ts'

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

  it('is redacted beside 499 others that were read later, and again when it is read again', () => {
    const key = (n: number) => `key-${n}-0123456789abcdef`
    const redactor = new Redactor(...Array.from({ length: 500 }, (_, n) => key(n)))
    const of = (n: number) => redactor.redact(`the key ${key(n)}, and ${Buffer.from(key(n)).toString('base64')}`)
    for (const n of [0, 250, 499]) expect(of(n)).toMatch(/^the key \[redacted\], and \[redacted\]/)
    redactor.add(key(0))
    redactor.add(key(500))
    expect(of(1)).toContain(key(1))
    for (const n of [0, 2, 500]) expect(of(n)).not.toContain('0123456789')
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
