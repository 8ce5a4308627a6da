import { Writable } from 'node:stream'
import { stripVTControlCharacters } from 'node:util'
import { describe, expect, it } from 'vitest'
import { formatLogLine, formatSummary, formatTable, openScreen, type Row } from '../../local/terminal.ts'

const row = (others: Partial<Row> = {}): Row => ({
  connector: 'acme',
  stream: 'exchange/dlp',
  state: 'ok',
  delivered: 12,
  behindMs: 600_000,
  requests: { made: 7, allowed: 20 },
  ...others,
})

describe('the table', () => {
  it('has a line for each stream and aligns numbers to the right', () => {
    expect(formatTable([row(), row({ connector: 'globex.long', delivered: 1_234_567, behindMs: 5_000 })], { columns: 120, rows: 30 })).toBe(
      [
        'connector    stream        state  delivered  behind by  requests/min',
        'acme         exchange/dlp  ok            12     10 min       7 of 20',
        'globex.long  exchange/dlp  ok       1234567        5 s       7 of 20',
      ].join('\n'),
    )
  })

  it('shows a dash for a value that is not known yet', () => {
    const { behindMs: _, ...early } = row()
    expect(formatTable([{ ...early, requests: undefined }], { columns: 120, rows: 30 }).split('\n')[1]).toMatch(/12 +– +–$/)
  })

  it('is never wider than the terminal, which would break it', () => {
    const lines = formatTable([row({ connector: 'c'.repeat(200) })], { columns: 60, rows: 30 }).split('\n')
    for (const line of lines) expect(line.length).toBeLessThan(60)
  })

  it('is never higher than the terminal, and says how many lines it leaves out', () => {
    const rows = Array.from({ length: 48 }, (_, n) => row({ stream: `stream-${n}` }))
    const lines = formatTable(rows, { columns: 100, rows: 12 }).split('\n')
    expect(lines).toHaveLength(12)
    expect(lines[0]).toContain('connector')
    expect(lines.at(-1)).toBe('… and 38 more')
  })

  it('leaves out streams that are well before streams in trouble', () => {
    const rows = Array.from({ length: 48 }, (_, n) => row({ stream: `stream-${n}`, state: n === 40 ? 'failing' : 'ok' }))
    expect(formatTable(rows, { columns: 100, rows: 12 })).toContain('stream-40')
  })
})

describe('a log line on screen', () => {
  const line = (entry: object) => JSON.stringify({ time: '2026-11-24T22:15:36.000Z', level: 'info', event: 'e', message: 'm', ...entry })

  it('shows time, connector and stream', () => {
    const entry = { event: 'page-read', connectorId: 'acme', stream: 'exchange/dlp', message: '5 new of 6', delivered: 3, filtered: 2 }
    expect(formatLogLine(line(entry))).toBe('22:15:36 acme exchange/dlp 3 delivered, 2 filtered (5 new of 6)')
  })

  it('shows the level of a warning or an error', () => {
    expect(formatLogLine(line({ level: 'error', event: 'connector-failing', connectorId: 'acme' }))).toBe(
      '22:15:36 ERROR acme connector-failing: m',
    )
  })

  it('passes text that is no log entry through, and hides JSON that only a program reads', () => {
    expect(formatLogLine('a crash')).toBe('a crash')
    expect(formatLogLine('{"_aws":{}}')).toBeUndefined()
  })

  it('contains no control characters', () => {
    expect(formatLogLine(line({ message: 'red \u001b[31m' }))).not.toContain('\u001b')
  })
})

describe('the screen', () => {
  function terminal(isTTY: boolean, { columns, rows } = { columns: 100, rows: 20 }) {
    let text = ''
    const out = Object.assign(
      new Writable({
        write(chunk, _, done) {
          text += chunk
          done()
        },
      }),
      { isTTY, columns, rows },
    ) as unknown as NodeJS.WriteStream
    return { out, text: () => stripVTControlCharacters(text), raw: () => text }
  }
  const page =
    '{"time":"2026-11-24T22:15:36.000Z","level":"info","event":"page-read","message":"1 new of 1","connectorId":"acme","delivered":1}'
  const trouble = '{"time":"2026-11-24T22:15:37.000Z","level":"error","event":"key-rejected","message":"bad key","connectorId":"acme"}'

  it('writes a line for each log entry to an output that is no terminal, without a table or control characters', () => {
    const { out, raw } = terminal(false)
    const screen = openScreen(out)
    screen.print('Collecting.')
    screen.log(page)
    screen.show([row()])
    screen.end()
    expect(raw()).toBe('Collecting.\n22:15:36 acme 1 delivered (1 new of 1)\n')
  })

  it('writes a line for each log entry to a terminal that does not know its size, because a table would have no room', () => {
    const { out, raw } = terminal(true, { columns: 0, rows: 0 })
    const screen = openScreen(out)
    screen.log(page)
    screen.show([row()])
    screen.end()
    expect(raw()).toBe('22:15:36 acme 1 delivered (1 new of 1)\n')
  })

  it('shows a live table on a terminal, with warnings and errors under it', () => {
    const { out, text } = terminal(true)
    const screen = openScreen(out)
    screen.log(page)
    screen.log(trouble)
    screen.show([row()])
    screen.end()
    expect(text()).toContain('acme       exchange/dlp')
    expect(text()).toContain('22:15:37 ERROR acme key-rejected: bad key')
    expect(text()).not.toContain('1 new of 1')
  })
})

describe('the summary', () => {
  const stream = {
    service: 'exchange',
    event: 'dlp',
    delivered: 5,
    filtered: 1,
    alreadySeen: 0,
    changed: 0,
    requests: 2,
    throttled: 0,
    coveredTo: '2026-11-24T22:05:34.476Z',
    lostRanges: [],
    gaps: [],
  }
  const summary = { requests: 2, throttled: 0, seconds: 3, lake: 'lake' }

  it('shows the state and reason of each connector, and the counts of each stream', () => {
    const connectors = [{ connectorId: 'acme', state: 'failing' as const, reason: 'Bad key.', streams: [stream] }]
    expect(formatSummary({ connectors, ...summary })).toBe(
      [
        'acme: failing. Bad key.',
        '  exchange/dlp: 5 delivered, 1 filtered, 2 requests, complete to 2026-11-24T22:05:34.476Z',
        '2 requests, 0 throttled, 3 s.',
        '',
      ].join('\n'),
    )
  })

  it('counts the ranges that are lost, not the gaps that will still be read', () => {
    const range = { from: '2026-11-24T00:00:00.000Z', to: '2026-11-24T01:00:00.000Z' }
    const missing = { lostRanges: [{ ...range, reason: 'retention-limit' as const }], gaps: [range] }
    const connectors = [{ connectorId: 'acme', state: 'ok' as const, reason: '', streams: [{ ...stream, ...missing }] }]
    expect(formatSummary({ connectors, ...summary })).toContain(', 1 time range lost\n')
  })
})
