import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { start } from '../local/program.ts'
import { temporaryFolder } from '../local-services.ts'
import { launchBrowser } from './browser.ts'

let browser: Browser
let page: Page

beforeAll(async () => {
  browser = await launchBrowser()
  page = await browser.newPage()
})
afterAll(() => browser.close())

const press = (name: string) => page.getByRole('button', { name, exact: true }).first().click()
const heading = (name: string) => page.getByRole('heading', { name, level: 2, exact: true }).waitFor()
const field = (name: string) => page.getByLabel(name, { exact: true })

it('a newcomer goes from npm start to a connector of their own, tested and delivering, without leaving the page', async () => {
  const data = join(temporaryFolder(), 'data')
  const program = start(['--data', data])
  await program.says('delivered')
  const [, url = ''] = /url=([^"]*)/.exec(readFileSync(join(data, 'page.html'), 'utf8')) ?? []
  await page.goto(url)
  await heading('Connectors')
  await press('Create')
  await heading('Create a connector')
  await field('New tenant').fill('newco')
  await field('Name *').fill('cas')
  await press('Next')
  await page.getByText('Step 2 of 3').waitFor()
  const hint = await page.getByText('To try a connector of your own').textContent()
  const [, address = '', key = ''] = /simulator is at (\S+) and takes the API key (\w+)/.exec(hint ?? '') ?? []
  await field('Base URL *').fill(address)
  await field('New key').fill(key)
  await press('Next')
  await heading('Create newco.cas?')
  await press('Submit')
  await heading('Test of newco.cas')
  await page.getByText('All 7 steps passed').waitFor()
  await program.says(/newco\.cas \S+ [1-9]\d* delivered/)
  await press('newco.cas')
  await heading('newco.cas')
  const isDelivering = async () => {
    await press('Refresh')
    await page.waitForFunction(`!document.getElementById('view').hasAttribute('aria-busy')`)
    return page.getByText('Delivering:').count()
  }
  await expect.poll(isDelivering, { timeout: 30_000, interval: 500 }).toBe(1)
  const hasEvents = async () => {
    await press('View events')
    await heading('Events')
    const count = await page.locator('tbody tr').count()
    await page.goBack()
    await heading('newco.cas')
    return count
  }
  await expect.poll(hasEvents, { timeout: 60_000, interval: 1_000 }).toBeGreaterThan(0)
  expect(program.out() + program.err()).toContain('newco.cas')
  program.signal('SIGINT')
  expect(await program.ended).toBe(0)
}, 180_000)
