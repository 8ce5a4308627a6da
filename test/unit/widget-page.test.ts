import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type ConnectorState, connectorStates } from '../../functions/domain/status/connector-state.ts'
import { type ConnectorStatus, newStatus } from '../../functions/domain/status/status.ts'
import { statusRow } from '../../functions/domain/status/status-row.ts'
import { day, hour, minute, minuteText } from '../../functions/domain/time.ts'
import { messagePage, statusPage } from '../../functions/widget/page.ts'
import type { StatusQuestion } from '../../functions/widget/question.ts'

const now = Date.UTC(2026, 10, 24, 12)
const frame = { theme: 'light', functionArn: 'arn:aws:lambda:us-east-1:123456789012:function:status-widget' } as const
const everything: StatusQuestion = { state: [], tenant: '', limit: 100, from: 1 }

type Given = Partial<ConnectorStatus> & { readonly connectorId?: string }

const row = ({ connectorId = 'acme.cas', ...more }: Given = {}) =>
  statusRow(connectorId, { ...newStatus(now - hour, 'Acme'), state: 'ok', ...more }, now)
const page = (given: readonly Given[], question: Partial<StatusQuestion> = {}) =>
  statusPage(given.map(row), { ...everything, ...question }, frame, now)

/** The cells of each row, as they are in the markup. */
const cells = (html: string) =>
  [...html.matchAll(/<tr>(<td.*?)<\/tr>/g)].map(([, tds]) => [...tds!.matchAll(/<td.*?>(.*?)<\/td>/g)].map(([, td]) => td!))
const connectors = (html: string) => cells(html).map(([first]) => first)
/** The questions of the buttons, by title. */
const buttons = (html: string) =>
  new Map(
    [...html.matchAll(/<a class="btn">(.*?)<\/a><cwdb-action .*?>(.*?)<\/cwdb-action>/g)].map(([, title, asked]) => [
      title!,
      JSON.parse(asked!),
    ]),
  )
const many = (count: number, more: Given = {}) =>
  Array.from({ length: count }, (_, i) => ({ connectorId: `c-${String(i).padStart(5, '0')}`, ...more }))

describe('a row of the table', () => {
  it('shows the status of a connector, with times in UTC and plain durations', () => {
    const status = {
      state: 'catching-up',
      reason: 'Older events are still being read.',
      since: Date.UTC(2026, 10, 23, 9, 5),
      lastRunAt: now,
      lastSuccessAt: now - 3 * minute,
      lagMs: 2 * hour,
      retentionLeftMs: 70 * hour,
      streamsBehind: 2,
      lostRanges: 1,
      acknowledged: { at: now, note: 'known', lostRanges: 1 },
      days: {
        '2026-11-17': { delivered: 1_000_000, filtered: 0, requests: 1, throttled: 0 },
        '2026-11-18': { delivered: 2_000, filtered: 0, requests: 1, throttled: 0 },
        '2026-11-24': { delivered: 50, filtered: 7, requests: 1, throttled: 0 },
      },
    } as const
    expect(cells(page([status]))).toEqual([
      [
        'acme.cas',
        'Acme',
        'catching up',
        '2026-11-23 09:05',
        '2 h',
        '70 h',
        '3 min ago',
        '50',
        '2,050',
        '2',
        '1',
        'Older events are still being read. Events of 1 time range were lost for good, acknowledged at 2026-11-24 12:00 UTC: known',
      ],
    ])
  })

  it('shows a dash for a value that is not known yet', () => {
    expect(cells(page([{ state: 'starting' }]))[0]!.slice(4, 7)).toEqual(['–', '–', '–'])
  })

  it('adds the time since the last run to the lag, and takes it from the time to the retention limit', () => {
    const { lagMs, retentionLeftMs } = row({ lastRunAt: now - 10 * minute, lagMs: minute, retentionLeftMs: hour })
    expect({ lagMs, retentionLeftMs }).toEqual({ lagMs: 11 * minute, retentionLeftMs: 50 * minute })
  })

  it.each(['paused', 'retired', 'refused'] as const)(
    'has neither lag nor time to the retention limit in a state that does not collect: %s',
    (state) => {
      expect(row({ state, lastRunAt: now - day, lagMs: 1, retentionLeftMs: 1 })).not.toHaveProperty('lagMs')
      expect(row({ state, lastRunAt: now - day, lagMs: 1, retentionLeftMs: 1 })).not.toHaveProperty('retentionLeftMs')
    },
  )

  it('says what a connector that is well did in the last hour', () => {
    const activity = [{ from: now - 30 * minute, requests: 6, delivered: 0 }]
    expect(cells(page([{ activity }]))[0]?.at(-1)).toBe('Quiet: 6 requests in the last hour, and nothing new.')
    expect(cells(page([{ activity, reason: 'Wrong.' }]))[0]?.at(-1)).toBe('Wrong.')
  })

  it('says when a connector that fails is tried again', () => {
    const trouble = { failure: { code: 'timed-out' as const, detail: 'late' }, attempts: 1, until: now + 5 * minute }
    const next = `Next try at ${minuteText(now + 5 * minute)} UTC.`
    expect(cells(page([{ state: 'failing', reason: 'It is late.', trouble }]))[0]?.at(-1)).toBe(`It is late. ${next}`)
    expect(cells(page([{ state: 'failing', reason: 'It is late.', trouble: { ...trouble, until: now } }]))[0]?.at(-1)).toBe('It is late.')
  })

  it('says "passed" when the retention limit has passed', () => {
    expect(cells(page([{ state: 'losing-data', lastRunAt: now, retentionLeftMs: 0 }]))[0]![5]).toBe('passed')
  })
})

