import type { StreamId } from '../../domain/stream/stream.ts'
import { type Instant, iso } from '../../domain/time.ts'
import type { VendorRequest } from '../../domain/vendor.ts'

/** Values of the parameter `service`. */
export const services = [
  'exchange',
  'sharepoint',
  'onedrive',
  'dropbox',
  'box',
  'googledrive',
  'gmail',
  'teams',
  'exchangeserver',
  'salesforce_sandbox',
  'salesforce_production',
  'teams_chat',
] as const

/** Values of the parameter `event`. */
export const events = ['securityrisk', 'virtualanalyzer', 'ransomware', 'dlp'] as const

/** The names of the services and events for people. */
export const labels: Readonly<Record<(typeof services)[number] | (typeof events)[number], string>> = {
  exchange: 'Exchange Online',
  sharepoint: 'SharePoint Online',
  onedrive: 'OneDrive',
  dropbox: 'Dropbox',
  box: 'Box',
  googledrive: 'Google Drive',
  gmail: 'Gmail',
  teams: 'Microsoft Teams',
  exchangeserver: 'Exchange Server',
  salesforce_sandbox: 'Salesforce Sandbox',
  salesforce_production: 'Salesforce Production',
  teams_chat: 'Microsoft Teams Chat',
  securityrisk: 'Security Risk',
  virtualanalyzer: 'Virtual Analyzer',
  ransomware: 'Ransomware',
  dlp: 'Data Loss Prevention',
}

/** The most items of one page (count). It is also the vendor's default. */
export const pageItemsMax = 500

const path = '/v1/siem/security_events'

export function streamOf(service: string, event: string): StreamId {
  return `${service}/${event}`
}

export function describe(stream: StreamId): { readonly service: string; readonly event: string } {
  const [service = '', event = ''] = stream.split('/')
  return { service, event }
}

export function firstRequest(baseUrl: string, stream: StreamId, from: Instant, to: Instant): VendorRequest {
  const url = new URL(path, baseUrl)
  url.search = new URLSearchParams({ ...describe(stream), start: iso(from), end: iso(to), limit: String(pageItemsMax) }).toString()
  return { url: url.href }
}
