import { Writable } from 'node:stream'
import { describe, expect, it, test } from 'vitest'
import { second } from '../../functions/domain/time.ts'
import { readLogLine } from '../../local/screen/log-line.ts'
import { openScreen } from '../../local/screen/screen.ts'
import { now, streamRow, viewOf } from './terminal.ts'

function pipe({ isTTY = false, columns = 100, rows = 20 } = {}) {
  let text = ''
  const write = (chunk: unknown, _: unknown, done: () => void) => {
    text += String(chunk)
    done()
  }
  return { out: Object.assign(new Writable({ write }), { isTTY, columns, rows }) as unknown as NodeJS.WriteStream, text: () => text }
}

describe('an output that is no terminal', () => {
  const page =
    '{"time":"2026-11-24T22:15:36.000Z","level":"info","event":"page-read","message":"1 new of 1","connectorId":"acme","delivered":1}'

  it.each([{ isTTY: false }, { isTTY: true, columns: 0, rows: 0 }])(
    'gets a line for each log entry, without a table or control characters: %j',
    (kind) => {
      const { out, text } = pipe(kind)
      const screen = openScreen(out, () => now)
      screen.print('Collecting.')
      screen.log(page)
      screen.show(viewOf([{}]))
      screen.end()
      expect(text()).toBe('Collecting.\n22:15:36 acme 1 delivered (1 new of 1)\n')
    },
  )

  it('gets one line when a connector begins to be waited for, and one when nothing is', () => {
    const { out, text } = pipe()
    const screen = openScreen(out, () => now)
    const wait = { key: 'a reset', text: 'Waiting for a.' }
    for (const waits of [[wait], [{ ...wait, text: 'Waiting for a; next try later.' }], [wait], [], []])
      screen.show(viewOf([{}], { waits }))
    expect(text()).toBe('Waiting for a.\nNothing that fails is waited for any more.\n')
    screen.show(viewOf([{}], { waits: [wait] }))
    screen.show(viewOf([{}], { waits: [], hasGivenUp: true }))
    expect(text()).toMatch(/any more\.\nWaiting for a\.\n$/)
    const many = Array.from({ length: 750 }, (_, i) => ({ key: String(i), text: `Waiting for ${i}.` }))
    screen.show(viewOf([{}], { waits: many }))
    expect(text().split('\n')).toHaveLength(10)
  })

  it('gets the streams of one connector once a minute', () => {
    const { out, text } = pipe()
    const screen = openScreen(out, () => now)
    const view = viewOf([{ streams: [streamRow('exchange/dlp', { detail: 'nothing read yet.' })] }], { streamsOf: 'acme.cas' })
    for (const at of [0, 30, 59, 60]) screen.show({ ...view, now: now + at * second })
    expect(text().match(/nothing read yet/g)).toHaveLength(2)
  })
})

describe('a log line on screen', () => {
  const line = (entry: object) => JSON.stringify({ time: '2026-11-24T22:15:36.000Z', level: 'info', event: 'e', message: 'm', ...entry })

  it('shows time, connector and stream', () => {
    const entry = { event: 'page-read', connectorId: 'acme', stream: 'exchange/dlp', message: '5 new of 6', delivered: 3, filtered: 2 }
    expect(readLogLine(line(entry))?.text).toBe('22:15:36 acme exchange/dlp 3 delivered, 2 filtered (5 new of 6)')
  })

  it('shows the level of a warning or an error', () => {
    expect(readLogLine(line({ level: 'error', event: 'connector-failing', connectorId: 'acme' }))).toEqual({
      text: '22:15:36 ERROR acme connector-failing: m',
      isWarning: true,
      connectorId: 'acme',
      message: 'm',
    })
  })

  it('passes text that is no log entry through, and hides JSON that only a program reads', () => {
    expect(readLogLine('a crash')).toEqual({ text: 'a crash', isWarning: true, message: 'a crash' })
    expect(readLogLine('{"_aws":{}}')).toBeUndefined()
  })

  test('contains no control characters', () => {
    expect(readLogLine(line({ message: 'red \u001b[31m' }))?.text).not.toContain('\u001b')
  })
})
