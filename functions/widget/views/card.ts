import { cardOf } from '../../domain/operate/vendor-card.ts'
import type { Vendor } from '../../domain/vendor.ts'
import { type Html, html } from '../html.ts'
import { button, type Frame } from './frame.ts'

/** The abilities of a vendor's connectors, where their events are, and how to get the credentials. */
export function vendorCard(vendor: Vendor, frame: Frame): Html {
  const { title, capabilities, collected, eventTypes } = cardOf(vendor, frame.runsOn)
  const { regions, baseUrlSteps, apiKeySteps, links } = vendor.card
  const steps = (texts: readonly string[]) => html`<ol>${texts.map((text) => html`<li>${text}</li>`)}</ol>`
  return html`<p class="tb-bar">${button(frame, { view: 'overview' }, 'All connectors')}</p><h2>${title}</h2>
<dl>${capabilities.map(([term, text]) => html`<dt>${term}</dt><dd>${text}</dd>`)}</dl>
<h3>Collected data</h3>
<div class="tb-scroll" role="region" aria-label="Collected data" tabindex="0"><table><thead><tr><th scope="col">Content type</th><th scope="col">In an item</th><th scope="col">Locating records</th></tr></thead><tbody>
${collected.map(
  ({ contentType, label, locating }) =>
    html`<tr><td>${label}</td><td>${contentType}</td><td>${Object.entries(locating)
      .map(([column, value]) => `${column}: ${value}`)
      .join('; ')}</td></tr>`,
)}</tbody></table></div>
<p>Event types: ${eventTypes.map(({ name, label }) => `${label} (${name})`).join(', ')}.</p>
<h3>Base URL</h3>${steps(baseUrlSteps)}<dl>${regions.map(({ title: region, host }) => html`<dt>${region}</dt><dd>https://${host}</dd>`)}</dl>
<h3>API key</h3>${steps(apiKeySteps)}
<h3>The vendor’s pages</h3><dl>${links.map(({ title: page, url }) => html`<dt>${page}</dt><dd>${url}</dd>`)}</dl>`
}
