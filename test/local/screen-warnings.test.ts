import { describe, expect, it } from 'vitest'
import { minute } from '../../functions/domain/time.ts'
import { openScreen } from '../../local/screen/screen.ts'
import { now, openTerminal, streamRow, troubleLine, viewOf } from './terminal.ts'

describe('a warning', () => {
  it('is shown until its connector is read again, or the table has its reason', async () => {
    const { out, screen } = openTerminal(100, 20)
    const opened = openScreen(out, () => now - minute)
    opened.log(troubleLine('key-rejected'))
    opened.show(viewOf([{ lastSuccessAt: now - 2 * minute }]))
    expect((await screen()).lines).toContain('22:15:37 ERROR acme.cas key-rejected: bad key')
    opened.show(viewOf([{ lastSuccessAt: now }]))
    expect((await screen()).lines.join()).not.toContain('key-rejected')
    opened.log(troubleLine('key-rejected'))
    opened.show(viewOf([{ state: 'failing', reason: 'Bad key.', lastSuccessAt: now - 2 * minute }]))
    expect((await screen()).lines.join()).not.toContain('key-rejected')
  })

  it('about a stream is shown until that stream is read, whatever else of the connector is', async () => {
    const { out, screen } = openTerminal(100, 20)
    const opened = openScreen(out, () => now - minute)
    opened.log(troubleLine('page-failed', { stream: 'teams/dlp' }))
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
      opened.log(troubleLine('page-failed', { stream: 'teams/dlp', message }))
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
    opened.log(troubleLine('page-failed', { stream: 'teams/dlp', message }))
    opened.show(viewOf([{}]))
    expect((await screen()).lines.map((line) => line.trim()).join(' ')).toContain(`acme.cas teams/dlp page-failed: ${message}`)
  })

  it('goes after five minutes; of many the newest two are shown, the others are counted, and a message stays beside them', async () => {
    const { out, screen } = openTerminal(100, 20)
    const opened = openScreen(out, () => now - 4 * minute)
    for (let i = 0; i < 50; i += 1) opened.log(troubleLine(`number-${i}`, { connectorId: undefined, message: 'long '.repeat(400) }))
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
