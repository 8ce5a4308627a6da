import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { listTable, showTable } from '../../cli/tables.ts'
import { type FailureCode, failureCodes, failures } from '../../functions/domain/failures.ts'
import { connectorStates } from '../../functions/domain/status/connector-state.ts'
import { type ShownState, shownStates, traitsOfShown } from '../../functions/domain/status/shown-state.ts'
import { type ConnectorStatus, newStatus } from '../../functions/domain/status/status.ts'
import { countStates, reasonMax, remark, remarkMax, statusCells, statusRow } from '../../functions/domain/status/status-row.ts'
import { day, hour, minute } from '../../functions/domain/time.ts'
import { statusPage } from '../../functions/widget/page.ts'
import { details } from '../../functions/widget/views/details.ts'
import { overview } from '../../functions/widget/views/overview.ts'
import { frameLines } from '../../local/screen/frame.ts'
import { now, viewOf } from '../local/terminal.ts'

const functionArn = 'arn:aws:lambda:us-east-1:123456789012:function:tributary-operate:all'
const status = (more: Partial<ConnectorStatus> = {}): ConnectorStatus => ({ ...newStatus(now - hour, 'Acme'), state: 'ok', ...more })
const rowOf = (more: Partial<ConnectorStatus>) => statusRow('acme.cas', status(more), now)
const rejection = { at: now - hour, until: now + hour, attempts: 1 }
const late = { code: 'timed-out', detail: 'The vendor was late' } as const
const lost = { lostRanges: 1, lastLost: { from: now - 90 * hour, to: now - 80 * hour } }

/** Each place as the text that a person reads there. */
const places = {
  'status widget': (more: Partial<ConnectorStatus>) =>
    textOf(statusPage([rowOf(more)], { state: [], tenant: '', limit: 100, from: 1 }, { theme: 'light', functionArn }, now)),
  overview: (more: Partial<ConnectorStatus>) =>
    textOf(overview({ asOf: now, rows: [rowOf(more)], total: 1 }, { find: '', state: '', from: 1 }, [], frame).text),
  details: (more: Partial<ConnectorStatus>) =>
    textOf(details({ asOf: now, row: rowOf(more), streams: [], keys: [] }, [], undefined, frame).text),
  command: (more: Partial<ConnectorStatus>) => showTable(rowOf(more), now),
  'local screen': (more: Partial<ConnectorStatus>) => {
    // The table leaves out the last hour of a connector that is ok; its streams have it.
    const view = viewOf([{}], rowOf(more).state === 'ok' ? { streamsOf: 'acme.cas' } : {})
    const rows = view.rows.map((row) => ({ ...row, ...rowOf(more) }))
    return frameLines({ ...view, rows }, [], { columns: 2_000, rows: 40 }).join('\n')
  },
}
const frame = { theme: 'light', endpoint: functionArn, runsOn: 'AWS' } as const
const textOf = (html: string) => html.replaceAll(/<style>.*?<\/style>|<cwdb-action.*?<\/cwdb-action>/gs, '').replaceAll(/<[^>]*>/g, ' ')

