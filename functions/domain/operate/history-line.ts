import { tenantOfId } from '../connector/tenant.ts'
import type { Digest } from '../digest.ts'
import type { FieldTable } from '../record/fields.ts'
import { wholeCharacters } from '../text.ts'
import type { HistoryEntry } from './operation.ts'

/**
 * The history in the lake: a line for each change that was tried, among the records. Such a line has no `id`, and every view of events
 * passes over a line without one, also those of earlier releases. So no operation is ever counted as an event.
 */

/** The column that the lines of the history add to the table. The columns `tenant` and `connector_id` are those of the records. */
export const operationFields = {
  operation: {
    type: 'struct',
    doc: 'Set in a line of the history, which is no record: a change that a person made or tried.',
    fields: {
      id: { type: 'string', required: true, doc: 'Identity of the line.' },
      at: { type: 'bigint', required: true, doc: 'When the change was made (epoch ms).' },
      action: { type: 'string', required: true, doc: 'The operation, such as pause.' },
      outcome: { type: 'string', required: true, doc: 'done, or why it was not carried out.' },
      message: { type: 'string', doc: 'Why it was not carried out, for people.' },
      request_id: { type: 'string', required: true, doc: 'The id that the caller gave to the request.' },
      aws_request_id: { type: 'string', required: true, doc: 'Id of the call: CloudTrail names the person by it.' },
      caller: { type: 'string', required: true, doc: 'The alias that was called: a tenant, or all.' },
      says: { type: 'string', doc: 'Who the person says to be. Nobody has checked it.' },
      before: { type: 'string', doc: 'The values before the change (JSON).' },
      after: { type: 'string', doc: 'The values after it (JSON).' },
    },
  },
} as const satisfies FieldTable

/** The most of `before` and of `after` (UTF-16 units). With all escapes the line stays below what Firehose takes, 1,000 KiB. */
const valuesMax = 50_000

/** An entry of the history as one NDJSON line, with its newline. */
export function historyLine(entry: HistoryEntry, digest: Digest): string {
  const { connectorId, at, action, outcome, message, requestId, awsRequestId, tenantOfCaller: caller, says } = entry
  const tenant = tenantOfId(connectorId)
  const line = {
    tenant,
    connector_id: connectorId,
    operation: {
      id: digest(JSON.stringify([caller, requestId, connectorId, action, at])),
      at,
      action,
      outcome,
      message,
      request_id: requestId,
      aws_request_id: awsRequestId,
      caller,
      says,
      before: values(entry.before),
      after: values(entry.after),
    },
  }
  return `${JSON.stringify(wellFormed(line))}\n`
}

function values(given: HistoryEntry['before']): string | undefined {
  if (given === undefined) return undefined
  const text = JSON.stringify(given)
  return text.length <= valuesMax ? text : `${wholeCharacters(text, valuesMax)}…`
}

/** Many readers of the lake reject a lone surrogate. */
function wellFormed(value: unknown): unknown {
  if (typeof value === 'string') return value.toWellFormed()
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, wellFormed(inner)]))
}
