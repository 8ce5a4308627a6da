import type { TestAnswer } from '../../domain/operate/test/test-answer.ts'
import { durationText, minuteText } from '../../domain/time.ts'
import { type Html, html } from '../html.ts'
import { button, type Call, type Frame } from './frame.ts'

/** The Test of a connector: how far it is, and what each step found. It stays until somebody dismisses it. */

type Step = TestAnswer['steps'][number]
type Fault = Step['faults'][number]

const looks: Readonly<Record<Step['state'], { readonly tone: string; readonly title: string }>> = {
  waiting: { tone: 'quiet', title: 'waiting' },
  running: { tone: 'warn', title: 'running' },
  passed: { tone: 'good', title: 'passed' },
  failed: { tone: 'bad', title: 'failed' },
  'left-out': { tone: 'quiet', title: 'left out' },
}

/** `said`: the outcome of the change before it; its place stays, so that the next look finds the rest where it was. `back`: the form that it was begun from. */
export function test(answer: TestAnswer, said: string | undefined, back: Call | undefined, frame: Frame): Html {
  const { connectorId, state, progress, summary, steps, statusList, says, begunAt, isUnsaved } = answer
  const call: Call = { view: 'test', connectorId, ...(back === undefined ? {} : { back }) }
  const by = says === undefined ? '' : ` by ${says} (so they say)`
  return html`<p class="tb-bar">${button(frame, { view: 'overview' }, 'All connectors')}${back === undefined ? button(frame, { view: 'details', connectorId }, connectorId) : button(frame, back, 'Back to the form')}${
    state === 'running'
      ? refresh(frame, call)
      : html`${isUnsaved ? '' : button(frame, { view: 'review', action: 'test', connectorId }, 'Test again')}${button(frame, { view: 'review', action: 'dismiss', connectorId }, 'Dismiss')}`
  }</p>
<h2>Test of ${connectorId}</h2>
<p>${said ?? ''}</p>
<p role="status"><b>${state === 'running' ? `Step ${progress}.` : summary}</b> Begun ${minuteText(begunAt)} UTC${by}${isUnsaved ? ', of values that are not saved' : ''}.</p>
<ol class="tb-steps">${steps.map((step) => stepOf(step, answer, back, frame))}</ol>
<p class="tb-doc">All HTTP status codes: <a href="${statusList}" target="_blank" rel="noreferrer">${statusList}</a></p>`
}

/** Pressed by a person on a dashboard, and every two seconds by the script of the local page. */
function refresh(frame: Frame, call: Call): Html {
  return html`<span data-refresh="2000">${button(frame, call, 'Refresh')}</span>`
}

function stepOf({ title, state, words, faults }: Step, answer: TestAnswer, back: Call | undefined, frame: Frame): Html {
  const { tone, title: name } = looks[state]
  return html`<li><span class="tb-state tb-${tone}">${name}</span> ${title}${words === '' ? '' : html`<p>${words}</p>`}${faults.map((fault) => faultOf(fault, answer, back, frame))}</li>`
}

function faultOf(
  { tried, seen, status, name, explanation, recommendation, traceId, againAt, field }: Fault,
  answer: TestAnswer,
  back: Call | undefined,
  frame: Frame,
): Html {
  const { connectorId } = answer
  const rows: readonly (readonly [string, string])[] = [
    ['Error', `${status === undefined ? '' : `${status} `}${name}`],
    ['Explanation', explanation],
    ['Recommendation', recommendation],
    ['Tried', tried],
    ['Seen', seen],
    ...(traceId === undefined ? [] : [['Trace id', traceId] as const]),
    ...(againAt === undefined ? [] : [['Tried again', `${minuteText(againAt)} UTC`] as const]),
  ]
  const mend: Call = back === undefined ? { view: 'edit', connectorId } : { ...back, left: 'review' }
  return html`<dl class="tb-fault">${rows.map(([term, text]) => html`<dt>${term}</dt><dd>${text}</dd>`)}</dl>
${field === undefined ? '' : button(frame, { ...mend, field, ...(back === undefined ? {} : { step: 'configuration' }) }, `Edit ${field}`)}`
}

/** The last Test in a sentence, for the details of a connector. */
export function testLine({ state, progress, steps, endedAt, asOf }: TestAnswer): string {
  const ago = endedAt === undefined ? '' : ` ${durationText(asOf - endedAt)} ago`
  switch (state) {
    case 'running':
      return `A Test runs: ${progress}.`
    case 'passed':
      return `The last Test passed${ago}.`
    case 'failed': {
      const first = steps.find((step) => step.state === 'failed')
      return `The last Test failed${first === undefined ? '' : ` at step ${first.number},`}${ago}.`
    }
    case 'broken-off':
      return `The last Test broke off at ${progress}.`
  }
}