const told: readonly (readonly [string, Partial<ConnectorStatus>, RegExp])[] = [
  ['never ran', { state: 'starting' }, /Never ran: the first run comes within minutes\./],
  ['delivering', { activity: [{ from: now - minute, requests: 3, delivered: 12 }] }, /Delivering: 12 events in the last hour\./],
  ['quiet', { activity: [{ from: now - minute, requests: 12, delivered: 0 }] }, /Quiet: 12 requests in the last hour, and nothing new\./],
  [
    'catching up',
    { state: 'catching-up', reason: 'At the present speed that ends at about 23:00 UTC.' },
    /catching up.*that ends at about 23:00 UTC/s,
  ],
  [
    'throttled',
    { state: 'throttled', reason: 'Throttled by another consumer.' },
    /Throttled by another consumer\..*lower requestsPerMinute/s,
  ],
  [
    'failing',
    { state: 'failing', cause: late.code, reason: 'Late.', trouble: { failure: late, attempts: 1, until: now + minute } },
    /Late\..*Next try at 2026-11-24 22:16 UTC\./s,
  ],
  [
    'failing streams',
    { state: 'failing', cause: late.code, reason: 'a/b: Late.', nextTryAt: now + minute },
    /Late\..*Next try at 2026-11-24 22:16 UTC\./s,
  ],
  ['losing data', { state: 'losing-data', reason: 'The oldest unread events are lost in 5 h.' }, /losing data.*lost in 5 h/s],
  [
    'a loss',
    lost,
    /data was lost.*Events of 1 time range, 2026-11-21 04:15 to 2026-11-21 14:15 UTC, were lost for good.*Acknowledge the loss/s,
  ],
  [
    'a loss that is acknowledged',
    { ...lost, acknowledged: { at: now, lostRanges: 1, note: 'ticket 7', says: 'Jane' } },
    /ok.*lost for good, acknowledged by Jane at 2026-11-24 22:15 UTC: ticket 7/s,
  ],
  ['paused', { state: 'paused', reason: 'enabled is false, so nothing is collected.' }, /paused.*enabled is false/s],
  [
    'an invalid item',
    { state: 'refused', reason: 'The item was not accepted. name: it is empty.' },
    /refused.*The item was not accepted\. name: it is empty\. Correct the item/s,
  ],
  [
    'a refused edit',
    { problems: [{ path: 'name', message: 'it is empty.' }] },
    /The last edit was refused, so the version before it stays in use: name: it is empty\./,
  ],
  [
    'a rejected key',
    { keys: ['a'], rejectedKeys: { b: rejection } },
    /1 of 2 keys rejected by the vendor \(401\): store a new one in its secret\./,
  ],
  ['an old key', { oldestKeyAt: now - 340 * day }, /A key is 340 days old.*add a new key, test it, then retire this one/s],
]

describe.each(Object.entries(places))('the %s', (_, text) => {
  it.each(told)('tells %s', (_what, more, words) => {
    expect(text(more)).toMatch(words)
  })

  it('says as of when', () => {
    expect(text({})).toMatch(/As of 2026-11-24 22:15|2026-11-24 22:15:36 UTC/)
  })

  it.each(connectorStates)('names the state %s', (state) => {
    expect(text({ state, reason: 'Because.' })).toContain(traitsOfShown(state).title)
  })
})

it('leaves the last hour of connectors that are ok out of a long list', () => {
  expect(listTable([rowOf({ activity: [{ from: now - minute, requests: 3, delivered: 12 }] })], now)).not.toContain('Delivering')
})

it('keeps the overview of the longest texts below 180 KB, and leaves the other rows to the next page', () => {
  const long = '"'.repeat(4_000)
  const row = statusRow('acme.cas', status({ state: 'failing', reason: long, tenantName: long, lostRanges: 1 }), now)
  const page = overview(
    { asOf: now, rows: Array.from({ length: 60 }, () => row), total: 60 },
    { find: '', state: '', from: 1 },
    [],
    frame,
  ).text
  expect(JSON.stringify(page).length).toBeLessThan(180_000)
  const shown = page.match(/<tr><td/g)?.length ?? 0
  expect(shown).toBeGreaterThan(20)
  expect(page).toContain(`{"view":"overview","find":"","state":"","from":${shown + 1}}`)
})

