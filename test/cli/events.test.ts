import { describe, expect, it } from 'vitest'
import { events } from '../../cli/commands/events.ts'
import { openSession } from './session.ts'

describe('events on AWS', () => {
  it('are the query with connector and dates filled in, with workgroup, database and editor', async () => {
    const { session } = await openSession()
    const options = { connector: "acme.o'cas", service: 'sharepoint', eventType: 'dlp', text: 'Invoice', from: '6h' }
    const { exit, text, result } = await events(session, undefined, options)
    expect(exit).toBe('done')
    for (const condition of [
      "dt BETWEEN '2026-11-23' AND '2026-11-28'",
      `"timestamp" BETWEEN ${Date.UTC(2026, 10, 24, 6)} AND ${Date.UTC(2026, 10, 24, 12)}`,
      "connector_id = 'acme.o''cas'",
      "service = 'sharepoint'",
      "event_type = 'dlp'",
      "strpos(lower(raw), 'invoice') > 0",
    ])
      expect(text).toContain(condition)
    expect(text).toContain('in the workgroup tributary and the database tributary:\nhttps://')
    expect(result).toMatchObject({ workgroup: 'tributary', database: 'tributary' })
  })

  it('are those of the last day without a time', async () => {
    const { session } = await openSession()
    const { text } = await events(session, undefined, {})
    expect(text).toContain(`"timestamp" BETWEEN ${Date.UTC(2026, 10, 23, 12)} AND ${Date.UTC(2026, 10, 24, 12)}`)
  })

  it('of one id are the query of its record', async () => {
    const { session } = await openSession()
    expect((await events(session, 'abc', {})).text).toContain("SELECT * FROM syslog WHERE id = 'abc' LIMIT 1")
  })
})

it.each([
  [undefined, { service: 'sharepont' }, 'Did you mean sharepoint?'],
  [undefined, { eventType: 'dpl' }, 'Give one of: securityrisk, virtualanalyzer, ransomware, dlp.'],
  [undefined, { from: 'yesterday' }, '--from yesterday: this is no time.'],
  [undefined, { from: '1h', to: '2h' }, '--from must be before --to.'],
  ['abc', { tenant: 'acme' }, 'Not both.'],
])('a search that means nothing is refused with the next step: %s %j', async (id, options, words) => {
  const { session } = await openSession()
  await expect(events(session, id, options)).rejects.toThrow(words)
})
