import { readFileSync } from 'node:fs'
import type { Browser, Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { minute } from '../../functions/domain/time.ts'
import { connectorItem, World } from '../../simulation/world.ts'
import { launchBrowser } from './browser.ts'
import { serveWorld } from './served.ts'

const axe = readFileSync(new URL('../../node_modules/axe-core/axe.min.js', import.meta.url), 'utf8')
const filters = [{ name: 'low', action: 'exclude', conditions: [{ field: 'severity', operator: 'equals', values: ['a  b', '<c>'] }] }]
const stored = connectorItem({ connectorId: 'acme.cas', note: 'two  blanks "and" <b>', logFilters: filters, lateArrivalMinutes: 20 })

let browser: Browser
let page: Page
let world: World
let served: Awaited<ReturnType<typeof serveWorld>>
let complaints: string[]

beforeAll(async () => {
  browser = await launchBrowser()
})
afterAll(() => browser.close())

beforeEach(async () => {
  world = new World({ vendor: { eventsPerHour: 240 } })
  await world.put(stored)
  await world.run(10 * minute)
  served = await serveWorld(world, [stored])
  await open()
})

afterEach(async () => {
  expect(complaints).toEqual([])
  expect(served.errors).toEqual([])
  await page.close()
  await served.close()
})

async function open(options: Parameters<Browser['newPage']>[0] = {}): Promise<void> {
  page = await browser.newPage(options)
  complaints = []
  page.on('console', (message) => message.type() === 'error' && complaints.push(message.text()))
  page.on('pageerror', (error) => complaints.push(error.message))
  await page.goto(served.url)
  await heading('Connectors')
}

const press = (name: string) => page.getByRole('button', { name, exact: true }).first().click()
const heading = (name: string) => page.getByRole('heading', { name, level: 2, exact: true }).waitFor()
const field = (name: string) => page.getByLabel(name, { exact: true })
const saved = (id: string) => served.table.get(id)

async function findings(): Promise<readonly string[]> {
  await page.evaluate(axe)
  const found = (await page.evaluate('axe.run()')) as { violations: { id: string; nodes: { html: string }[] }[] }
  return found.violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' ')}`)
}

async function general(name: string): Promise<void> {
  await press('Create')
  await heading('Create a connector')
  await field('Tenant *').selectOption('acme')
  await field('Name *').fill(name)
  await press('Next')
  await page.getByText('Step 2 of 3').waitFor()
}

describe('Create on the page', () => {
  it('stores a connector after a review, and tests it at once', async () => {
    await general('teams')
    await field('Base URL *').fill(`${stored['baseUrl']}/v1/siem/security_events`)
    await page.getByLabel('tributary/acme/simulated', { exact: true }).check()
    await page.getByLabel('Microsoft Teams', { exact: true }).check()
    await page.getByLabel('SharePoint Online', { exact: true }).uncheck()
    await press('Next')
    await heading('Create acme.teams?')
    await page.getByText('It asks for 1.6 requests a minute, of the 20 that its key has').waitFor()
    await page.getByText('The first read goes back 10 min: 4 requests at least').waitFor()
    expect(saved('acme.teams')).toBeUndefined()
    await press('Submit')
    await heading('Test of acme.teams')
    expect(saved('acme.teams')).toEqual({
      connectorId: 'acme.teams',
      type: 'trendmicro-cas',
      name: 'acme-teams',
      tenantName: stored['tenantName'],
      baseUrl: `${stored['baseUrl']}/v1/siem/security_events`,
      apiKeySecrets: ['tributary/acme/simulated'],
      contentTypes: ['teams'],
    })
    await served.goOn()
    await page.getByText('All 7 steps passed').waitFor()
  })

  it('tests the values before they are stored, and leads back to them', async () => {
    await general('teams')
    await field('Base URL *').fill(String(stored['baseUrl']))
    await page.getByLabel('tributary/acme/simulated', { exact: true }).check()
    await press('Next')
    await heading('Create acme.teams?')
    await press('Test before')
    await heading('Test of acme.teams')
    await page.getByText('of values that are not saved').waitFor()
    await served.goOn()
    await page.getByText('All 7 steps passed').waitFor()
    expect(saved('acme.teams')).toBeUndefined()
    await press('Back to the form')
    await heading('Create acme.teams?')
    await press('Submit')
    await heading('Test of acme.teams')
    expect(saved('acme.teams')).toBeDefined()
  })

  it('stores a key that is typed, and nothing that comes back or is kept has it', async () => {
    await general('cas-2')
    await field('Base URL *').fill(String(stored['baseUrl']))
    expect(await field('stored as').inputValue()).toBe('tributary/acme/cas-2')
    await field('New key').fill('typed-key-0123456789abcdef0123456789abcdef')
    await press('Next')
    await heading('Create acme.cas-2?')
    expect(world.secrets.values.get('tributary/acme/cas-2')).toBe('typed-key-0123456789abcdef0123456789abcdef')
    await page.getByText('tributary/acme/cas-2').first().waitFor()
    const held = `${await page.content()} ${JSON.stringify(await page.evaluate('history.state'))}`
    expect(held).not.toContain('typed-key')
    await press('Submit')
    await heading('Test of acme.cas-2')
    expect(saved('acme.cas-2')).toMatchObject({ apiKeySecrets: ['tributary/acme/cas-2'] })
  })

  it('tells each mistake beside its field, and keeps what was typed', async () => {
    await press('Create')
    await press('Next')
    await page.getByText('Step 1 of 3').waitFor()
    await page.getByRole('alert').waitFor()
    await field('New tenant').fill('ACME Corp')
    await field('Name *').fill('cas')
    await press('Next')
    await page.getByText(/It is "ACME Corp\.cas"/).waitFor()
    await field('New tenant').fill('newco')
    await field('Note').fill('for  <the> night shift')
    await press('Next')
    await page.getByText('Step 2 of 3').waitFor()
    await field('Interval (minutes)').fill('often')
    await field('Base URL *').fill('https://evil.example')
    await press('Next')
    await page.getByText('values are not right').waitFor()
    expect(await page.locator('.tb-field .tb-bad').count()).toBeGreaterThan(2)
    expect(await field('Interval (minutes)').inputValue()).toBe('often')
    await press('Back')
    await page.getByText('Step 1 of 3').waitFor()
    expect(await field('New tenant').inputValue()).toBe('newco')
    expect(await field('Note').inputValue()).toBe('for  <the> night shift')
    await field('New tenant').fill('')
    await field('Tenant *').selectOption('acme')
    await press('Next')
    await page.getByText('There is a connector acme.cas already.').waitFor()
  })

  it('is used with the keyboard alone', async () => {
    const tabTo = async (label: string) => {
      for (let tries = 0; tries < 80; tries += 1) {
        await page.keyboard.press('Tab')
        const name = await page.evaluate(
          `(() => { const at = document.activeElement; return at.labels?.[0]?.textContent.trim() ?? at.textContent.trim() })()`,
        )
        if (name === label) return
      }
      throw new Error(`No field ${label} is reached`)
    }
    await tabTo('Create')
    await page.keyboard.press('Enter')
    await heading('Create a connector')
    await tabTo('New tenant')
    await page.keyboard.type('newco')
    await tabTo('Name *')
    await page.keyboard.type('cas')
    await page.keyboard.press('Enter')
    await page.getByText('Step 2 of 3').waitFor()
    await tabTo('Base URL *')
    await page.keyboard.type(String(stored['baseUrl']))
    await tabTo('New key')
    await page.keyboard.type('newco-key-0123456789abcdef0123456789abcdef')
    await tabTo('Exchange Online')
    await page.keyboard.press('Space')
    await page.keyboard.press('Enter')
    await heading('Create newco.cas?')
    await tabTo('Submit')
    await page.keyboard.press('Enter')
    await heading('Test of newco.cas')
    expect(saved('newco.cas')).toMatchObject({ contentTypes: ['exchange', 'sharepoint'] })
  })

  it.each((['light', 'dark'] as const).flatMap((colorScheme) => [360, 768, 1200].map((width) => ({ colorScheme, width }))))(
    'has no fault that axe finds, in $colorScheme, $width pixels wide',
    async ({ colorScheme, width }) => {
      await page.close()
      await open({ colorScheme, viewport: { width, height: 900 } })
      await press('Create')
      await heading('Create a connector')
      await press('Next')
      await page.getByRole('alert').waitFor()
      expect(await findings()).toEqual([])
      await field('Tenant *').selectOption('acme')
      await field('Name *').fill('x')
      await press('Next')
      await page.getByText('Step 2 of 3').waitFor()
      await page.getByText('Advanced', { exact: true }).click()
      await press('Next')
      await page.getByRole('alert').waitFor()
      expect(await findings()).toEqual([])
      expect(await page.evaluate('document.documentElement.scrollWidth - innerWidth')).toBeLessThanOrEqual(0)
    },
  )
})

describe('Edit on the page', () => {
  beforeEach(async () => {
    await press('acme.cas')
    await heading('acme.cas')
    await press('Edit')
    await heading('Edit acme.cas')
  })

  it('changes nothing if nothing was changed', async () => {
    await press('Next')
    await page.getByText('Step 2 of 3').waitFor()
    await press('Next')
    await page.getByText('Nothing differs.').waitFor()
    expect(await page.getByRole('button', { name: 'Submit' }).count()).toBe(0)
  })

  it('changes one attribute and keeps every other one as it is', async () => {
    await page.getByText('These cannot change').waitFor()
    await press('Next')
    await page.getByText('Step 2 of 3').waitFor()
    await field('Interval (minutes)').fill('7')
    await press('Next')
    await page.getByText('nothing → 7').waitFor()
    await press('Submit')
    await heading('Test of acme.cas')
    expect(saved('acme.cas')).toEqual({ ...stored, intervalMinutes: 7 })
  })

  it('tells a mistake of an attribute that has no field', async () => {
    served.table.set('acme.cas', { ...stored, name: 'näme', unheard: 1 })
    await press('Next')
    await page.getByText(/^name: It is "näme"/).waitFor()
  })

  it('keeps the edit of another person who was faster, and what was typed', async () => {
    await field('Note').fill('mine')
    await press('Next')
    await page.getByText('Step 2 of 3').waitFor()
    await press('Next')
    await heading('Edit acme.cas?')
    served.table.set('acme.cas', { ...stored, intervalMinutes: 9 })
    await press('Submit')
    await heading('Not done')
    await press('Back to the form')
    await page.getByText('Somebody else has changed this connector since you began.').waitFor()
    await press('Submit')
    await heading('Test of acme.cas')
    expect(saved('acme.cas')).toEqual({ ...stored, intervalMinutes: 9, note: 'mine' })
  })
})