describe('a loss that nobody has acknowledged', () => {
  it('is a state of its own, worse than throttled and less bad than failing', () => {
    const states = shownStates.slice(0, 4)
    expect(states).toEqual(['losing-data', 'failing', 'data-lost', 'throttled'])
  })

  it.each([
    ['losing-data', 'losing-data'],
    ['failing', 'failing'],
    ['throttled', 'data-lost'],
    ['catching-up', 'data-lost'],
    ['starting', 'data-lost'],
    ['ok', 'data-lost'],
    ['refused', 'refused'],
    ['paused', 'paused'],
    ['retired', 'retired'],
  ] as const)('shows a connector that is %s as %s', (stored, shown) => {
    expect(rowOf({ state: stored, ...lost }).state).toBe(shown)
  })

  it('is counted, until it is acknowledged, and again when more is lost', () => {
    const acknowledged = { at: now, note: '', lostRanges: 1 }
    expect(countStates([rowOf(lost), rowOf({}), rowOf({ ...lost, acknowledged })])).toEqual([
      { state: 'data-lost', count: 1 },
      { state: 'ok', count: 2 },
    ])
    expect(rowOf({ ...lost, lostRanges: 2, acknowledged }).state).toBe('data-lost')
  })
})

describe('the row of any stored status', () => {
  const instant = fc.oneof(fc.integer({ min: -1e18, max: 1e18 }), fc.double({ noNaN: true, noDefaultInfinity: true }))
  const words = fc.oneof(fc.constant(''), fc.string({ unit: 'binary', maxLength: 5_000 }))
  const failure = fc.record({ code: fc.constantFrom<FailureCode>(...failureCodes), detail: words })
  const any: fc.Arbitrary<ConnectorStatus> = fc.record(
    {
      state: fc.constantFrom(...connectorStates),
      reason: words,
      since: instant,
      rejectedKeys: fc.dictionary(fc.string(), fc.record({ at: instant, until: instant, attempts: fc.nat() })),
      problems: fc.array(fc.record({ path: words, message: words }), { maxLength: 5 }),
      days: fc.constant({}),
      readSteps: fc.nat(),
      cause: fc.constantFrom<FailureCode>(...failureCodes),
      tenantName: words,
      lastRunAt: instant,
      lastSuccessAt: instant,
      lagMs: instant,
      retentionLeftMs: instant,
      lostRanges: fc.integer(),
      lastLost: fc.record({ from: instant, to: instant }),
      acknowledged: fc.record({ at: instant, note: words, lostRanges: fc.integer(), says: words }),
      oldestKeyAt: instant,
      nextTryAt: instant,
      trouble: fc.record({ failure, attempts: fc.nat(), until: instant }),
      keys: fc.array(fc.string()),
      test: fc.record({ progress: words, until: instant }),
      activity: fc.array(fc.record({ from: instant, requests: fc.nat(), delivered: fc.nat() })),
    },
    { requiredKeys: ['state', 'reason', 'since', 'rejectedKeys', 'problems', 'days', 'readSteps'] },
  )

  it('never throws, and has a remark within its bound', () => {
    fc.assert(
      fc.property(any, (stored) => {
        const row = statusRow('acme.cas', stored, now)
        statusCells(row, now)
        expect(row.reason.length).toBeLessThanOrEqual(reasonMax)
        expect(remark(row).length).toBeLessThanOrEqual(remarkMax)
      }),
    )
  })

  it('names a next step when the state is a problem', () => {
    fc.assert(
      fc.property(any, (stored) => {
        const row = statusRow('acme.cas', stored, now)
        if (!traitsOfShown(row.state).isProblem) return
        // A failure without a code is a clock that is wrong: its reason is the next step.
        if (row.state === 'failing' && stored.cause === undefined && stored.reason !== '') return
        expect(remark(row)).toContain(stepOf(row.state, stored.cause))
      }),
    )
  })

  it('leaves room for every remedy of a failure beside its reason', () => {
    for (const code of failureCodes) expect(failures[code].remedy.length).toBeLessThan(reasonMax / 2)
  })

  const stepOf = (state: ShownState, cause: FailureCode | undefined) =>
    state === 'failing' && cause !== undefined ? failures[cause].remedy : traitsOfShown(state).remedy
})
