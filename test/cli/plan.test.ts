import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Item } from '../../cli/answers.ts'
import { type Plan, planLines, planOf, type StoredConnector } from '../../cli/plan.ts'
import { vendors } from '../../functions/vendors/index.ts'
import { itemOf, versionOf } from './in-memory.ts'

const owned = (id: string, more: Item = {}) => itemOf(id, { managedBy: 'file', ...more })
const stored = (items: readonly Item[]): StoredConnector[] =>
  items.map((item) => ({ connectorId: String(item['connectorId']), item, version: versionOf(item) }))
const plan = (wanted: readonly Item[], items: readonly Item[], prune = false) => planOf(wanted, stored(items), { prune, vendors })

describe('a plan', () => {
  it('creates what is missing, edits what differs and leaves the rest alone', () => {
    const { changes, unchanged, left } = plan(
      [owned('a.cas'), owned('b.cas', { intervalMinutes: 10 }), owned('c.cas')],
      [owned('b.cas'), owned('c.cas')],
    )
    expect(changes).toMatchObject([
      { action: 'create', connectorId: 'a.cas' },
      { action: 'edit', connectorId: 'b.cas', version: versionOf(owned('b.cas')), changes: [{ attribute: 'intervalMinutes', after: 10 }] },
    ])
    expect({ unchanged, left }).toEqual({ unchanged: 1, left: [] })
  })

  it('takes a connector over that was made by hand', () => {
    expect(plan([owned('a.cas')], [itemOf('a.cas')]).changes).toMatchObject([
      { action: 'edit', changes: [{ attribute: 'managedBy', after: 'file' }] },
    ])
  })

  it('knows that an attribute with its default is the same as none', () => {
    const withDefaults = owned('a.cas', { enabled: true, contentTypes: ['sharepoint'], logFilters: [], intervalMinutes: 5 })
    expect(plan([owned('a.cas')], [withDefaults]).changes).toEqual([])
    expect(plan([withDefaults], [owned('a.cas')]).changes).toEqual([])
  })

  it('deletes only with prune, and only what a file owned', () => {
    const items = [owned('a.cas'), owned('gone.cas'), itemOf('by.hand')]
    expect(plan([owned('a.cas')], items)).toMatchObject({ changes: [], left: ['gone.cas'] })
    expect(plan([owned('a.cas')], items, true)).toMatchObject({
      changes: [{ action: 'delete', connectorId: 'gone.cas', version: versionOf(owned('gone.cas')) }],
      left: [],
    })
  })

  it('says each change in a line, and each attribute with its value before and after', () => {
    const lines = planLines(
      plan([owned('a.cas', { contentTypes: ['teams'] })], [owned('a.cas', { contentTypes: ['exchange'], note: 'x' })]),
    )
    expect(lines).toEqual(['~ edit a.cas', '    contentTypes: ["exchange"] → ["teams"]', '    note: "x" → (its default)'])
  })

  it('shows no text that may be a key', () => {
    const key = '0123456789abcdef0123456789abcdef'
    expect(planLines(plan([owned('a.cas', { note: key, apiKeySecrets: [key] })], [])).join('\n')).not.toContain(key)
  })

  it('has nothing to change after it was carried out, whatever there was', () => {
    const item = fc
      .record({
        id: fc.constantFrom('a.cas', 'b.cas', 'c.cas', 'd.cas'),
        intervalMinutes: fc.option(fc.integer({ min: 1, max: 9 }), { nil: undefined }),
        enabled: fc.option(fc.boolean(), { nil: undefined }),
        isOwned: fc.boolean(),
      })
      .map(({ id, isOwned, ...rest }) => {
        const given = Object.fromEntries(Object.entries(rest).filter(([, value]) => value !== undefined))
        return itemOf(id, { ...given, ...(isOwned ? { managedBy: 'file' } : {}) })
      })
    const items = fc.uniqueArray(item, { selector: ({ connectorId }) => connectorId })
    fc.assert(
      fc.property(items, items, fc.boolean(), (wantedItems, before, prune) => {
        const wanted = wantedItems.map((each) => ({ ...each, managedBy: 'file' }))
        const after = carriedOut(plan(wanted, before, prune), before)
        expect(plan(wanted, after, prune).changes).toEqual([])
        const byHand = before.filter((each) => each['managedBy'] !== 'file').map(({ connectorId }) => connectorId)
        const ids = after.map(({ connectorId }) => connectorId)
        expect(byHand.filter((id) => !ids.includes(id))).toEqual([])
      }),
    )
  })
})

function carriedOut({ changes }: Plan, before: readonly Item[]): readonly Item[] {
  const after = new Map(before.map((item) => [String(item['connectorId']), item]))
  for (const change of changes) {
    if (change.action === 'delete') after.delete(change.connectorId)
    else after.set(change.connectorId, change.item)
  }
  return [...after.values()]
}
