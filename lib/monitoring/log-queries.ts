import { CfnQueryDefinition } from 'aws-cdk-lib/aws-logs'
import { Construct } from 'constructs'
import { workingFunctions } from '../functions/function-names.ts'
import type { ObservedPipeline } from './observed-pipeline.ts'

/** Stands for the id of a connector. Replace it before you run the query. */
export const connectorPlaceholder = 'CONNECTOR_ID'

const oneConnector = `filter connectorId = "${connectorPlaceholder}"`

/**
 * Queries of CloudWatch Logs Insights, by name. Every line is a JSON object, and each of its properties is a field. Lines that carry
 * metrics have the connector's id as a property.
 */
export const logQueries: Readonly<Record<string, string>> = {
  'one connector: everything': `fields time, level, event, stream, message
| ${oneConnector}
| filter ispresent(message)
| sort @timestamp desc
| limit 500`,

  'one connector: runs': `fields time, state, message, reason
| ${oneConnector} and event = "run-ended"
| sort @timestamp desc
| limit 200`,

  'one connector: pages': `fields time, stream, kind, from, to, page, fetched, delivered, filtered, alreadySeen, malformed, late, changed
| ${oneConnector} and event = "page-read"
| sort @timestamp desc
| limit 500`,

  'one connector: why it was late': `fields time, event, stream, state, reason, message
| ${oneConnector}
| filter (event = "run-ended" and state != "ok") or event in ["page-failed", "range-given-up", "range-set-aside", "key-rejected", "connector-failing", "range-lost"]
| sort @timestamp asc
| limit 500`,

  'one connector: events by hour': `${oneConnector} and event = "page-read"
| stats sum(fetched) as read, sum(delivered) as intoTheLake, sum(filtered) as dropped, sum(alreadySeen) as duplicates by bin(1h) as hour
| sort hour desc`,

  'all: failures': `fields time, connectorId, stream, event, code, traceId, message
| filter event in ["page-failed", "range-given-up", "range-set-aside", "key-rejected", "connector-failing"]
| sort @timestamp desc
| limit 500`,

  'all: failures by connector': `filter event in ["page-failed", "connector-failing", "key-rejected"]
| stats count(*) as failures, latest(message) as last, latest(traceId) as trace by connectorId, code
| sort failures desc
| limit 200`,

  'all: lost ranges': `fields time, connectorId, stream, from, to, message
| filter event = "range-lost"
| sort @timestamp desc
| limit 200`,

  'all: keys rejected': `fields time, connectorId, message
| filter event = "key-rejected"
| sort @timestamp desc
| limit 200`,

  'all: items refused': `fields time, connectorId, keepsAccepted, message
| filter event = "connector-refused"
| sort @timestamp desc
| limit 200`,

  'all: counts by connector': `filter ispresent(EventsDelivered) or ispresent(EventsFiltered) or ispresent(EventsDuplicate)
| stats sum(EventsDelivered) as delivered, sum(EventsFiltered) as filtered, sum(EventsDuplicate) as duplicates, sum(EventsMalformed) as malformed, sum(EventsLate) as late, sum(EventsChanged) as changed, sum(EventsRedacted) as redacted by connectorId
| sort delivered desc
| limit 1000`,

  'all: requests by connector': `filter ispresent(Requests)
| stats sum(Requests) as requests, sum(RequestsThrottled) as refused, sum(PagesRead) as pages, sum(TokenWait) / 1000 as secondsWaited by connectorId
| sort requests desc
| limit 1000`,

  'all: longest runs': `fields @timestamp, @requestId, @duration / 1000 as seconds, @maxMemoryUsed / 1000 / 1000 as megabytes, @log
| filter @type = "REPORT"
| sort @duration desc
| limit 100`,

  'all: function failures': `fields time, event, connectorId, message, error.name, error.message, @log
| filter event in ["function-failed", "claim-failed", "acceptance-failed", "operation-failed", "history-not-in-lake"] or @message like /Task timed out|Runtime\\.ExitError|Runtime\\.OutOfMemory/
| sort @timestamp desc
| limit 200`,
}

/** The saved queries, in a folder of CloudWatch Logs Insights with the name of the stack. They cost nothing until somebody runs them. */
export class LogQueries extends Construct {
  constructor(scope: Construct, id: string, { namePrefix, logGroups }: ObservedPipeline) {
    super(scope, id)
    const logGroupNames = workingFunctions.map((name) => logGroups[name].logGroupName)
    for (const [name, queryString] of Object.entries(logQueries)) {
      new CfnQueryDefinition(this, name.replaceAll(/\W+/g, '-'), { name: `${namePrefix}/${name}`, queryString, logGroupNames })
    }
  }
}
