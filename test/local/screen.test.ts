import { Writable } from 'node:stream'
import { describe, expect, it, test } from 'vitest'
import { minute, second } from '../../functions/domain/time.ts'
import { widthOf, wrapIndented } from '../../local/screen/cells.ts'
import { readLogLine } from '../../local/screen/log-line.ts'
import { openScreen } from '../../local/screen/screen.ts'
import { fleet, type GivenRow, now, openTerminal, viewOf } from './terminal.ts'

const trouble = (event: string, more: object = {}) =>
  JSON.stringify({ time: '2026-11-24T22:15:37.000Z', level: 'error', event, message: 'bad key', connectorId: 'acme.cas', ...more })

/** The lines on a terminal of this size. */
async function shown(
  rows: readonly GivenRow[],
  { columns = 120, height = 30, more = {} }: { columns?: number; height?: number; more?: object } = {},
) {
  const { out, screen } = openTerminal(columns, height)
  const opened = openScreen(out, () => now)
  opened.show(viewOf(rows, more))
  const { lines, isBroken, scrolledBy } = await screen()
  opened.end()
  expect(isBroken).toBe(false)
  expect(scrolledBy).toBe(0)
  return lines
}

describe('the live table', () => {
  it('has the time, the connectors by state, the totals of this start and of all time, and the next run', async () => {
    const rows = [{ thisStart: 1_000 }, { connectorId: 'b.cas', state: 'failing' as const, reason: 'Bad key.', nextRun: now + 12 * second }]
    expect((await shown(rows)).slice(0, 2)).toEqual([
      '2026-11-24 22:15:36 UTC   2 connectors: 1 failing, 1 ok',
      'Events: 1,012 this start, 2,468 all time   requests: 14 this start   next run in 12 s (b.cas)',
    ])
  })

  it('has a row a connector with the columns of the dashboard, the worst first, and its reason in full under it', async () => {
    const reason = `The vendor rejects the API key (401). ${'Store a new one in the secret. '.repeat(8)}`.trim()
    const lines = await shown([{ connectorId: 'a.well' }, { connectorId: 'z.bad', state: 'failing', reason, nextRun: 'queued' }], {
      columns: 110,
    })
    const table = lines.slice(3)
    expect(table[0]).toMatch(
      /^connector {2}state +lag +to retention limit +last read +next run +this start +today +all time +behind +lost$/,
    )
    expect(table[1]).toMatch(/^z\.bad +failing +6 min +– +20 s ago +queued +12 +0 +1,234 +– +–$/)
    const end = table.findIndex((line) => line.startsWith('a.well'))
    expect(
      table
        .slice(2, end)
        .map((line) => line.trim())
        .join(' '),
    ).toBe(reason)
  })

  it('has all columns on a wide terminal, and the most important ones on a narrow one', async () => {
    const heading = async (columns: number) => (await shown([{}], { columns })).find((line) => line.startsWith('connector '))
    expect(await heading(200)).toMatch(/tenant .*since \(UTC\) .*to retention limit .*7 days .*requests$/)
    expect(await heading(60)).toMatch(/^connector +state +lag .*this start/)
    expect(await heading(30)).toMatch(/^connector +state +lag/)
  })

  it('shows the query to try once there are events', async () => {
    const foot = async (allTime: number) => (await shown([{ allTime, thisStart: 0 }])).filter((line) => line !== '').at(-1)
    expect(await foot(0)).toBe('Ctrl-C ends.')
    expect(await foot(1)).toBe('Query the events: npm run lake   Ctrl-C ends.')
  })

  it('tells a newcomer that all is well and what happens next, and stops after two minutes or when something is wrong', async () => {
    const told = async (row: GivenRow, ageMs: number) => (await shown([row], { more: { startedAt: now - ageMs } })).join(' ')
    expect(await told({ allTime: 0 }, 5 * second)).toContain('The first events arrive within half a minute')
    expect(await told({}, 5 * second)).toMatch(
      /All is well\. Each connector is read every 5 min .* lag is never 0: events may come +20 min late/,
    )
    expect(await told({}, 3 * minute)).not.toContain('All is well')
    expect(await told({ state: 'failing', reason: 'x' }, 5 * second)).not.toContain('All is well')
  })

  it('shows what --once waits for', async () => {
    const waits = ['a', 'b', 'c'].map((id) => ({ key: id, text: `Waiting for ${id}.` }))
    const lines = await shown([{}], { more: { waits } })
    expect(lines).toContain('Waiting for a.')
    expect(lines).toContain('… and 1 more connectors are waited for.')
  })
})

