import { hour } from '../time.ts'
import type { Vendor } from '../vendor.ts'

/** The card of a vendor as titles and texts: the page, the docs and the command only format it. */

export interface Card {
  readonly title: string
  readonly capabilities: readonly (readonly [title: string, text: string])[]
  readonly collected: readonly {
    readonly contentType: string
    readonly label: string
    readonly locating: Readonly<Record<string, string>>
  }[]
  readonly eventTypes: readonly { readonly name: string; readonly label: string }[]
}

/** The lake's table of all events. */
const lakeTable = 'syslog'

export function cardOf({ title, category, labels, card, type, retentionMs, offer, locate }: Vendor, runsOn: string): Card {
  const hours = Math.round(retentionMs / hour)
  return {
    title,
    capabilities: [
      ['Category', category],
      ['Type', type],
      ['Collect', 'yes'],
      ['Respond', 'no'],
      ['Native alerts mapped', 'no'],
      ['Runs on', runsOn],
      ['Interval', '5 minutes, or 1 to 60'],
      ['Credentials', 'base URL and API key'],
      ['Requests', `${card.requestsPerMinute} a minute for each API key`],
      ['API key', `valid for ${card.keyLifeDays} days, at most ${card.keysMax} for one customer`],
      ['Events kept by the vendor', `${hours} hours`],
      ['Response actions', 'none'],
      ['Third-party native alerts', 'none'],
    ],
    collected: offer.contentTypes.map((contentType) => ({
      contentType,
      label: labels[contentType] ?? contentType,
      locating: { table: lakeTable, ...locate(contentType), domain: '<base URL>' },
    })),
    eventTypes: offer.eventTypes.map((name) => ({ name, label: labels[name] ?? name })),
  }
}
