import type { Browser, Page } from 'playwright-core'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { newStatus } from '../../functions/domain/status/status.ts'
import { minute } from '../../functions/domain/time.ts'
import { connectorItem, World } from '../../simulation/world.ts'
import { launchBrowser } from './browser.ts'
import { putStatus, serveWorld } from './served.ts'

let browser: Browser
let page: Page
let world: World
let served: Awaited<ReturnType<typeof serveWorld>>

beforeEach(async () => {
  browser = await launchBrowser()
  page = await browser.newPage()
  world = new World({ vendor: { eventsPerHour: 240 } })
  const item = connectorItem({ connectorId: 'acme.cas' })
  await world.put(item)
  await world.run(20 * minute)
  served = await serveWorld(world, [item])
  await page.goto(served.url)
  await press('acme.cas')
  await heading('acme.cas')
})

afterEach(async () => {
  await served.close()
  await browser.close()
})

const press = (name: string) => page.getByRole('button', { name, exact: true }).click()
const heading = (name: string) => page.getByRole('heading', { name, level: 2 }).waitFor()
const item = () => served.table.get('acme.cas')

describe('a change on the page', () => {
  it('is reviewed before it is carried out, and the history has it', async () => {
    await press('Pause')
    await heading('Pause acme.cas?')
    expect(item()).not.toHaveProperty('enabled')
    await press('Pause')
    await heading('Done')
    await page.getByText('acme.cas was paused.').waitFor()
    expect(item()).toMatchObject({ enabled: false })
    await press('acme.cas')
    await page.getByText('{"enabled":false}').waitFor()
    await press('Resume')
    await heading('Resume acme.cas?')
    await press('Resume')
    await page.getByText('acme.cas was resumed.').waitFor()
    expect(item()).toMatchObject({ enabled: true })
  })

  it('is not carried out when it is cancelled', async () => {
    await press('Delete')
    await heading('Delete acme.cas?')
    await page.getByText('Its records stay in the lake').waitFor()
    await press('Cancel')
    await heading('acme.cas')
    expect(item()).toBeDefined()
  })

  it('is carried out once, although its page is sent again', async () => {
    await press('Delete')
    await heading('Delete acme.cas?')
    await press('Delete')
    await heading('Done')
    expect(item()).toBeUndefined()
    served.table.set('acme.cas', connectorItem({ connectorId: 'acme.cas' }))
    await page.reload()
    await page.goBack()
    await page.waitForLoadState()
    expect(item()).toBeDefined()
  })

  it('is refused if somebody else has changed the connector meanwhile', async () => {
    await press('Delete')
    await heading('Delete acme.cas?')
    served.table.set('acme.cas', { ...item(), note: 'mine' })
    await press('Delete')
    await heading('Not done')
    expect(item()).toMatchObject({ note: 'mine' })
  })

  it('makes a run begin, and reads a time again', async () => {
    await press('Collect now')
    await heading('Collect now acme.cas?')
    await press('Collect now')
    await page.getByText('A run of acme.cas begins within a minute').waitFor()
    await press('acme.cas')
    await heading('acme.cas')
    await press('Reread')
    await page.getByLabel('From (UTC)').fill('2026-11-24T11:30')
    await page.getByLabel('To (UTC)').fill('2026-11-24T12:00')
    await page.getByLabel('Events that the lake has').selectOption('send again')
    const records = world.lake.records
    await press('Review')
    await heading('Reread acme.cas?')
    await press('Reread')
    await page.getByText('All of its events are sent to the lake again.').waitFor()
    await world.run(4 * minute)
    expect(world.lake.records - records).toBeGreaterThan(20)
  })

  it('tells a wrong time, and changes nothing', async () => {
    await press('Reread')
    await page.getByLabel('From (UTC)').fill('yesterday')
    await press('Review')
    await page.getByText('A time is wrong. Give it in UTC, such as 2026-11-24T12:00.').waitFor()
  })

  it('acknowledges a loss with a note', async () => {
    await putStatus(world, 'acme.cas', { ...newStatus(world.clock.now(), 'Acme'), state: 'ok', lostRanges: 2 })
    await press('Refresh')
    await page.getByText('Events of 2 time ranges were lost').first().waitFor()
    await press('Acknowledge')
    await page.getByLabel('Note').fill('ticket 7')
    await press('Review')
    await heading('Acknowledge acme.cas?')
    await press('Acknowledge')
    await page.getByText('The 2 lost time ranges of acme.cas are acknowledged.').waitFor()
    await press('acme.cas')
    await page.getByText('UTC: ticket 7').first().waitFor()
  })
})
