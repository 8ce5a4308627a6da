import type { KeyAnswer, ShowAnswer, StreamAnswer } from '../../domain/operate/answers.ts'
import type { HistoryEntry } from '../../domain/operate/operation.ts'
import type { TestAnswer } from '../../domain/operate/test/test-answer.ts'
import { coverageShownMs } from '../../domain/status/coverage.ts'
import { keyAge, keyState, keyUsers } from '../../domain/status/key-texts.ts'
import { traitsOfShown } from '../../domain/status/shown-state.ts'
import { numberText, orDash, remark } from '../../domain/status/status-row.ts'
import { cutText } from '../../domain/text.ts'
import { durationText, type Instant, minuteText } from '../../domain/time.ts'
import { type Html, html, lines } from '../html.ts'
import { coverageBar, coverageLooks, coverageText } from './bars.ts'
import { button, type Frame } from './frame.ts'
import { testLine } from './test.ts'

/** Lost ranges of one stream that are listed, the latest (count). */
const lostShown = 5
/** An item as JSON is cut to this (characters). */
const itemShownMax = 20_000
const messageMax = 600

/** Everything about one connector: its state, the coverage of its streams, its keys, its history and its item. */
export function details(shown: ShowAnswer, history: readonly HistoryEntry[], tested: TestAnswer | undefined, frame: Frame): Html {
  const { row, streams, keys, accepted, item, asOf, lastFailure } = shown
  const { title, tone, remedy } = traitsOfShown(row.state)
  const words = remark(row)
  return html`<p class="tb-bar">${button(frame, { view: 'overview' }, 'All connectors')}${button(frame, { view: 'details', connectorId: row.connectorId }, 'Refresh')}${button(frame, { view: 'events', connectorId: row.connectorId }, 'View events')}${actions(shown, frame)}</p>
<h2>${row.connectorId}</h2>
<p><span class="tb-state tb-${tone}">${title}</span> since ${minuteText(row.since)} UTC. ${words === '' ? remedy : words}</p>
<p>As of ${minuteText(asOf)} UTC.</p>
${tested === undefined ? '' : html`<p>${testLine(tested)} ${button(frame, { view: 'test', connectorId: row.connectorId }, 'See the Test', 'link')}</p>`}
${accepted === undefined ? '' : general(shown, frame)}
${streams.length === 0 ? '' : coverage(streams, asOf)}
${keys.length === 0 ? '' : keyTable(keys, asOf)}
${filters(shown)}
${lastFailure === undefined ? '' : html`<h3>Last failure</h3><p>${minuteText(lastFailure.at)} UTC${lastFailure.stream === undefined ? '' : `, ${lastFailure.stream}`}: ${cutText(lastFailure.detail, messageMax)}${lastFailure.traceId === undefined ? '' : ` The vendor's trace id is ${lastFailure.traceId}.`}</p>`}
${historyTable(history)}
${item === undefined ? '' : html`<h3>Item</h3><pre>${itemText(item)}</pre>`}`
}

/** The changes that make sense for the connector now. */
function actions({ row, item, accepted }: ShowAnswer, frame: Frame): readonly Html[] {
  const { connectorId } = row
  if (item === undefined) return []
  const ask = (action: string, title: string) => button(frame, { view: 'review', action, connectorId }, title)
  const isOn = accepted?.enabled === true
  return [
    ask('test', 'Test'),
    button(frame, { view: 'edit', connectorId }, 'Edit'),
    ...(accepted === undefined ? [] : [isOn ? ask('pause', 'Pause') : ask('resume', 'Resume')]),
    ...(isOn ? [ask('collect', 'Collect now'), button(frame, { view: 'reread-form', connectorId }, 'Reread')] : []),
    ...(row.loss === undefined ? [] : [button(frame, { view: 'acknowledge-form', connectorId }, 'Acknowledge')]),
    ask('delete', 'Delete'),
  ]
}

function general({ accepted, row }: ShowAnswer, { runsOn }: Frame): Html {
  if (accepted === undefined) return html``
  const { name, tenantName, type, baseUrl, contentTypes, eventTypes, intervalMinutes, requestsPerMinute, note, managedBy } = accepted
  const parts: readonly (readonly [string, string])[] = [
    ['Name', name],
    ['Tenant', tenantName],
    ['Type', type],
    ['Base URL', baseUrl],
    ['Content types', contentTypes.join(', ')],
    ['Event types', eventTypes.join(', ')],
    ['Interval', `${intervalMinutes} min`],
    ['Limit of a key', `${requestsPerMinute} requests a minute`],
    ['Runs on', runsOn],
    ['Delivered', `${numberText(row.deliveredToday)} events today, ${numberText(row.deliveredWeek)} in 7 days`],
    ...(managedBy === undefined ? [] : [['Managed by', 'a file of connectors: its next apply writes over every other edit'] as const]),
    ...(note === undefined ? [] : [['Note', note] as const]),
  ]
  return html`<dl>${parts.map(([term, text]) => html`<dt>${term}</dt><dd>${text}</dd>`)}</dl>`
}

