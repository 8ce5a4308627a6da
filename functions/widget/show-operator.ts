import * as z from 'zod/mini'
import { mustBeOneOf } from '../domain/connector/problems.ts'
import { callerOf, everyTenant } from '../domain/operate/caller.ts'
import { queryEditorAddress } from '../domain/operate/console-address.ts'
import type { Caller, Refusal } from '../domain/operate/operation.ts'
import type { Log } from '../domain/ports.ts'
import type { Result } from '../domain/result.ts'
import { fitting } from './fitting.ts'
import type { PageKeys } from './form/form-views.ts'
import { html } from './html.ts'
import { messagePage } from './page.ts'
import { pageOperator } from './page-operator.ts'
import type { Theme } from './question.ts'
import { showView, type ViewPorts } from './show-view.ts'
import { valuesOf } from './views/frame.ts'

export interface OperatorPorts extends Pick<ViewPorts, 'clock' | 'vendors'> {
  /** Answers a call of a page for this caller. No call makes a change without a ticket. */
  readonly answer: (call: Readonly<Record<string, unknown>>, caller: Caller) => Promise<Result<object, Refusal>>
  /** The names of the secrets of a tenant; the whole name begins with the prefix. */
  readonly keys: Pick<PageKeys, 'prefix' | 'names'>
  readonly log: Log
}

/** CloudWatch takes an answer of some hundred KB. This is the most that a page has as JSON (bytes). */
const pageBytesMax = 180_000

interface Invocation {
  readonly invokedFunctionArn: string
  readonly awsRequestId: string
}

/** The views that the parameters of a dashboard may choose. None of them makes a ticket. */
const firstViews = ['overview', 'details', 'events', 'vendor'] as const

const noContext = { theme: 'light' as const, forms: { all: {} }, params: {} }

/** The part of CloudWatch's context that is used. https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/add_custom_widget_dashboard_about.html */
const contextSchema = z.catch(
  z.object({
    theme: z.catch(z.enum(['light', 'dark']), noContext.theme),
    forms: z.catch(z.object({ all: z.record(z.string(), z.unknown()) }), noContext.forms),
    params: z.catch(z.record(z.string(), z.unknown()), noContext.params),
  }),
  noContext,
)

/** The call of a CloudWatch custom widget. Its members are untrusted. */
export interface WidgetCall {
  readonly describe?: unknown
  readonly widgetContext?: unknown
}

/** Whether CloudWatch made this call for a widget. It adds `widgetContext` to all of them, and asks for a description without it. */
export function isWidgetCall(event: unknown): event is WidgetCall {
  return typeof event === 'object' && event !== null && ('widgetContext' in event || 'describe' in event)
}

/**
 * Returns the content of the widget that operates connectors: its documentation in Markdown if CloudWatch asks for that, else HTML.
 * The ARN names the alias that was called, which decides whose connectors are shown. A failure is shown, never thrown.
 */
export async function showOperator(
  ports: OperatorPorts,
  event: WidgetCall,
  { invokedFunctionArn: functionArn, awsRequestId }: Invocation,
): Promise<string> {
  if ('describe' in event) return operatorDocumentation
  const { widgetContext, ...call } = event
  const { theme, forms, params } = contextSchema.parse(widgetContext)
  const caller = callerOf(functionArn, awsRequestId)
  if (!caller.ok) return messagePage(theme, 'The widget shows nothing, because its ARN names no alias.', [caller.failure.message])
  const wrong = wrongView(params)
  if (wrong !== undefined)
    return messagePage(theme, "The widget's parameters are wrong. Correct them: choose Edit in the widget's menu.", [wrong])
  try {
    return await page(ports, valuesOf({ view: 'overview', ...call }, forms.all), { theme, functionArn }, caller.value)
  } catch (error) {
    ports.log({ level: 'error', event: 'function-failed', message: 'a view of the dashboard was not shown', error })
    return messagePage(theme, 'The view cannot be shown. If it was to change a connector, look at its history before you try again.', [
      'This is a fault of the widget. The line function-failed in the log of its function names the cause.',
    ])
  }
}

async function page(
  { answer, keys, ...ports }: OperatorPorts,
  call: Readonly<Record<string, unknown>>,
  { theme, functionArn }: { readonly theme: Theme; readonly functionArn: string },
  caller: Caller,
): Promise<string> {
  const operator = pageOperator((request) => answer(request, caller))
  const region = functionArn.split(':')[3] ?? ''
  const isOwn = (tenant: string) => caller.tenant === everyTenant || caller.tenant === tenant
  const ownKeys = { prefix: keys.prefix, names: async (tenant: string) => (isOwn(tenant) ? keys.names(tenant) : []) }
  const shown = await showView({ ...ports, ...operator, keys: ownKeys }, call, {
    theme,
    endpoint: functionArn,
    runsOn: `AWS Lambda, ${region}`,
    queryEditor: queryEditorAddress(region),
  })
  return fitting(shown, tooLong.text, pageBytesMax)
}

const tooLong = html`<p><b>The rest does not fit into a widget.</b> npx --no tributary show has all of it, and npx --no tributary edit changes it.</p>`

/**
 * The problem with the parameters of a dashboard. Its editor chose them, not the person who looks at it, so they may choose no view that a
 * button of a page leads to. As long as they do, nothing else is shown either.
 */
function wrongView({ view }: Readonly<Record<string, unknown>>): string | undefined {
  if (view === undefined || firstViews.some((name) => name === view)) return undefined
  return `view: ${mustBeOneOf(firstViews)({ input: view })}`
}

/** CloudWatch's console fills the first YAML block into a new widget. */
export const operatorDocumentation = `# Operate the connectors

The connectors that the alias in the widget's ARN names: all of them (\`all\`), or those of one tenant. Look at them, create, edit and test them, pause, resume, reread and delete them. Each change is shown before it is made. The first view changes nothing, whatever the parameters are.

All parameters are optional.

\`\`\`yaml
view: overview
find: ""
state: ""
\`\`\`

| parameter | |
| --- | --- |
| \`view\` | The first view: ${firstViews.map((view) => `\`${view}\``).join(', ')}. |
| \`find\`, \`state\` | Of \`overview\`: a part of an id, a name or a tenant; a state such as \`failing\`. |
| \`connectorId\` | Of \`details\`: the connector. Of \`events\`: its events only. |
| \`tenant\`, \`service\`, \`eventType\`, \`text\` | Of \`events\`. |
| \`type\` | Of \`vendor\`: the type of its connectors. |

Switch off the updates on refresh, on resize and on a change of the time range: each of them would empty a form.
`