describe('the terminal', () => {
  const modes = /\[\?(\d+)([hl])/g
  const modesAfter = (raw: string) => Object.fromEntries([...raw.matchAll(modes)].map(([, mode, set]) => [mode, set]))

  it('is left as it was: its own screen, line breaks, and a cursor that was never hidden', async () => {
    const { out, raw, screen } = openTerminal(80, 24)
    const opened = openScreen(out, () => now)
    opened.show(viewOf([{}]))
    await screen()
    // Whoever stops the program between two frames has line breaks too.
    expect(modesAfter(raw())).toEqual({ 1049: 'h', 2026: 'l', 7: 'h' })
    opened.end()
    expect(modesAfter(raw())).toEqual({ 1049: 'l', 2026: 'l', 7: 'h' })
  })

  it('is left also when the program ends by an error or a second Ctrl-C', () => {
    const { out, raw } = openTerminal(80, 24)
    const before = process.listeners('exit')
    const opened = openScreen(out, () => now)
    opened.show(viewOf([{}]))
    const [atExit] = process.listeners('exit').filter((listener) => !before.includes(listener))
    atExit?.(130)
    expect(modesAfter(raw())).toMatchObject({ 1049: 'l' })
    opened.end()
    expect(process.listeners('exit')).toEqual(before)
  })
})

describe('750 connectors', () => {
  it.each([
    [80, 24],
    [120, 30],
    [200, 50],
    [40, 10],
    [20, 5],
  ])('fit a terminal of %i columns and %i lines: what is left out is counted by state', async (columns, height) => {
    const lines = await shown(fleet, { columns, height })
    for (const line of lines) expect(widthOf(line)).toBeLessThanOrEqual(columns)
    if (height < 24) return
    expect(lines.find((line) => line.startsWith('tenant-'))).toMatch(/^tenant-007\.cas .*failing/)
    const rowCount = lines.filter((line) => line.startsWith('tenant-')).length
    expect(lines.find((line) => line.startsWith('…'))).toMatch(new RegExp(`^… and ${750 - rowCount} more: (\\d+ failing, )?\\d+ ok$`))
  })

  it('leave a screen whole that is made narrower, wider, lower and higher again', async () => {
    const { out, screen, resize } = openTerminal(120, 30)
    const opened = openScreen(out, () => now)
    opened.print('Collecting.')
    opened.show(viewOf(fleet))
    for (const [columns, height] of [
      [60, 30],
      [60, 12],
      [200, 50],
      [80, 24],
    ] as const) {
      resize(columns, height)
      const { lines, isBroken, scrolledBy } = await screen()
      expect(isBroken).toBe(false)
      expect(scrolledBy).toBe(0)
      expect(lines).toEqual((await shown(fleet, { columns, height })).slice(0, height))
    }
    opened.end()
    expect((await screen()).lines.slice(0, 2)).toEqual(['Collecting.', ''])
  })
})

describe('the summary on a terminal', () => {
  it('is broken between words, and keeps its indent', () => {
    expect(wrapIndented('acme: ok\n  exchange/dlp: proven complete from here\n', 24)).toBe(
      'acme: ok\n  exchange/dlp: proven\n    complete from here\n',
    )
  })
})

describe('a text of a vendor or a tenant', () => {
  it('keeps the columns aligned, whatever its characters are', async () => {
    const names = ['東京グローバル', 'Zoe\u0301', '😀 ok', 'a\u202eb\u001b[31m', 'x'.repeat(300)]
    const lines = await shown(
      names.map((tenantName, i) => ({ connectorId: `c-${i}`, tenantName })),
      { columns: 220 },
    )
    const ends = lines.filter((line) => line.startsWith('c-')).map((line) => widthOf(line.slice(0, line.indexOf('2026-11-24'))))
    expect(ends).toHaveLength(names.length)
    expect(new Set(ends).size).toBe(1)
    expect(lines.join()).toContain('a·b·[31m')
  })

  it('cannot break a line or steer the terminal, in a reason and in a log line', async () => {
    const { out, screen, raw } = openTerminal(80, 24)
    const opened = openScreen(out, () => now)
    const hostile = '\u001b[2J\u001b]0;title\u0007\r\n\u009b5A\u202e👨‍👩‍👧'
    opened.log(trouble('failed', { message: hostile, connectorId: 'other' }))
    opened.show(viewOf([{ state: 'failing', reason: hostile }]))
    expect((await screen()).lines.join('\n')).toContain('·[2J·]0;title···')
    opened.end()
    const ours = /^\[(\?\d+[hl]|[HJK])/
    const [, ...sequences] = raw().split('\u001b')
    expect(sequences.filter((sequence) => !ours.test(sequence))).toEqual([])
    expect(raw()).not.toMatch(/[\p{Cf}\u0080-\u009f]/u)
  })
})

describe('a warning', () => {
  it('is shown until its connector is read again, or the table has its reason', async () => {
    const { out, screen } = openTerminal(100, 20)
    const opened = openScreen(out, () => now - minute)
    opened.log(trouble('key-rejected'))
    opened.show(viewOf([{ lastSuccessAt: now - 2 * minute }]))
    expect((await screen()).lines).toContain('22:15:37 ERROR acme.cas key-rejected: bad key')
    opened.show(viewOf([{ lastSuccessAt: now }]))
    expect((await screen()).lines.join()).not.toContain('key-rejected')
    opened.log(trouble('key-rejected'))
    opened.show(viewOf([{ state: 'failing', reason: 'Bad key.', lastSuccessAt: now - 2 * minute }]))
    expect((await screen()).lines.join()).not.toContain('key-rejected')
  })

  it('goes after five minutes, and never leaves the table without room, however many there are', async () => {
    const { out, screen } = openTerminal(100, 20)
    const opened = openScreen(out, () => now - 4 * minute)
    for (let i = 0; i < 50; i += 1) opened.log(trouble(`number-${i}`, { connectorId: undefined }))
    opened.show(viewOf([{}]))
    const { lines } = await screen()
    expect(lines.filter((line) => line.includes('number-'))).toHaveLength(5)
    expect(lines.join()).toContain('number-49')
    opened.show({ ...viewOf([{}]), now: now + minute })
    expect((await screen()).lines.join()).not.toContain('number-')
  })

  it('that still counts at the end is on the screen of before, as is what was said meanwhile', async () => {
    const { out, screen } = openTerminal(100, 20)
    const opened = openScreen(out, () => now)
    opened.show(viewOf([{}]))
    opened.log('a crash')
    opened.print('The functions ended unexpectedly.')
    opened.end()
    expect((await screen()).lines.slice(0, 3)).toEqual(['a crash', 'The functions ended unexpectedly.', ''])
  })
})

describe('the streams of one connector', () => {
  const counts = { delivered: 5, filtered: 1, alreadySeen: 0, changed: 0, redacted: 0, requests: 2, throttled: 0 }
  const stream = {
    id: 'exchange/dlp',
    counts: { allTime: counts, thisStart: counts },
    lagMs: 6 * minute,
    lastReadAt: now,
    detail: 'nothing read yet.',
  }

  it('are shown in place of the connectors, with what is proven', async () => {
    const lines = await shown([{ streams: [stream] }], { more: { streamsOf: 'acme.cas' } })
    expect(lines.slice(3, 7)).toEqual([
      'acme.cas: ok',
      'stream          lag  last read  this start  all time  filtered  requests',
      'exchange/dlp  6 min    0 s ago           5         5         1         2',
      '  nothing read yet.',
    ])
    expect((await shown([{}], { more: { streamsOf: 'nobody' } }))[3]).toBe('There is no connector nobody.')
  })

  it('are written to a file once a minute', () => {
    const { out, text } = pipe()
    const screen = openScreen(out, () => now)
    const view = viewOf([{ streams: [stream] }], { streamsOf: 'acme.cas' })
    for (const at of [0, 30, 59, 60]) screen.show({ ...view, now: now + at * second })
    expect(text().match(/nothing read yet/g)).toHaveLength(2)
  })
})

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
    const many = Array.from({ length: 750 }, (_, i) => ({ key: String(i), text: `Waiting for ${i}.` }))
    screen.show(viewOf([{}], { waits: many }))
    expect(text().split('\n')).toHaveLength(9)
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
    })
  })

  it('passes text that is no log entry through, and hides JSON that only a program reads', () => {
    expect(readLogLine('a crash')).toEqual({ text: 'a crash', isWarning: true })
    expect(readLogLine('{"_aws":{}}')).toBeUndefined()
  })

  test('contains no control characters', () => {
    expect(readLogLine(line({ message: 'red \u001b[31m' }))?.text).not.toContain('\u001b')
  })
})