function coverage(streams: readonly StreamAnswer[], now: Instant): Html {
  const from = now - coverageShownMs
  const legend = Object.values(coverageLooks)
    .map(({ title, doc }) => `${title}: ${doc}`)
    .join('; ')
  return html`<h3>Coverage of the last 72 hours</h3><p>${legend}.</p>
<div class="tb-scroll" role="region" aria-label="Coverage of the last 72 hours" tabindex="0"><table><thead><tr><th scope="col">Stream</th><th scope="col">Coverage</th><th scope="col">Proven to (UTC)</th><th scope="col" class="tb-number">Last read</th><th scope="col" class="tb-number">Delivered</th><th scope="col">Remarks</th></tr></thead><tbody>
${streams.map((stream) => streamRow(stream, from, now))}</tbody></table></div>`
}

function streamRow(
  { stream, segments, provenTo, lastReadAt, counts, trouble, lostRanges, lostBefore }: StreamAnswer,
  from: Instant,
  now: Instant,
): Html {
  const lost = lostRanges
    .slice(-lostShown)
    .map(({ from: since, to, reason }) => `Lost ${minuteText(since)} to ${minuteText(to)} UTC (${reason}).`)
  const more = lostRanges.length - lost.length + lostBefore.count
  const remarks = [
    ...(trouble === undefined ? [] : [`${cutText(trouble.failure.detail, messageMax)} Next try at ${minuteText(trouble.until)} UTC.`]),
    ...lost,
    ...(more === 0 ? [] : [`${numberText(more)} lost ranges before.`]),
  ]
  return html`<tr><td class="tb-name">${stream}</td><td>${coverageBar(segments, from, now)}${coverageText(segments)}</td><td>${minuteText(provenTo)}</td>
<td class="tb-number">${orDash(lastReadAt, (at) => `${durationText(now - at)} ago`)}</td><td class="tb-number">${numberText(counts.delivered)}</td><td class="tb-remark">${remarks.join(' ')}</td></tr>
`
}

function keyTable(keys: readonly KeyAnswer[], now: Instant): Html {
  return html`<h3>API keys</h3><div class="tb-scroll" role="region" aria-label="API keys" tabindex="0"><table><thead><tr><th scope="col">Secret</th><th scope="col">Fingerprint</th><th scope="col" class="tb-number">Age</th><th scope="col">State</th><th scope="col">Also used by</th></tr></thead><tbody>
${keys.map((key) => html`<tr><td class="tb-name">${key.secret}</td><td>${key.fingerprint}</td><td class="tb-number">${keyAge(key, now)}</td><td class="tb-remark">${keyState(key, now)}</td><td class="tb-remark">${keyUsers(key)}</td></tr>`)}</tbody></table></div>`
}

/** The filters with the events that each dropped, or would drop in shadow. */
function filters({ accepted, streams }: ShowAnswer): Html | string {
  if (accepted === undefined || accepted.logFilters.length === 0) return ''
  const dropped = (name: string) => streams.reduce((sum, { counts }) => sum + (counts.byFilter[name] ?? 0), 0)
  return html`<h3>Log filters</h3><table><thead><tr><th scope="col">Filter</th><th scope="col">Action</th><th scope="col" class="tb-number">Events dropped</th></tr></thead><tbody>
${accepted.logFilters.map(({ name, action, shadow }) => html`<tr><td class="tb-name">${name}</td><td>${action}${shadow ? ' (shadow: it counts, and drops nothing)' : ''}</td><td class="tb-number">${numberText(dropped(name))}</td></tr>`)}</tbody></table>`
}

function historyTable(entries: readonly HistoryEntry[]): Html {
  if (entries.length === 0) return html`<h3>History</h3><p>Nobody has changed this connector here in the last 90 days.</p>`
  return html`<h3>History</h3><div class="tb-scroll" role="region" aria-label="History" tabindex="0"><table><thead><tr><th scope="col">Time (UTC)</th><th scope="col">Action</th><th scope="col">Outcome</th><th scope="col">Before</th><th scope="col">After</th><th scope="col">By</th></tr></thead><tbody>
${entries.map(({ at, action, outcome, message, before, after, says, awsRequestId }) => html`<tr><td>${minuteText(at)}</td><td>${action}</td><td class="tb-remark">${outcome}${message === undefined ? '' : `: ${cutText(message, messageMax)}`}</td><td class="tb-remark">${valuesText(before)}</td><td class="tb-remark">${valuesText(after)}</td><td>${says === undefined ? '' : `says ${says}; `}request ${awsRequestId}</td></tr>`)}</tbody></table></div>`
}

function valuesText(values: HistoryEntry['before']): string {
  return values === undefined ? '' : cutText(JSON.stringify(values), messageMax)
}

function itemText(item: Readonly<Record<string, unknown>>): Html {
  return lines(cutText(JSON.stringify(item, null, 2), itemShownMax))
}
