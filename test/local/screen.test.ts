import { describe, expect, it } from 'vitest'
import { minute, second } from '../../functions/domain/time.ts'
import { widthOf, wrapIndented } from '../../local/screen/cells.ts'
import { firstMinuteText, unknownConnectorText } from '../../local/screen/frame.ts'
import { openScreen } from '../../local/screen/screen.ts'
import { fleet, type GivenRow, now, openTerminal, refusedStream, shown, troubleLine, viewOf } from './terminal.ts'

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

  it('shows the address of the page at all times, and the next step of a newcomer above it', async () => {
    const more = { page: 'file:///data/page.html', nextStep: 'Create the first connector.', startedAt: now - 3 * minute }
    const lines = (await shown([], { more })).filter((line) => line !== '')
    expect(lines.slice(-2)).toEqual(['Create the first connector.', 'The page: file:///data/page.html   Ctrl-C ends.'])
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
    opened.log(troubleLine('failed', { message: hostile, connectorId: 'other' }))
    opened.show(viewOf([{ state: 'failing', reason: hostile }]))
    expect((await screen()).lines.join('\n')).toContain('·[2J·]0;title···')
    opened.end()
    const ours = /^\[(\?\d+[hl]|[HJK])/
    const [, ...sequences] = raw().split('\u001b')
    expect(sequences.filter((sequence) => !ours.test(sequence))).toEqual([])
    expect(raw()).not.toMatch(/[\p{Cf}\u0080-\u009f]/u)
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