describe('the order of the table', () => {
  it('begins with the worst state', () => {
    const html = page(connectorStates.map((state) => ({ connectorId: state, state })))
    const worstFirst: ConnectorState[] = [
      'losing-data',
      'failing',
      'throttled',
      'refused',
      'catching-up',
      'starting',
      'ok',
      'paused',
      'retired',
    ]
    expect(connectors(html)).toEqual(worstFirst)
  })

  it('begins with the nearest retention limit among connectors in the same urgent state', () => {
    const html = page([
      { connectorId: 'a', state: 'failing', lastRunAt: now, retentionLeftMs: 3 * hour },
      { connectorId: 'b', state: 'failing', lastRunAt: now, retentionLeftMs: 2 * hour },
      { connectorId: 'c', state: 'failing' },
    ])
    expect(connectors(html)).toEqual(['b', 'a', 'c'])
  })

  it('is by name among connectors that are well, so that they keep their places', () => {
    const html = page([
      { connectorId: 'b', retentionLeftMs: 1 },
      { connectorId: 'a', retentionLeftMs: 2 },
    ])
    expect(connectors(html)).toEqual(['a', 'b'])
  })
})

describe('the page of the widget', () => {
  it('names the rows that it shows, their number and the time', () => {
    expect(page(many(250), { limit: 100, from: 101 })).toContain('Rows 101 to 200 of 250. As of 2026-11-24 12:00 UTC.')
  })

  it('can be limited to states and to a part of a tenant’s name', () => {
    const given = [
      { connectorId: 'a', state: 'failing', tenantName: 'Contoso East' },
      { connectorId: 'b', state: 'ok', tenantName: 'Contoso West' },
      { connectorId: 'c', state: 'failing', tenantName: 'Acme' },
    ] as const
    const html = page(given, { state: ['failing', 'paused'], tenant: 'contoso' })
    expect(connectors(html)).toEqual(['a'])
    expect(html).toContain('State failing or paused. Tenant like “contoso”. Rows 1 to 1 of 1; 3 connectors in all.')
  })

  it('says that no connector matches, and has no table then', () => {
    const html = page([{}], { state: ['paused'] })
    expect(html).toContain('State paused. No connector matches; there are 1 in all.')
    expect(html).not.toContain('<table')
  })

  it('leads to every row once by the button Next', () => {
    const given = many(25)
    const seen: unknown[] = []
    let question: Partial<StatusQuestion> | undefined = { limit: 10 }
    while (question !== undefined) {
      const html = page(given, question)
      seen.push(...connectors(html))
      question = buttons(html).get('Next')
    }
    expect(seen).toEqual(given.map(({ connectorId }) => connectorId))
  })

  it('leads back to the first row by the button Previous, which the first page lacks', () => {
    expect(buttons(page(many(25), { limit: 10, from: 6 })).get('Previous')).toEqual({ ...everything, limit: 10, from: 1 })
    expect(buttons(page(many(25), { limit: 10 })).has('Previous')).toBe(false)
  })

  it('shows the last row if it is asked to begin after it', () => {
    expect(connectors(page(many(3), { from: 900 }))).toEqual(['c-00002'])
  })

  it('has a button for each state, with the number of connectors, that keeps the tenant', () => {
    const html = page([{ state: 'failing' }, { connectorId: 'b', state: 'failing' }, {}], { tenant: 'acme', from: 3, limit: 50 })
    expect([...buttons(html).keys()]).toEqual(['2 failing', '1 ok', 'all 3', 'Previous'])
    expect(buttons(html).get('2 failing')).toEqual({ state: ['failing'], tenant: 'acme', limit: 50, from: 1 })
  })

  it('has buttons that call the widget’s own function', () => {
    expect(page([{}])).toContain(`<cwdb-action action="call" display="widget" endpoint="${frame.functionArn}">`)
  })

  it('explains how to add the first connector if there is none', () => {
    expect(page([])).toContain('There is no connector yet.')
    expect(page([])).toContain('aws dynamodb put-item')
  })
})

