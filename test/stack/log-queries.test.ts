import { globSync, readFileSync } from 'node:fs'
import { Template } from 'aws-cdk-lib/assertions'
import { describe, expect, it } from 'vitest'
import { eventMetrics } from '../../functions/domain/metrics.ts'
import { connectorPlaceholder, LogQueries, logQueries } from '../../lib/monitoring/log-queries.ts'
import { observedStack } from './observed-pipeline.ts'

const root = new URL('../..', import.meta.url).pathname
const written = globSync('functions/**/*.ts', { cwd: root })
  .map((file) => readFileSync(`${root}${file}`, 'utf8'))
  .join('\n')

const { stack, pipeline } = observedStack()
new LogQueries(stack, 'LogQueries', pipeline)
const template = Template.fromStack(stack)
const queries = Object.entries(logQueries)

/** Fewer means that the expression found no events. */
const eventsFoundMin = 10

/** The fields that a query reads: its names without keywords, texts, and names that the query itself makes. */
function fieldsOf(query: string): readonly string[] {
  const words = /^(fields|filter|sort|limit|stats|by|as|and|or|in|like|asc|desc|sum|count|latest|bin|ispresent|\d+h?)$/
  const made = [...query.matchAll(/ as (\w+)/g)].map(([, name]) => name)
  const bare = query.replaceAll(/"[^"]*"|\/[^/\n]+\|[^/\n]+\/| as \w+/g, ' ')
  return [...bare.matchAll(/@?\b[\w.]+/g)].map(([name]) => name).filter((name) => !words.test(name) && !made.includes(name))
}

describe('the saved queries', () => {
  it('the saved queries are in one folder and read the logs of the functions that do work', () => {
    const saved = Object.values(template.findResources('AWS::Logs::QueryDefinition')).map(({ Properties }) => Properties)
    expect(saved.map(({ Name }) => Name).sort()).toEqual(queries.map(([name]) => `tributary/${name}`).sort())
    for (const { LogGroupNames } of saved)
      expect(LogGroupNames).toEqual([
        '/aws/lambda/tributary-collect',
        '/aws/lambda/tributary-connector-changed',
        '/aws/lambda/tributary-dispatch',
        '/aws/lambda/tributary-operate',
      ])
  })

  it('only the queries about one connector ask for its id', () => {
    for (const [name, query] of queries)
      expect([name, query.includes(connectorPlaceholder)]).toEqual([name, name.startsWith('one connector')])
  })

  it('the saved queries look for log events that the functions write', () => {
    const asked = queries.flatMap(([, query]) =>
      [...query.matchAll(/event (?:= |in \[)((?:"[a-z-]+"(?:, )?)+)/g)].flatMap(([, list]) => list?.match(/[a-z-]+/g) ?? []),
    )
    expect(asked.length).toBeGreaterThan(eventsFoundMin)
    expect([...new Set(asked)].filter((event) => !written.includes(`'${event}'`))).toEqual([])
  })

  it('the queries of counts read each metric of events, and what each page has of it', () => {
    for (const name of Object.keys(eventMetrics)) expect(logQueries['all: counts by connector']).toContain(`sum(${name})`)
    const ofPages = ['fetched', 'delivered', 'filtered', 'alreadySeen', 'malformed', 'late', 'changed']
    expect(fieldsOf(logQueries['one connector: pages'] ?? '')).toEqual(expect.arrayContaining(ofPages))
  })

  it('the saved queries read fields that the functions or Lambda write', () => {
    const lambda = ['@timestamp', '@message', '@log', '@requestId', '@duration', '@maxMemoryUsed', '@type', 'error.name', 'error.message']
    const read = new Set(queries.flatMap(([, query]) => fieldsOf(query)).filter((field) => !lambda.includes(field)))
    expect(read).toContain('traceId')
    expect([...read].filter((field) => !new RegExp(`\\b${field}\\b`).test(written))).toEqual([])
  })
})
