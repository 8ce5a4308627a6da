import { cardOf } from '../../functions/domain/operate/vendor-card.ts'
import type { Vendor } from '../../functions/domain/vendor.ts'
import { vendors } from '../../functions/vendors/index.ts'
import { formatTextTable } from '../../local/text-table.ts'
import type { Outcome } from '../outcome.ts'
import { refuseUnknownWord } from '../words.ts'

/** The cards of vendors. They need no deployment. */

const runsOn = 'AWS Lambda, or one machine'

/** Without a type: of every vendor. Throws `Mistake` for a type that no vendor has. */
export function vendorCards(type: string | undefined): Outcome {
  refuseUnknownWord('vendor', type, 'vendor', [...vendors.keys()])
  const chosen = [...vendors.values()].filter((vendor) => type === undefined || vendor.type === type)
  return {
    exit: 'done',
    result: { vendors: chosen.map((vendor) => ({ type: vendor.type, ...cardOf(vendor, runsOn), credentials: vendor.card })) },
    text: chosen.map(cardText).join('\n'),
  }
}

function cardText(vendor: Vendor): string {
  const { title, capabilities, collected, eventTypes } = cardOf(vendor, runsOn)
  const { regions, baseUrlSteps, apiKeySteps, links } = vendor.card
  const width = Math.max(...capabilities.map(([term]) => term.length))
  const contents = collected.map(({ contentType, label, locating }) => ({ 'content type': label, 'in an item': contentType, ...locating }))
  const numbered = (steps: readonly string[]) => steps.map((step, i) => `${i + 1}. ${step}`)
  return `${title}

${capabilities.map(([term, text]) => `${term.padEnd(width)}  ${text}`).join('\n')}

${formatTextTable(contents)}
Event types: ${eventTypes.map(({ name, label }) => `${label} (${name})`).join(', ')}.

Base URL
${numbered(baseUrlSteps).join('\n')}

${formatTextTable(regions.map(({ title: region, host }) => ({ region, 'base URL': `https://${host}` })))}
API key
${numbered(apiKeySteps).join('\n')}

The vendor's pages
${links.map(({ title: page, url }) => `${page}: ${url}`).join('\n')}
`
}
