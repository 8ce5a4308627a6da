import { Writable } from 'node:stream'
import { describe, expect, it, test } from 'vitest'
import { minute, second } from '../../functions/domain/time.ts'
import { widthOf, wrapIndented } from '../../local/screen/cells.ts'
import { firstMinuteText, unknownConnectorText } from '../../local/screen/frame.ts'
import type { StreamRow } from '../../local/screen/live-row.ts'
import { readLogLine } from '../../local/screen/log-line.ts'
import { openScreen } from '../../local/screen/screen.ts'
import { fleet, type GivenRow, now, openTerminal, viewOf } from './terminal.ts'

const trouble = (event: string, more: object = {}) =>
  JSON.stringify({ time: '2026-11-24T22:15:37.000Z', level: 'error', event, message: 'bad key', connectorId: 'acme.cas', ...more })

const counts = { delivered: 5, filtered: 1, alreadySeen: 0, changed: 0, redacted: 0, requests: 2, throttled: 0 }

function streamRow(id: string, more: Partial<StreamRow> = {}): StreamRow {
  return { id, counts: { allTime: counts, thisStart: counts }, lagMs: 6 * minute, lastReadAt: now, detail: 'proven complete.', ...more }
}

/** A stream that was refused and never read. */
function refusedStream(id: string): StreamRow {
  const text = 'The vendor responded with status 403. The key has no permission for this content (403). Grant it.'
  const { lastReadAt: _, ...never } = streamRow(id)
  const failure = { detail: 'The vendor responded with status 403', text, isLasting: true }
  return { ...never, failure, detail: `nothing read yet. Fails: ${text}` }
}

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
    expect(await told({ streams: [refusedStream('teams/dlp')] }, 5 * second)).not.toContain('All is well')
  })

  it('promises no events where nothing is collected', async () => {
    const told = async (row: GivenRow) => (await shown([row], { more: { startedAt: now } })).join(' ')
    expect((await shown([])).join(' ')).toContain('There is no connector, so nothing is collected.')
    expect(await told({ state: 'paused', allTime: 0 })).not.toContain('first events')
    expect(await told({ state: 'paused' })).not.toContain('All is well')
    expect(await told({ state: 'paused' })).toContain('The connector is paused (enabled is false), so nothing is collected.')
    expect(firstMinuteText({ connectors: 0, collecting: 0 })).toBe('There is no connector, so nothing is collected.')
    expect(firstMinuteText({ connectors: 2, collecting: 0 })).toMatch(/^All connectors are paused /)
    expect(firstMinuteText({ connectors: 2, collecting: 1 })).toContain('The first events arrive within half a minute')
  })

  it('counts the failing streams of connectors that are ok, and shows such a connector first, with the failure under it', async () => {
    const streamReason = 'teams/dlp: The vendor responded with status 403. Grant it. Next try at 22:16:00 UTC.'
    const lines = await shown([{ connectorId: 'a.cas' }, { connectorId: 'b.cas', streams: [refusedStream('teams/dlp')], streamReason }])
    expect(lines[0]).toBe('2026-11-24 22:15:36 UTC   2 connectors: 2 ok, 1 stream fails')
    expect(lines[4]).toMatch(/^b\.cas +Acme +ok/)
    expect(lines[5]?.trim()).toBe(streamReason)
    expect(lines[6]).toMatch(/^a\.cas +Acme +ok/)
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

  it('shows what was said before and after the table without a word broken at its edge', async () => {
    const { out, screen } = openTerminal(40, 12)
    const opened = openScreen(out, () => now)
    const text = 'Ending: runs in progress stop at the next safe point, within 35 s at most.'
    opened.print(text)
    opened.show(viewOf([{}]))
    opened.print(text)
    opened.end()
    const { lines, isBroken } = await screen()
    expect(isBroken).toBe(false)
    expect(lines.filter((line) => line !== '').join(' ')).toBe(`${text} ${text}`)
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
    [30, 5],
    [20, 5],
  ])('fit a terminal of %i columns and %i lines: what is left out is counted by state', async (columns, height) => {
    const lines = await shown(fleet, { columns, height })
    for (const line of lines) expect(widthOf(line)).toBeLessThanOrEqual(columns)
    // On the smallest one there is the worst connector at least.
    expect(lines.some((line) => line.startsWith('tenant-007.cas'))).toBe(true)
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

  it('about a stream is shown until that stream is read, whatever else of the connector is', async () => {
    const { out, screen } = openTerminal(100, 20)
    const opened = openScreen(out, () => now - minute)
    opened.log(trouble('page-failed', { stream: 'teams/dlp' }))
    const { lastReadAt: _, ...never } = streamRow('teams/dlp')
    opened.show(viewOf([{ lastSuccessAt: now, streams: [never, streamRow('exchange/dlp')] }]))
    expect((await screen()).lines).toContain('22:15:37 ERROR acme.cas teams/dlp page-failed: bad key')
    opened.show(viewOf([{ lastSuccessAt: now, streams: [streamRow('teams/dlp'), streamRow('exchange/dlp')] }]))
    expect((await screen()).lines.join()).not.toContain('page-failed')
  })

  it.each([
    ['the row', { state: 'failing' as const, reason: 'teams/dlp: Status 403 (trace b). Grant it.' }, {}],
    ['the line about its worst stream', { streamReason: 'teams/dlp: Status 403. Grant it.' }, {}],
    ['what is waited for', {}, { waits: [{ key: 'a', text: 'Waiting for acme.cas. teams/dlp: Status 403' }] }],
  ])('is not shown if it only repeats %s', async (_, row, more) => {
    const { out, screen } = openTerminal(100, 20)
    const opened = openScreen(out, () => now)
    const { lastReadAt: __, ...never } = streamRow('teams/dlp')
    for (const message of ['Status 403 (trace a). Grant it.', 'Status 400. Check it.'])
      opened.log(trouble('page-failed', { stream: 'teams/dlp', message }))
    opened.show(viewOf([{ ...row, streams: [never] }], more))
    const text = (await screen()).lines.join('\n')
    expect(text).not.toContain('page-failed: Status 403')
    expect(text).toContain('page-failed: Status 400. Check it.')
  })

  it('is broken into lines and not cut at the edge, so that it says what to do', async () => {
    const { out, screen } = openTerminal(80, 24)
    const opened = openScreen(out, () => now)
    const message =
      "The vendor responded with status 403 (trace 0a1b2c3d4e5f). The key has no permission for this content (403). Grant it in the vendor's console."
    opened.log(trouble('page-failed', { stream: 'teams/dlp', message }))
    opened.show(viewOf([{}]))
    expect((await screen()).lines.map((line) => line.trim()).join(' ')).toContain(`acme.cas teams/dlp page-failed: ${message}`)
  })

  it('goes after five minutes; of many the newest two are shown, the others are counted, and a message stays beside them', async () => {
    const { out, screen } = openTerminal(100, 20)
    const opened = openScreen(out, () => now - 4 * minute)
    for (let i = 0; i < 50; i += 1) opened.log(trouble(`number-${i}`, { connectorId: undefined, message: 'long '.repeat(400) }))
    opened.show(viewOf([{}]))
    opened.print('Ending.')
    const { lines } = await screen()
    expect(lines.filter((line) => line.includes('number-')).map((line) => /number-\d+/.exec(line)?.[0])).toEqual(['number-48', 'number-49'])
    expect(lines).toEqual(expect.arrayContaining(['… and 48 older warnings.', 'Ending.']))
    expect(lines.some((line) => line.startsWith('acme.cas'))).toBe(true)
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
  const stream = streamRow('exchange/dlp', { detail: 'nothing read yet.' })

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

  const { lastReadAt: _, ...never } = streamRow('onedrive/dlp')
  const many = [
    ...Array.from({ length: 10 }, (_, i) => streamRow(`exchange/e${i}`, { lagMs: i * minute })),
    never,
    refusedStream('teams/dlp'),
    refusedStream('teams/virtual_analyzer'),
  ]

  it('begin with those that fail, with what to do, then those that were never read, then the largest lag', async () => {
    const lines = await shown([{ streams: many }], { more: { streamsOf: 'acme.cas' }, height: 60 })
    const order = lines.flatMap((line) => /^(teams|onedrive|exchange)\/\w+/.exec(line)?.[0] ?? [])
    expect(order.slice(0, 5)).toEqual(['teams/dlp', 'teams/virtual_analyzer', 'onedrive/dlp', 'exchange/e9', 'exchange/e8'])
    expect(lines.map((line) => line.trim()).join(' ')).toContain('Grant it.')
  })

  it.each([
    [80, 24, /^… and \d+ more$/],
    [80, 12, /^… and 12 more: 1 failing, 1 not read yet$/],
  ])('fit %i columns and %i lines: the others are counted, and the foot stays', async (columns, height, count) => {
    const reason = 'teams/dlp: The vendor responded with status 403. '.repeat(12)
    const rows = [{ streams: many, state: 'failing' as const, reason }]
    const lines = await shown(rows, { columns, height, more: { streamsOf: 'acme.cas' } })
    expect(lines.filter((line) => line !== '').at(-1)).toBe('Query the events: npm run lake   Ctrl-C ends.')
    expect(lines.some((line) => line.startsWith('teams/dlp '))).toBe(true)
    expect(lines.find((line) => line.startsWith('… and'))).toMatch(count)
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
    screen.show(viewOf([{}], { waits: [wait] }))
    screen.show(viewOf([{}], { waits: [], hasGivenUp: true }))
    expect(text()).toMatch(/any more\.\nWaiting for a\.\n$/)
    const many = Array.from({ length: 750 }, (_, i) => ({ key: String(i), text: `Waiting for ${i}.` }))
    screen.show(viewOf([{}], { waits: many }))
    expect(text().split('\n')).toHaveLength(10)
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

describe('an unknown connector', () => {
  it('is named with those that there are, or the one that was meant', () => {
    expect(unknownConnectorText('nope.x', ['acme.cas', 'b.cas'])).toBe('There is no connector nope.x. The connectors are acme.cas, b.cas.')
    expect(unknownConnectorText('nope.x', [])).toBe('There is no connector nope.x, nor any other one.')
    const ids = fleet.map(({ connectorId = '' }) => connectorId)
    expect(unknownConnectorText('tenant-07.cas', ids)).toMatch(/^There is no connector tenant-07\.cas\. Did you mean tenant-\d+\.cas\?$/)
    expect(unknownConnectorText('nope.x', ids)).toMatch(/The connectors are tenant-000\.cas, .* and 740 more\.$/)
  })
})
