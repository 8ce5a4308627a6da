import * as z from 'zod/mini'
import type { Problem } from '../domain/connector/problems.ts'
import { mustBe, mustBeOneOf, problemsOf, unknownName } from '../domain/connector/problems.ts'
import { failed, ok, type Result } from '../domain/result.ts'
import { type ShownState, shownStates } from '../domain/status/shown-state.ts'

/** The parameters of the widget: which connectors to show. */
export interface StatusQuestion {
  /** Only connectors in these states; empty: in any state. */
  readonly state: readonly ShownState[]
  /** Only connectors whose tenant name contains this text, in upper or lower case; empty: of any tenant. */
  readonly tenant: string
  /** Rows at most (count). */
  readonly limit: number
  /** The number of the first row; row 1 is the worst connector. */
  readonly from: number
}

export type Theme = 'light' | 'dark'

const limitDefault = 100
const limitMax = 500

/** The maximum length of a tenant's name (characters). */
const tenantMax = 128
const tenantError = mustBe(`a part of a tenant's name, ${tenantMax} characters at most`)

function whole(max?: number) {
  const error = mustBe(`a whole number${max === undefined ? ', 1 or more' : ` from 1 to ${max}`}`)
  return z.int({ error }).check(z.minimum(1, { error }), z.maximum(max ?? Number.MAX_SAFE_INTEGER, { error }))
}

const question = {
  state: z._default(
    z.pipe(
      z.transform((given) => (typeof given === 'string' ? [given] : given)),
      z.array(z.enum(shownStates, { error: mustBeOneOf(shownStates) }), { error: mustBe('a state, or a list of states') }),
    ),
    [],
  ),
  tenant: z._default(z.string({ error: tenantError }).check(z.maxLength(tenantMax, { error: tenantError })), ''),
  limit: z._default(whole(limitMax), limitDefault),
  from: z._default(whole(), 1),
}

const widgetContext = z.object({
  theme: z.catch(z.enum(['light', 'dark']), 'light'),
  params: z.catch(z.record(z.string(), z.unknown()), {}),
})

/** The parts of a custom widget's event that are used. CloudWatch may send others. */
const noContext = { theme: 'light' as const, params: {} }
const widgetEvent = z.looseObject({ describe: z.optional(z.unknown()), widgetContext: z.catch(widgetContext, noContext) })

export interface WidgetRequest {
  readonly theme: Theme
  /** The parameters, or the problems with them; `describe`: a request for the widget's documentation. */
  readonly asked: 'describe' | Result<StatusQuestion, readonly Problem[]>
}

/**
 * Parses the untrusted event of a CloudWatch custom widget. A button's values override the parameters of the widget.
 * https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/add_custom_widget_dashboard_about.html
 */
export function parseWidgetEvent(given: unknown): WidgetRequest {
  const event = z.catch(widgetEvent, { widgetContext: noContext }).parse(given)
  const { theme, params } = event.widgetContext
  if (event.describe === true) return { theme, asked: 'describe' }
  const parsed = z.object(question).safeParse({ ...params, ...event })
  const names = Object.keys(question)
  const problems = [
    ...(parsed.success ? [] : problemsOf(parsed.error)),
    ...Object.keys(params)
      .filter((name) => !names.includes(name))
      .map((name) => ({ path: 'params', message: unknownName(name, 'this widget', names) })),
  ]
  return { theme, asked: parsed.success && problems.length === 0 ? ok(parsed.data) : failed(problems) }
}

/** CloudWatch's console fills the first YAML block into a new widget. */
export const widgetDocumentation = `# Status of the connectors

A table of all connectors, the worst first: state, lag, time to the vendor's retention limit, delivered events, and what to do. The widget only reads.

All parameters are optional.

\`\`\`yaml
state: []
tenant: ""
limit: ${limitDefault}
\`\`\`

| parameter | default | |
| --- | --- | --- |
| \`state\` | any | A state, or a list of states: ${shownStates.map((state) => `\`${state}\``).join(', ')}. |
| \`tenant\` | any | Only connectors whose tenant name contains this text, in upper or lower case. |
| \`limit\` | ${limitDefault} | Rows at most: 1 to ${limitMax}. |
| \`from\` | 1 | The number of the first row. The buttons "Previous" and "Next" set it. |
`
