import { Writable } from 'node:stream'
import { stripVTControlCharacters } from 'node:util'
import { describe, expect, it } from 'vitest'
import { happening, openScreen, type Row, summaryText, tableOf } from '../../local/terminal.ts'

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
  it('has a line for each stream, numbers to the right', () => {
    expect(tableOf([row(), row({ connector: 'globex-long', delivered: 1_234_567, behindMs: 5_000 })], { columns: 120, rows: 30 })).toBe(
      [
        'connector    stream        state  delivered  behind by  requests/min',
        'acme         exchange/dlp  ok            12     10 min       7 of 20',
        'globex-long  exchange/dlp  ok       1234567        5 s       7 of 20',
      ].join('\n'),
    )
  })

  it('shows a dash for what is not known yet', () => {
    const { behindMs: _, ...early } = row()
    expect(tableOf([{ ...early, requests: undefined }], { columns: 120, rows: 30 }).split('\n')[1]).toMatch(/12 +– +–$/)
  })

  it('is never wider than the terminal, which would break it', () => {
    const lines = tableOf([row({ connector: 'c'.repeat(200) })], { columns: 60, rows: 30 }).split('\n')
    for (const line of lines) expect(line.length).toBeLessThan(60)
  })

  it('is never higher than the terminal, and says how many lines it leaves out', () => {
    const rows = Array.from({ length: 48 }, (_, n) => row({ stream: `stream-${n}` }))
    const lines = tableOf(rows, { columns: 100, rows: 12 }).split('\n')
    expect(lines).toHaveLength(12)
    expect(lines[0]).toContain('connector')
    expect(lines.at(-1)).toBe('… and 38 more')
  })

  it('leaves out those that are well before those in trouble', () => {
    const rows = Array.from({ length: 48 }, (_, n) => row({ stream: `stream-${n}`, state: n === 40 ? 'failing' : 'ok' }))
    expect(tableOf(rows, { columns: 100, rows: 12 })).toContain('stream-40')
  })
})

describe('what happens', () => {
  const line = (entry: object) => JSON.stringify({ time: '2026-11-24T22:15:36.000Z', level: 'info', event: 'e', message: 'm', ...entry })

  it('is a line with time, connector and stream', () => {
    const entry = { event: 'page-read', connectorId: 'acme', stream: 'exchange/dlp', message: '5 new of 6', delivered: 3, filtered: 2 }
    expect(happening(line(entry))).toBe('22:15:36 acme exchange/dlp 3 delivered, 2 filtered (5 new of 6)')
  })

  it('begins with the level where that is not the usual one', () => {
    expect(happening(line({ level: 'error', event: 'connector-failing', connectorId: 'acme' }))).toBe(
      '22:15:36 ERROR acme connector-failing: m',
    )
  })

  it('is shown as it is where it is no log entry, unless only a program would read it', () => {
    expect(happening('a crash')).toBe('a crash')
    expect(happening('{"_aws":{}}')).toBeUndefined()
  })

  it('is obeyed by no terminal', () => {
    expect(happening(line({ message: 'red \u001b[31m' }))).not.toContain('\u001b')
  })
})

describe('the screen', () => {
  function terminal(isTTY: boolean) {
    let text = ''
    const out = Object.assign(
      new Writable({
        write(chunk, _, done) {
          text += chunk
          done()
        },
      }),
      { isTTY, columns: 100, rows: 20 },
    ) as unknown as NodeJS.WriteStream
    return { out, text: () => stripVTControlCharacters(text), raw: () => text }
  }
  const page =
    '{"time":"2026-11-24T22:15:36.000Z","level":"info","event":"page-read","message":"1 new of 1","connectorId":"acme","delivered":1}'
  const trouble = '{"time":"2026-11-24T22:15:37.000Z","level":"error","event":"key-rejected","message":"bad key","connectorId":"acme"}'

  it('is a line for each thing that happens where the output is no terminal, without a table or control characters', () => {
    const { out, raw } = terminal(false)
    const screen = openScreen(out)
    screen.say('Collecting.')
    screen.happened(page)
    screen.show([row()])
    screen.end()
    expect(raw()).toBe('Collecting.\n22:15:36 acme 1 delivered (1 new of 1)\n')
  })

  it('is a live table where somebody watches, with what goes wrong under it', () => {
    const { out, text } = terminal(true)
    const screen = openScreen(out)
    screen.happened(page)
    screen.happened(trouble)
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
    requests: 2,
    throttled: 0,
    coveredTo: '2026-11-24T22:05:34.476Z',
    lostRanges: [],
  }
  const summary = { requests: 2, throttled: 0, seconds: 3, lake: 'lake' }

  it('says of each connector its state and why, and of each stream its counts', () => {
    const connectors = [{ connectorId: 'acme', state: 'failing' as const, reason: 'Bad key.', streams: [stream] }]
    expect(summaryText({ connectors, ...summary })).toBe(
      [
        'acme: failing. Bad key.',
        '  exchange/dlp: 5 delivered, 1 filtered, 2 requests, complete to 2026-11-24T22:05:34.476Z',
        '2 requests, 0 throttled, 3 s.',
        '',
      ].join('\n'),
    )
  })

  it('counts the lostRanges that are lost, not those that will be read yet', () => {
    const hole = { from: '2026-11-24T00:00:00.000Z', to: '2026-11-24T01:00:00.000Z' }
    const lostRanges = [
      { ...hole, reason: 'retention-limit' as const, lost: true },
      { ...hole, reason: 'not read yet' as const, lost: false },
    ]
    const connectors = [{ connectorId: 'acme', state: 'ok' as const, reason: '', streams: [{ ...stream, lostRanges }] }]
    expect(summaryText({ connectors, ...summary })).toContain(', 1 hole lost\n')
  })
})
