import type { Tone } from '../../domain/status/shown-state.ts'
import { type Html, html, json } from '../html.ts'
import type { Theme } from '../question.ts'

/**
 * The frame of every view. A view is HTML without a script: CloudWatch shows it as a custom widget, and the local page as it is. A button
 * is followed by a `cwdb-action`, which calls the function again with its JSON.
 * https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/add_custom_widget_dashboard_interactivity.html
 */
export interface Frame {
  readonly theme: Theme
  /** The function that the buttons call. */
  readonly endpoint: string
  /** The place where the connectors run, as people read it. */
  readonly runsOn: string
  /** The address of an editor for queries of the lake, where the lake itself is not at hand. */
  readonly queryEditor?: string
  /** For somebody who tries a connector of their own, where there is something to try it with. */
  readonly hint?: string
}

/** The parameters of a call: the view to show, and its own values. */
export type Call = { readonly view: string } & Readonly<Record<string, unknown>>

/** A button that shows another view in place of this one. */
export function button({ endpoint }: Frame, call: Call, title: string, tone: 'plain' | 'link' = 'plain'): Html {
  return html`<button type="button" class="${tone === 'link' ? 'tb-link' : 'btn'}">${title}</button><cwdb-action action="call" display="widget" endpoint="${endpoint}">${json(call)}</cwdb-action>`
}

/** A button that sends the form which it stands in. Its values travel with every call, and only those of this one are read. */
export function submit(frame: Frame, call: Call, title: string): Html {
  return button(frame, { ...call, form: true }, title)
}

/** The values of a call that was pressed: those of the form stand in place of the call's own. */
export function valuesOf(
  call: Readonly<Record<string, unknown>>,
  forms: Readonly<Record<string, unknown>>,
): Readonly<Record<string, unknown>> {
  return call['form'] === true ? { ...call, ...forms } : call
}

const colours: Readonly<Record<Theme, Readonly<Record<'text' | 'line' | 'raised' | 'accent' | Tone, string>>>> = {
  light: {
    text: '#16191f',
    line: '#d5dbdb',
    raised: '#f4f6f8',
    accent: '#0b5cad',
    bad: '#b3122a',
    warn: '#7a5600',
    good: '#1a6e35',
    quiet: '#5a6675',
  },
  dark: {
    text: '#d9dfe6',
    line: '#414d5c',
    raised: '#1d2733',
    accent: '#7fb8f5',
    bad: '#ff8a8a',
    warn: '#f0b429',
    good: '#5fd07f',
    quiet: '#9fb0c3',
  },
}

/** The body in the colours of the theme. */
export function framed({ theme }: Pick<Frame, 'theme'>, body: Html): string {
  const { text, line, raised, accent, bad, warn, good, quiet } = colours[theme]
  return html`<style>
.tb { color: ${text}; font-size: 14px; line-height: 1.45 }
.tb h2 { font-size: 18px; margin: 0 0 8px; color: ${text} }
.tb h3 { font-size: 14px; margin: 18px 0 6px; color: ${text} }
.tb p { margin: 0 0 8px }
.tb p:empty { margin: 0 }
.tb-bar { display: flex; flex-wrap: wrap; gap: 6px; align-items: center; margin: 0 0 8px }
.tb .btn { color: ${text}; background: ${raised}; border: 1px solid ${line}; border-radius: 4px; padding: 3px 10px; cursor: pointer; font: inherit; font-size: 13px }
.tb .tb-link { color: ${accent}; background: none; border: 0; padding: 0; cursor: pointer; font: inherit; text-align: left; text-decoration: underline }
.tb .btn:focus-visible, .tb .tb-link:focus-visible, .tb input:focus-visible { outline: 2px solid ${accent}; outline-offset: 1px }
.tb input, .tb select { color: ${text}; background: ${raised}; border: 1px solid ${line}; border-radius: 4px; padding: 3px 6px; font: inherit; font-size: 13px }
.tb textarea { color: ${text}; background: ${raised}; border: 1px solid ${line}; border-radius: 4px; padding: 3px 6px; font: inherit; font-size: 13px; max-width: 100% }
.tb input, .tb select { max-width: 100% }
.tb textarea:focus-visible, .tb select:focus-visible, .tb summary:focus-visible { outline: 2px solid ${accent}; outline-offset: 1px }
.tb a { color: ${accent} }
.tb-field { display: grid; grid-template-columns: minmax(120px, 220px) 1fr; gap: 4px 18px; margin: 0 0 10px; padding: 0 0 6px; border: 0; border-bottom: 1px solid ${line}; min-width: 0 }
.tb-field legend { float: left; padding: 0 }
.tb .tb-marked { border-left: 3px solid ${accent}; padding-left: 8px }
.tb-field > div { min-width: 0; overflow-wrap: anywhere }
.tb-box { display: inline-block; margin: 0 14px 4px 0 }
.tb .tb-doc { color: ${quiet}; font-size: 12px; margin: 2px 0; display: block }
.tb-steps li { margin: 0 0 8px }
.tb .tb-fault { margin: 4px 0 6px; padding: 6px 10px; border-left: 3px solid ${bad}; background: ${raised} }
.tb-scroll { overflow-x: auto }
.tb table { border-collapse: collapse; width: 100%; margin: 0 0 8px; background: none; font-size: 13px }
.tb th, .tb td { border: 0; border-bottom: 1px solid ${line}; background: none; color: ${text}; padding: 5px 14px 5px 0; text-align: left; vertical-align: top }
.tb th { font-weight: 600; color: ${quiet}; white-space: nowrap }
.tb .tb-number { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap }
.tb .tb-time { white-space: nowrap }
.tb .tb-name { overflow-wrap: anywhere; min-width: 110px }
.tb .tb-remark { overflow-wrap: anywhere; min-width: 240px }
.tb .tb-state::before { content: '● ' }
.tb .tb-state { white-space: nowrap; font-weight: 600 }
.tb .tb-bad { color: ${bad} } .tb .tb-warn { color: ${warn} } .tb .tb-good { color: ${good} } .tb .tb-quiet { color: ${quiet} }
.tb svg { display: block }
.tb .tb-track { stroke: ${line} }
.tb .tb-fill-bad { fill: ${bad} } .tb .tb-fill-warn { fill: ${warn} } .tb .tb-fill-good { fill: ${good} } .tb .tb-fill-quiet { fill: ${line} }
.tb pre { background: ${raised}; border: 1px solid ${line}; border-radius: 4px; padding: 8px; overflow-x: auto; white-space: pre-wrap; overflow-wrap: anywhere; font-size: 12px }
.tb dl { display: grid; grid-template-columns: max-content 1fr; gap: 4px 18px; margin: 0 0 8px }
@media (max-width: 600px) { .tb-field, .tb dl { grid-template-columns: 1fr } }
.tb dt { color: ${quiet} } .tb dd { margin: 0; overflow-wrap: anywhere }
</style><div class="tb">${body}</div>`.text
}
