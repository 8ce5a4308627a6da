import { readFileSync } from 'node:fs'
import type { Browser, Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { newStatus } from '../../functions/domain/status/status.ts'
import { minute } from '../../functions/domain/time.ts'
import { connectorItem, World } from '../../simulation/world.ts'
import { launchBrowser } from './browser.ts'
import { putStatus, serveWorld } from './served.ts'

const axe = readFileSync(new URL('../../node_modules/axe-core/axe.min.js', import.meta.url), 'utf8')
const hostile = `<img src=x onerror="document.title='hacked'"></button><cwdb-action action="call">{}</cwdb-action>\u202e"'&`
const widths = [360, 900, 1600]

let browser: Browser
let page: Page
let served: Awaited<ReturnType<typeof serveWorld>>
/** Errors of the script and of the content security policy. */
let complaints: string[]

const world = new World({ vendor: { eventsPerHour: 240 }, furtherKeys: 1 })
const items = [
  connectorItem({ connectorId: 'acme.cas', eventTypes: ['dlp', 'securityrisk'], note: hostile.replace('\u202e', '') }),
  connectorItem({ connectorId: 'globex.mail', tenantName: hostile.slice(0, 90), apiKeySecrets: ['tributary/globex/simulated-1'] }),
  connectorItem({ connectorId: 'globex.wrong', tenantName: 'Globex', intervalMinutes: 0, name: hostile }),
]

beforeAll(async () => {
  browser = await launchBrowser()
  for (const item of items) await world.put(item)
  await world.run(20 * minute)
  served = await serveWorld(world, items)
})

afterAll(async () => {
  await served.close()
  await browser.close()
})

async function open(options: Parameters<Browser['newPage']>[0] = {}): Promise<void> {
  page = await browser.newPage(options)
  complaints = []
  page.on('console', (message) => message.type() === 'error' && complaints.push(message.text()))
  page.on('pageerror', (error) => complaints.push(error.message))
  await page.goto(served.url)
  await page.getByRole('heading', { name: 'Connectors' }).waitFor()
}

beforeEach(() => open())
afterEach(async () => {
  expect(complaints).toEqual([])
  expect(served.errors).toEqual([])
  await page.close()
})

const press = (name: string) => page.getByRole('button', { name, exact: true }).click()
const heading = (name: string) => page.getByRole('heading', { name, level: 2 }).waitFor()
const connectors = () => page.locator('tbody tr td:first-child button').allInnerTexts()

async function findings(): Promise<readonly string[]> {
  await page.evaluate(axe)
  const found = (await page.evaluate('axe.run()')) as { violations: { id: string; nodes: { html: string }[] }[] }
  return found.violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' ')}`)
}

describe('the page of this machine', () => {
  it('shows all connectors, the worst first, and its address no longer holds the token', async () => {
    expect(await connectors()).toEqual(['globex.wrong', 'acme.cas', 'globex.mail'])
    expect(page.url()).toBe(`${served.address}/`)
    expect(await page.title()).toBe('Connectors · Tributary')
  })

  it('finds connectors by a part of their names, and by their state', async () => {
    await page.getByLabel('Find').fill('MAIL')
    await page.keyboard.press('Enter')
    await page.getByText('Rows 1 to 1 of 1').waitFor()
    expect(await connectors()).toEqual(['globex.mail'])
    await press('Show all')
    await page.getByText('Rows 1 to 3 of 3').waitFor()
    await page.getByLabel('State').selectOption('refused')
    await press('Show')
    await page.getByText('Rows 1 to 1 of 1').waitFor()
    expect(await connectors()).toEqual(['globex.wrong'])
  })

  it('leads to the details of a connector and back', async () => {
    await press('acme.cas')
    await heading('acme.cas')
    for (const title of ['Coverage of the last 72 hours', 'API keys', 'History', 'Item'])
      await page.getByRole('heading', { name: title }).waitFor()
    expect(await page.getByRole('img', { name: /proven/ }).count()).toBe(2)
    await page.goBack()
    await heading('Connectors')
    await page.goForward()
    await heading('acme.cas')
    await press('All connectors')
    await heading('Connectors')
  })

  it('searches the events, and shows the record of one', async () => {
    await press('Events')
    await heading('Events')
    await page.getByLabel('Tenant').fill("o'brien")
    await press('Search')
    await page.getByText("tenant = 'o''brien'").waitFor()
    expect(await page.getByLabel('Tenant').inputValue()).toBe("o'brien")
    await page.getByText('<b>bill</b>').waitFor()
    expect(await findings()).toEqual([])
    await press('2026-11-24 12:00:00')
    await heading('Event')
    await page.getByText('"raw": "{}"').waitFor()
  })

  it('tells what a vendor’s connectors can do, and how to get the credentials', async () => {
    await press('Trend Micro Cloud App Security')
    await heading('Trend Micro Cloud App Security')
    for (const text of [
      'https://api-eu.tmcas.trendmicro.com',
      'valid for 365 days',
      'msg_class: trendmicro_cas_logs_sharepoint',
      'API type Log Retrieval',
    ]) {
      await page.getByText(text).first().waitFor()
    }
    expect(await findings()).toEqual([])
  })

  it('is used with the keyboard alone', async () => {
    for (const _ of Array.from({ length: 20 })) {
      await page.keyboard.press('Tab')
      if ((await page.evaluate('document.activeElement.textContent')) === 'acme.cas') break
    }
    await page.keyboard.press('Enter')
    await heading('acme.cas')
    expect(await page.evaluate('document.activeElement.id')).toBe('view')
  })

  it('shows a hostile name as text, and runs nothing of it', async () => {
    await press('globex.wrong')
    await heading('globex.wrong')
    await press('All connectors')
    await heading('Connectors')
    await press('acme.cas')
    await heading('acme.cas')
    await page.getByText('onerror').first().waitFor()
    expect(await page.locator('#view img').count()).toBe(0)
    expect(await page.title()).toBe('acme.cas · Tributary')
    const calls = await page.locator('cwdb-action').allTextContents()
    expect(calls.map((call) => JSON.parse(call).view)).toEqual([
      'overview',
      'details',
      'events',
      'review',
      'edit',
      'review',
      'review',
      'reread-form',
      'review',
    ])
  })

  it.each((['light', 'dark'] as const).flatMap((colorScheme) => widths.map((width) => ({ colorScheme, width }))))(
    'has no fault that axe finds, in $colorScheme, $width pixels wide',
    async ({ colorScheme, width }) => {
      await page.close()
      await open({ colorScheme, viewport: { width, height: 800 } })
      expect(await findings()).toEqual([])
      await press('acme.cas')
      await heading('acme.cas')
      expect(await findings()).toEqual([])
      const overflow = await page.evaluate('document.documentElement.scrollWidth - innerWidth')
      expect(overflow).toBeLessThanOrEqual(0)
    },
  )

  it('says that the token is of an earlier start, and how to get in', async () => {
    await page.evaluate(`sessionStorage.setItem('token', 'x')`)
    await press('Refresh')
    await page.getByText('Open the file page.html of the data folder again.').waitFor()
    // The browser itself reports the status 401.
    complaints.length = 0
  })
})

describe('the page of a thousand connectors', () => {
  it('shows fifty at a time, and leads to each of them', async () => {
    const many = new World()
    for (const number of Array.from({ length: 1_000 }, (_, i) => i)) {
      const id = `acme.cas-${String(number).padStart(4, '0')}`
      await putStatus(many, id, { ...newStatus(many.clock.now(), hostile.slice(0, 120)), state: 'failing', reason: hostile.repeat(4) })
    }
    const thousand = await serveWorld(many, [])
    await page.goto(thousand.url)
    await page.getByText('Rows 1 to 50 of 1,000').waitFor()
    await press('Next')
    await page.getByText('Rows 51 to 100 of 1,000').waitFor()
    expect((await connectors())[0]).toBe('acme.cas-0050')
    await press('Previous')
    await page.getByText('Rows 1 to 50 of 1,000').waitFor()
    await thousand.close()
  })
})