describe('a text from the state', () => {
  it('is escaped', () => {
    const html = page([
      { connectorId: '<script>alert(1)</script>', tenantName: '"><img src=x onerror=y>', reason: "<a href='http://evil'>&" },
    ])
    expect(html).toContain('&lt;script&gt;alert(1)&lt;/script&gt;')
    expect(html).toContain('&quot;&gt;&lt;img src=x onerror=y&gt;')
    expect(html).toContain('&lt;a href=&#39;http://evil&#39;&gt;&amp;')
  })

  it('never adds a tag, whatever its characters are', () => {
    const brackets = (html: string) => html.replaceAll(/[^<>]/g, '')
    const text = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 60 }),
      fc.string({ unit: fc.constantFrom('<', '>', '"', "'", '&', '/', '\\', 'script'), maxLength: 20 }),
    )
    fc.assert(
      fc.property(text, text, text, fc.constantFrom(...connectorStates), (connectorId, tenantName, reason, state) => {
        const plain = page([{ connectorId: 'a', tenantName: 'b', reason: 'c', state }], { tenant: 'b' })
        const hostile = page([{ connectorId, tenantName, reason, state }], { tenant: tenantName })
        expect(brackets(hostile)).toBe(brackets(plain))
      }),
    )
  })

  it('comes back unchanged from a button', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', minLength: 1, maxLength: 60 }), (tenantName) => {
        const html = page([{ tenantName }], { tenant: tenantName })
        expect(buttons(html).get('1 ok').tenant).toBe(tenantName)
      }),
    )
  })

  it('has a dot in place of an invisible character or one that changes the direction of writing', () => {
    expect(connectors(page([{ connectorId: 'a\u202eb\u0000c\u200bd' }]))).toEqual(['a·b·c·d'])
  })

  it('is cut to a maximum length', () => {
    const [cut] = cells(page([{ connectorId: 'x'.repeat(500), tenantName: 'y'.repeat(500), reason: 'z'.repeat(5_000) }]))
    expect([cut![0], cut![1], cut!.at(-1)]).toEqual([`${'x'.repeat(63)}…`, `${'y'.repeat(127)}…`, `${'z'.repeat(599)}…`])
  })

  it('becomes no link, loads nothing and runs nothing', () => {
    const html = page([{ reason: 'See https://evil.example/ and javascript:alert(1)' }])
    expect(html).not.toMatch(/href|src=|url\(|<script|<iframe|\son\w+=/i)
  })
})

describe('the response', () => {
  /** The size that widget/page.ts promises to stay below (bytes). */
  const responseMax = 200_000
  const bytes = (html: string) => Buffer.byteLength(JSON.stringify(html))

  it('stays below 200 KB for 10,000 connectors with the longest and most hostile texts, and leads to the other rows', () => {
    const given = many(10_000, { state: 'failing', tenantName: '<'.repeat(200), reason: '"&\u{1f600}'.repeat(1_000) })
    const html = page(given, { limit: 500 })
    expect(bytes(html)).toBeLessThan(responseMax)
    const shown = connectors(html).length
    // Enough rows to fill a screen.
    expect(shown).toBeGreaterThan(30)
    expect(html).toContain(`Rows 1 to ${shown} of 10,000.`)
    expect(buttons(html).get('Next')).toMatchObject({ from: shown + 1, limit: 500 })
  })

  it('has room for 500 connectors with reasons of ordinary length', () => {
    const html = page(many(600, { state: 'failing', reason: 'The vendor rejects the API key (401). Check that it has not expired.' }), {
      limit: 500,
    })
    expect(connectors(html)).toHaveLength(500)
    expect(bytes(html)).toBeLessThan(responseMax)
  })

  it('has the colours of the theme', () => {
    const colours = (theme: 'light' | 'dark') =>
      statusPage([row()], everything, { ...frame, theme }, now).match(/\.tb \{ color: (#\w+)/)?.[1]
    expect(colours('light')).not.toBe(colours('dark'))
  })
})

describe('a page with only a message', () => {
  it('has its texts escaped and cut', () => {
    const html = messagePage('dark', 'No <table>', ['x'.repeat(5_000), '<b>'])
    expect(html).toContain('<b>No &lt;table&gt;</b>')
    expect(html).toContain('<p>&lt;b&gt;</p>')
    expect(html.length).toBeLessThan(4_000)
  })
})
