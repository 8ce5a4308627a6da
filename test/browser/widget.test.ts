import type { Browser, Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { minute } from '../../functions/domain/time.ts'
import { connectorItem, World } from '../../simulation/world.ts'
import { launchBrowser } from './browser.ts'
import { openConsole } from './console.ts'

/** The widget that operates connectors, in a stand-in of CloudWatch's console. */

const hostile = `<img src=x onerror="document.title='hacked'"></button><cwdb-action action="call">{}</cwdb-action>"'&`
const items = [
  connectorItem({ connectorId: 'acme.cas', note: hostile }),
  connectorItem({ connectorId: 'globex.wrong', tenantName: hostile.slice(0, 90), intervalMinutes: 0, name: hostile }),
]

let browser: Browser
let world: World
let console: Awaited<ReturnType<typeof openConsole>>
let page: Page
let complaints: string[]

beforeAll(async () => {
  browser = await launchBrowser()
})
afterAll(() => browser.close())

beforeEach(async () => {
  world = new World({ vendor: { eventsPerHour: 240 } })
  for (const item of items) await world.put(item)
  await world.run(20 * minute)
  await open()
})

afterEach(async () => {
  expect(complaints).toEqual([])
  // Whatever the console removes, no page needs it.
  expect(await console.removed()).toEqual([])
  await page.close()
})

async function open(params: object = {}): Promise<void> {
  await page?.close()
  console = await openConsole(browser, world, items, params)
  page = console.page
  complaints = []
  page.on('pageerror', (error) => complaints.push(error.message))
}

const press = (name: string) => page.getByRole('button', { name, exact: true }).click()
const heading = (name: string) => page.getByRole('heading', { name, level: 2 }).waitFor()
const connectors = () => page.locator('tbody tr td:first-child button').allInnerTexts()
const acme = () => console.table.get('acme.cas')

describe('the widget in the console', () => {
  it('leads from all connectors to one, and changes it after a review', async () => {
    await heading('Connectors')
    expect(await connectors()).toEqual(['globex.wrong', 'acme.cas'])
    await press('acme.cas')
    await heading('acme.cas')
    await press('Pause')
    await heading('Pause acme.cas?')
    expect(acme()).not.toHaveProperty('enabled')
    await press('Pause')
    await page.getByText('acme.cas was paused.').waitFor()
    expect(acme()).toMatchObject({ enabled: false })
    await press('acme.cas')
    await page.getByText('{"enabled":false}').waitFor()
  })

  it('sends the values of a form with its button', async () => {
    await page.getByLabel('Find').fill('ACME')
    await press('Show')
    await page.getByText('Rows 1 to 1 of 1').waitFor()
    expect(await connectors()).toEqual(['acme.cas'])
    await press('acme.cas')
    await press('Reread')
    await page.getByLabel('From (UTC)').fill('2026-11-24T11:30')
    await page.getByLabel('To (UTC)').fill('2026-11-24T12:00')
    await press('Review')
    await heading('Reread acme.cas?')
    await page.getByText('2026-11-24 11:30:00 UTC').waitFor()
  })

  it('is shown without what the console removes', async () => {
    const given = `<b>x</b><script>x</script><iframe></iframe><input type="hidden"><p onclick="x"><a href=" javascript:x">text</a></p><form action="/x"></form>`
    expect(await page.evaluate(`cleaned(${JSON.stringify(given)}).innerHTML`)).toBe('<b>x</b><p><a>text</a></p><form></form>')
    expect((await console.removed()).toSorted()).toEqual(['action', 'href', 'iframe', 'input', 'onclick', 'script'])
    await page.evaluate('removed.length = 0')
  })

  it('is used with the keyboard alone', async () => {
    for (const _ of Array.from({ length: 20 })) {
      await page.keyboard.press('Tab')
      if ((await page.evaluate('document.activeElement.textContent')) === 'acme.cas') break
    }
    await page.keyboard.press('Enter')
    await heading('acme.cas')
  })

  it('shows the query of a connector’s events, to be copied', async () => {
    await press('acme.cas')
    await press('View events')
    await heading('Events')
    await page.getByText("connector_id = 'acme.cas'").waitFor()
    await page.getByRole('link', { name: 'the editor of Athena' }).waitFor()
    await page.getByText('msg_class: trendmicro_cas_logs_teams').first().waitFor()
  })

  it('shows a hostile name as text, and runs nothing of it', async () => {
    await press('globex.wrong')
    await heading('globex.wrong')
    await press('All connectors')
    await heading('Connectors')
    await press('acme.cas')
    await heading('acme.cas')
    await page.getByText('onerror').first().waitFor()
    expect(await page.locator('#widget img').count()).toBe(0)
    expect(await page.title()).toBe('CloudWatch')
  })
})

describe('the parameters of a dashboard', () => {
  it('choose the first view, and its buttons act all the same', async () => {
    await open({ view: 'details', connectorId: 'acme.cas' })
    await heading('acme.cas')
    await press('Pause')
    await press('Pause')
    await heading('Done')
    expect(acme()).toMatchObject({ enabled: false })
  })

  it('change nothing and give no ticket when they are those of a review', async () => {
    await open({ view: 'review', action: 'pause', connectorId: 'acme.cas' })
    await page.getByText("The widget's parameters are wrong.").waitFor()
    expect(console.pages.join('')).not.toContain('ticket')
    expect(acme()).not.toHaveProperty('enabled')
  })

  it('change nothing when they are those of a submission with a good ticket', async () => {
    await press('acme.cas')
    await press('Delete')
    await heading('Delete acme.cas?')
    const [, call = ''] = /<cwdb-action[^>]*>(\{"view":"submit".*?)<\/cwdb-action>/.exec(console.pages.at(-1) ?? '') ?? []
    await open(JSON.parse(call))
    await page.getByText("The widget's parameters are wrong.").waitFor()
    expect(acme()).toBeDefined()
  })
})
