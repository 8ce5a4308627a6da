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
      await page.locator('#view:not([aria-busy])').waitFor()
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
    const [term, text] = [page.locator('.tb-fault dt').first(), page.locator('.tb-fault dd').first()]
    expect((await text.boundingBox())?.x, 'a narrow page has no columns').toBe((await term.boundingBox())?.x)
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
    await heading('Test of acme.cas')
    await page.getByText(/A Test of acme\.cas runs since/).waitFor()
    await page.getByText('Step 1 of 7.').waitFor()
    await served?.goOn()
    await page.getByText('All 7 steps passed').waitFor()
  })

  it('is reviewed with the number of its requests', async () => {
    await press('Test')
    await heading('Test acme.cas?')
    await page.getByText('It makes about 1 request to the vendor').waitFor()
    await page.getByText('the lake gets one line').waitFor()
  })

  it('is begun, looked at and dismissed with the keyboard alone', async () => {
    const pressTab = async (label: string) => {
      for (let tries = 0; tries < 40; tries += 1) {
        await page.keyboard.press('Tab')
        if ((await page.evaluate('document.activeElement.textContent')) === label) return page.keyboard.press('Enter')
      }
      throw new Error(`No button ${label} is reached`)
    }
    await pressTab('Test')
    await heading('Test acme.cas?')
    await pressTab('Test')
    await heading('Test of acme.cas')
    await served?.goOn()
    await page.getByText('All 7 steps passed').waitFor()
    await pressTab('Dismiss')
    await heading('Dismiss the Test of acme.cas?')
    await pressTab('Dismiss')
    await page.getByText('The result of the Test of acme.cas is dismissed.').waitFor()
  })
})

describe('the page that looks at a Test again', () => {
  const look = () => page.waitForResponse((response) => response.url().endsWith('/view'))
  const inView = (script: string) => page.evaluate(script)

  it('leaves the focus on a link', async () => {
    await begin()
    await page.getByRole('link').last().focus()
    await look()
    await look()
    expect(await inView('document.activeElement.localName')).toBe('a')
  })

  it('changes only what is different, so that nothing else is read aloud again', async () => {
    await begin()
    await inView(`window.kept = [...document.querySelectorAll('h2, [role=status], .tb-steps li:last-child')]`)
    await look()
    await look()
    expect(await inView('kept.map((each) => each.isConnected)')).toEqual([true, true, true])
    await inView(`window.kept = [...document.querySelectorAll('h2, [role=status]')]`)
    await served?.goOn()
    await page.getByText('All 7 steps passed').waitFor()
    expect(await inView('kept.map((each) => each.isConnected)')).toEqual([true, true])
  })

  it('carries out a press meanwhile, and stays on the view that was asked for', async () => {
    await begin()
    const held = Promise.withResolvers<void>()
    const isHeld = page.waitForRequest('**/view')
    await page.route('**/view', (route) => held.promise.then(() => route.continue()), { times: 1 })
    await isHeld
    await press('acme.cas')
    await heading('acme.cas')
    const late = look()
    held.resolve()
    await late
    await heading('acme.cas')
  })
})
