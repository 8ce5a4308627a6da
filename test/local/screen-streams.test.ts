import { describe, expect, it } from 'vitest'
import { minute } from '../../functions/domain/time.ts'
import { refusedStream, shown, streamRow } from './terminal.ts'

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
})
