import type { Refusal } from '../../domain/operate/operation.ts'
import { type Html, html } from '../html.ts'
import { button, type Frame } from './frame.ts'

/** A view that cannot be shown, or a change that cannot be made, and why. */
export function refused({ message, problems = [] }: Refusal, frame: Frame): Html {
  return html`<p class="tb-bar">${button(frame, { view: 'overview' }, 'All connectors')}</p><h2>Not possible</h2><p>${message}</p>
${problems.map(({ path, message: problem }) => html`<p>${path}: ${problem}</p>`)}`
}
