/** The services and event types of the vendor's API. A key is the name in a request, its value the name in the response. */

export const services = {
  exchange: 'Exchange Online',
  sharepoint: 'SharePoint Online',
  onedrive: 'OneDrive',
  dropbox: 'Dropbox',
  box: 'Box',
  googledrive: 'Google Drive',
  gmail: 'Gmail',
  teams: 'Teams',
  exchangeserver: 'Exchange Server',
  salesforce_sandbox: 'Salesforce Sandbox',
  salesforce_production: 'Salesforce Production',
  teams_chat: 'Teams Chat',
} as const

export const eventTypes = {
  securityrisk: 'security_risk_scan',
  virtualanalyzer: 'virtual_analyzer',
  ransomware: 'ransomware',
  dlp: 'data_loss_prevention',
} as const

export type Service = keyof typeof services
export type EventType = keyof typeof eventTypes
/** `sharepoint/dlp` */
export type StreamName = `${Service}/${EventType}`

export const serviceNames = Object.keys(services) as Service[]
export const eventTypeNames = Object.keys(eventTypes) as EventType[]
export const streamNames: readonly StreamName[] = serviceNames.flatMap((service) =>
  eventTypeNames.map((event): StreamName => `${service}/${event}`),
)

export function isService(text: string): text is Service {
  return Object.hasOwn(services, text)
}

export function isEventType(text: string): text is EventType {
  return Object.hasOwn(eventTypes, text)
}

export function isStreamName(text: string): text is StreamName {
  return (streamNames as readonly string[]).includes(text)
}

export function partsOf(stream: StreamName): { readonly service: Service; readonly event: EventType } {
  const [service, event] = stream.split('/') as [Service, EventType]
  return { service, event }
}
