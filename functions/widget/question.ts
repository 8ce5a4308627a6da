import * as z from 'zod'
import type { Problem } from '../domain/connector/problems.ts'
import { mustBe, mustBeOneOf, problemsOf, unknownName } from '../domain/connector/problems.ts'
import { failed, ok, type Result } from '../domain/result.ts'
import { type ConnectorState, connectorStates } from '../domain/status/connector-state.ts'

/** What is asked of the table of all connectors. */
export interface StatusQuestion {
  /** Connectors in these states; empty: in any. */
  readonly state: readonly ConnectorState[]
  /** Connectors whose tenant's name holds this text, in whatever case; empty: of any. */
  readonly tenant: string
  /** Rows at most (count). */
  readonly limit: number
  /** The row to begin with; 1 is the worst. */
  readonly from: number
}

export type Theme = 'light' | 'dark'

const limitDefault = 100
const limitMax = 500

/** A tenant's name is no longer (characters). */
const tenantMax = 128
const tenantError = mustBe(`a part of a tenant's name, ${tenantMax} characters at most`)

function whole(most?: number) {
  const error = mustBe(`a whole number${most === undefined ? ', 1 or more' : ` from 1 to ${most}`}`)
  return z
    .int({ error })
    .min(1, { error })
    .max(most ?? Number.MAX_SAFE_INTEGER, { error })
}

const question = {
  state: z
    .preprocess(
      (given) => (typeof given === 'string' ? [given] : given),
      z.array(z.enum(connectorStates, { error: mustBeOneOf(connectorStates) }), { error: mustBe('a state, or a list of states') }),
    )
    .default([]),
  tenant: z.string({ error: tenantError }).max(tenantMax, { error: tenantError }).default(''),
  limit: whole(limitMax).default(limitDefault),
  from: whole().default(1),
}

const widgetContext = z.object({
  theme: z.enum(['light', 'dark']).catch('light'),
  params: z.record(z.string(), z.unknown()).catch({}),
})

/** The parts of a custom widget's event that count. Beside them CloudWatch may send what it likes. */
const widgetEvent = z.looseObject({ describe: z.unknown().optional(), widgetContext: widgetContext.catch({ theme: 'light', params: {} }) })

export interface WidgetRequest {
  readonly theme: Theme
  /** What is asked, or what is wrong with it; `describe`: how to ask. */
  readonly asked: 'describe' | Result<StatusQuestion, readonly Problem[]>
}

/**
 * Parses the event of a CloudWatch custom widget, which is untrusted. A button's own values count before the parameters of the widget.
 * https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/add_custom_widget_dashboard_about.html
 */
export function parseWidgetEvent(given: unknown): WidgetRequest {
  const event = widgetEvent.catch({ widgetContext: { theme: 'light', params: {} } }).parse(given)
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

/** The first YAML block is what the console fills into a new widget. */
export const widgetDocumentation = `# Status of the connectors

A table of all connectors, the worst first: state, lag, time to the vendor's horizon, what was delivered, and what to do. It only reads.

Every parameter may be left out.

\`\`\`yaml
state: []
tenant: ""
limit: ${limitDefault}
\`\`\`

| parameter | without it | |
| --- | --- | --- |
| \`state\` | any | A state, or a list of states: ${connectorStates.map((state) => `\`${state}\``).join(', ')}. |
| \`tenant\` | any | Only connectors whose tenant's name holds this text, in whatever case. |
| \`limit\` | ${limitDefault} | Rows at most: 1 to ${limitMax}. |
| \`from\` | 1 | The row to begin with. The buttons "previous" and "next" set it. |
`
