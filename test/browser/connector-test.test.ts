import { readFileSync } from 'node:fs'
import type { Browser, Page } from 'playwright-core'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { minute } from '../../functions/domain/time.ts'
import { connectorItem, secretName, secrets, World } from '../../simulation/world.ts'
import { launchBrowser } from './browser.ts'
import { serveWorld } from './served.ts'

const axe = readFileSync(new URL('../../node_modules/axe-core/axe.min.js', import.meta.url), 'utf8')

let browser: Browser
let page: Page
let world: World
let served: Awaited<ReturnType<typeof serveWorld>> | undefined

beforeEach(async () => {
  browser = await launchBrowser()
  page = await browser.newPage({ viewport: { width: 360, height: 800 }, colorScheme: 'dark' })
  await prepare({})
})

afterEach(async () => {
  expect(served?.errors).toEqual([])
  await served?.close()
  served = undefined
  await browser.close()
})

async function prepare(vendor: { readonly revokedKeys?: string[] }): Promise<void> {
  await served?.close()
  world = new World({ vendor: { eventsPerHour: 240, ...vendor } })
  const item = connectorItem({ connectorId: 'acme.cas' })
  await world.put(item)
  await world.run(10 * minute)
  served = await serveWorld(world, [item])
  await page.goto(served.url)
  await heading('Connectors')
}

const press = (name: string) => page.getByRole('button', { name, exact: true }).first().click()
const heading = (name: string) => page.getByRole('heading', { name, level: 2, exact: true }).waitFor()

async function begin(): Promise<void> {
  await press('Test')
  await heading('Test acme.cas?')
  await press('Test')
  await heading('Test of acme.cas')
}

async function findings(): Promise<readonly string[]> {
  await page.evaluate(axe)
  const found = (await page.evaluate('axe.run()')) as { violations: { id: string; nodes: { html: string }[] }[] }
  return found.violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' ')}`)
}

describe('a Test on the page', () => {
  it('begins from the row, shows its progress without a press, and stays until it is dismissed', async () => {
    await begin()
    await page.getByText('Step 1 of 7.').waitFor()
    await page.getByRole('button', { name: 'Refresh' }).focus()
    await served?.goOn()
    await page.getByText('All 7 steps passed').waitFor()
    expect(await page.getByRole('listitem').count()).toBe(7)
    for (const colorScheme of ['dark', 'light'] as const) {
      await page.emulateMedia({ colorScheme })
      await page.waitForFunction(`!document.getElementById('view').hasAttribute('aria-busy')`)
      expect(await findings()).toEqual([])
    }
    await press('acme.cas')
    await heading('acme.cas')
    await press('See the Test')
    await heading('Test of acme.cas')
    await press('Dismiss')
    await heading('Dismiss the Test of acme.cas?')
    await press('Dismiss')
    await page.getByText('The result of the Test of acme.cas is dismissed.').waitFor()
  })

  it('explains a rejected key, and leads to the field that mends it', async () => {
    await prepare({ revokedKeys: [secrets[secretName]] })
    await begin()
    await served?.goOn()
    await page.getByText('401 Unauthorized').first().waitFor()
    for (const text of ['Explanation', 'Recommendation', 'Has it expired or been revoked?', 'Trace id'])
      await page.getByText(text).first().waitFor()
    expect(await findings()).toEqual([])
    await press('Edit apiKeySecrets[0]')
    await heading('Edit acme.cas')
    await page.getByText('Step 2 of 3').waitFor()
    expect(await page.locator('.tb-marked').textContent()).toContain('API keys')
  })

  it('of a second person shows the first one’s', async () => {
    await begin()
    await press('acme.cas')
    await heading('acme.cas')
    await page.getByText('A Test runs: 1 of 7.').waitFor()
    await press('Test')
    await heading('Test acme.cas?')
    await press('Test')
    await page.getByText(/A Test of acme\.cas runs since/).waitFor()
  })
})
