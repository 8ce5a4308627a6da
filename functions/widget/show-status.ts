import { tenantOfId } from '../domain/connector/tenant.ts'
import { callerOf, everyTenant } from '../domain/operate/caller.ts'
import type { Clock, Log, StatusStore } from '../domain/ports.ts'
import { NewerSchema, StateUnavailable } from '../domain/state-errors.ts'
import { type StatusRow, statusRow } from '../domain/status/status-row.ts'
import { messagePage, statusPage } from './page.ts'
import { parseWidgetEvent, widgetDocumentation } from './question.ts'

export interface ShowPorts {
  readonly state: Pick<StatusStore, 'fleet'>
  readonly clock: Clock
  readonly log: Log
}

/**
 * Returns the widget's content: its documentation in Markdown if CloudWatch asks for that, else HTML. `functionArn`: the alias that was
 * called, which decides whose connectors are shown. A failure is shown, never thrown.
 */
export async function showStatus({ state, clock, log }: ShowPorts, event: unknown, functionArn: string): Promise<string> {
  const { theme, asked } = parseWidgetEvent(event)
  if (asked === 'describe') return widgetDocumentation
  const caller = callerOf(functionArn, '')
  if (!caller.ok) return messagePage(theme, 'The widget shows nothing, because its ARN names no alias.', [caller.failure.message])
  const { tenant } = caller.value
  const isShown = (connectorId: string) => tenant === everyTenant || tenantOfId(connectorId) === tenant
  if (!asked.ok) {
    const problems = asked.failure.map(({ path, message }) => `${path}: ${message}`)
    return messagePage(theme, "The widget's parameters are wrong. Correct them: choose Edit in the widget's menu.", problems)
  }
  const now = clock.now()
  try {
    const rows: StatusRow[] = []
    for await (const { connectorId, status } of state.fleet()) if (isShown(connectorId)) rows.push(statusRow(connectorId, status, now))
    return statusPage(rows, asked.value, { theme, functionArn }, now)
  } catch (error) {
    log({ level: 'error', event: 'function-failed', message: 'the status of the connectors was not shown', error })
    return messagePage(theme, 'The connectors cannot be shown. Collecting continues: it does not depend on this widget.', [
      explanation(error),
    ])
  }
}

function explanation(error: unknown): string {
  if (error instanceof StateUnavailable || error instanceof NewerSchema) return error.message
  return 'This is a fault of the widget. The line function-failed in the log of its function names the cause.'
}
