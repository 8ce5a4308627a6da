import { describe, expect, it } from 'vitest'
import { vendorOf, vendors } from '../../functions/vendors/index.ts'
import { trendmicroCas as vendor } from '../../functions/vendors/trendmicro-cas/index.ts'

describe('the vendor', () => {
  it('is found by the type of its connectors', () => {
    expect(vendorOf('trendmicro-cas')).toBe(vendor)
    expect(vendorOf('other')).toBeUndefined()
    expect([...vendors.keys()]).toEqual(['trendmicro-cas'])
  })

  it('keeps events for 72 hours and sends 500 items a page', () => {
    expect(vendor).toMatchObject({ retentionMs: 259_200_000, pageItemsMax: 500 })
  })

  it('has the hosts of its eight sites', () => {
    expect(new Set(vendor.hosts).size).toBe(8)
    for (const host of vendor.hosts) expect(new URL(`https://${host}`).hostname).toBe(host)
  })
})

describe('the attributes of a connector', () => {
  it('default to all events of SharePoint', () => {
    expect(vendor.attributes.parse({})).toEqual({
      contentTypes: ['sharepoint'],
      eventTypes: ['securityrisk', 'virtualanalyzer', 'ransomware', 'dlp'],
    })
  })

  it('may name any of the twelve services', () => {
    const contentTypes = [
      ...['exchange', 'sharepoint', 'onedrive', 'dropbox', 'box', 'googledrive', 'gmail', 'teams'],
      ...['exchangeserver', 'salesforce_sandbox', 'salesforce_production', 'teams_chat'],
    ]
    expect(vendor.attributes.parse({ contentTypes })).toMatchObject({ contentTypes })
  })

  it.each([
    [{ contentTypes: ['sharepont'] }, ['contentTypes.0'], /^"sharepont" is not known\. Allowed: exchange, sharepoint, .*teams_chat$/],
    [{ eventTypes: ['dlp', 7] }, ['eventTypes.1'], /^7 is not known\. Allowed: securityrisk, virtualanalyzer, ransomware, dlp$/],
    [{ eventTypes: 'dlp' }, ['eventTypes'], /^It is "dlp", which is not a list\./],
    [{ contentTypes: null }, ['contentTypes'], /^It is null, which is not a list\./],
    [{ contentTypes: [] }, ['contentTypes'], /^It is empty\. Name at least one, or leave it out for sharepoint\./],
    [{ eventTypes: ['dlp', 'ransomware', 'dlp'] }, ['eventTypes'], /^"dlp" is named more than once/],
    [{ contentType: ['box'] }, [''], /contentType/],
  ])('fail for %j with the problem and the allowed values', (attributes, paths, message) => {
    const issues = vendor.attributes.safeParse(attributes).error?.issues ?? []
    expect(issues.map(({ path }) => path.join('.'))).toEqual(paths)
    expect(issues[0]?.message).toMatch(message)
  })

  it('allow 20 late minutes with the events of a sandbox, and 10 without', () => {
    const late = (eventTypes: string[]) => vendor.lateArrivalMinutes({ contentTypes: ['box'], eventTypes })
    expect([late(['dlp', 'virtualanalyzer']), late(['dlp'])]).toEqual([20, 10])
  })
})

describe('the streams of a connector', () => {
  it('are its services times its events', () => {
    expect(vendor.streams({ contentTypes: ['box', 'teams_chat'], eventTypes: ['dlp', 'ransomware'] })).toEqual([
      'box/dlp',
      'box/ransomware',
      'teams_chat/dlp',
      'teams_chat/ransomware',
    ])
  })

  it('can be described as service and event', () => {
    expect(vendor.describe('teams_chat/dlp')).toEqual({ service: 'teams_chat', event: 'dlp' })
  })
})

describe('the first request of a range', () => {
  it('has both bounds to the millisecond and asks for full pages', () => {
    const { url } = vendor.firstRequest('https://api.tmcas.trendmicro.com', 'sharepoint/dlp', 1_595_199_090_001, 1_595_199_091_000)
    const { origin, pathname, searchParams } = new URL(url)
    expect([origin, pathname]).toEqual(['https://api.tmcas.trendmicro.com', '/v1/siem/security_events'])
    expect(Object.fromEntries(searchParams)).toEqual({
      service: 'sharepoint',
      event: 'dlp',
      start: '2020-07-19T22:51:30.001Z',
      end: '2020-07-19T22:51:31.000Z',
      limit: '500',
    })
  })

  it('keeps the port of the base URL', () => {
    expect(vendor.firstRequest('http://127.0.0.1:8080', 'box/dlp', 0, 1).url).toMatch(
      /^http:\/\/127\.0\.0\.1:8080\/v1\/siem\/security_events\?/,
    )
  })
})
