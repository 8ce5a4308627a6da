import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import type { Call } from './aws-proxy.ts'
import { assemblyDir, lakeDir, runDir } from './folders.ts'
import { readLake } from './lake-objects.ts'
import { isAllowed, listOf, roleOf, type Statement, statementsOf } from './policies.ts'
import { account, type Resource, region, Stack } from './template.ts'

/** Checks every AWS call of the deployment against the role of the function that made it. */

const stack = new Stack(assemblyDir)
const calls: readonly Call[] = JSON.parse(readFileSync(join(runDir, 'calls.json'), 'utf8'))
const functions = stack.ofType('AWS::Lambda::Function').filter(({ properties }) => String(properties['Runtime']).startsWith('nodejs'))

/** Lambda itself writes the log of a function, with the function's role. */
const lambdasOwn = ['logs:CreateLogStream', 'logs:PutLogEvents']

/** The resource policy of a queue, topic or function. */
function statementsOn({ type, ref, name, arn }: Resource): readonly unknown[] {
  if (type === 'AWS::Lambda::Function') {
    return stack
      .ofType('AWS::Lambda::Permission')
      .map(({ properties }) => properties as Record<string, string>)
      .filter(({ FunctionName }) => FunctionName === arn || FunctionName === name)
      .map(({ Action, Principal, SourceArn }) => ({
        Effect: 'Allow',
        Principal: { Service: Principal },
        Action,
        Resource: arn,
        ...(SourceArn === undefined ? {} : { Condition: { ArnLike: { 'aws:SourceArn': SourceArn } } }),
      }))
  }
  return [...stack.ofType('AWS::SQS::QueuePolicy'), ...stack.ofType('AWS::SNS::TopicPolicy')]
    .map(({ properties }) => properties as { Queues?: string[]; Topics?: string[]; PolicyDocument: { Statement: unknown[] } })
    .filter(({ Queues = [], Topics = [] }) => [...Queues, ...Topics].includes(ref))
    .flatMap(({ PolicyDocument }) => PolicyDocument.Statement)
}

const onQueue = new Map(stack.ofType('AWS::SQS::Queue').map((queue) => [queue.arn, statementsOn(queue)]))

function callsOf({ logicalId }: Resource): readonly Call[] {
  return calls.filter(({ by }) => by === logicalId)
}

/** The calls of a function that its role would not allow with these statements. */
async function denied(fn: Resource, statements: readonly Statement[]): Promise<readonly string[]> {
  const principal = `arn:aws:sts::${account}:assumed-role/${roleOf(stack, fn).name}/${fn.name}`
  const refused: string[] = []
  for (const call of callsOf(fn))
    if (!(await isAllowed(principal, call, statements, onQueue.get(call.resource)))) refused.push(`${call.action} on ${call.resource}`)
  return refused
}

/** Each single permission, with the statements of the role without it. What is denied is no permission. */
function permissionsOf(
  statements: readonly Statement[],
): readonly { readonly permission: string; readonly without: readonly Statement[] }[] {
  return statements
    .filter(({ Effect }) => Effect === 'Allow')
    .flatMap((statement) => {
      const actions = listOf(statement.Action)
      const resources = listOf(statement.Resource)
      return actions.flatMap((action) =>
        resources.map((resource) => ({
          permission: `${action} on ${resource}`,
          without: [
            ...statements.filter((other) => other !== statement),
            { ...statement, Action: actions.filter((other) => other !== action) },
            { ...statement, Action: action, Resource: resources.filter((other) => other !== resource) },
          ].filter(({ Action, Resource }) => listOf(Action).length > 0 && listOf(Resource).length > 0),
        })),
      )
    })
}

describe.each(functions)('the function $logicalId', (fn) => {
  const statements = statementsOf(stack, roleOf(stack, fn))

  test('is allowed every call that it made', async () => {
    expect(callsOf(fn).length).toBeGreaterThan(0)
    expect(await denied(fn, statements)).toEqual([])
  })

  test('needs each of its permissions: without it, a call that it made is denied', async () => {
    const needless: string[] = []
    for (const { permission, without } of permissionsOf(statements)) {
      if (lambdasOwn.some((action) => permission.startsWith(`${action} `))) continue
      if ((await denied(fn, without)).length === 0) needless.push(permission)
    }
    expect(needless).toEqual([])
  })

  test('is allowed single actions only', () => {
    const actions = statements.filter(({ Effect }) => Effect === 'Allow').flatMap(({ Action }) => listOf(Action))
    expect(actions.filter((action) => action.includes('*'))).toEqual([])
  })
})

test('only the functions of the template called AWS', () => {
  const known = functions.map(({ logicalId }) => logicalId)
  expect(calls.map(({ by }) => by).filter((by) => !known.includes(by))).toEqual([])
})

test('each rule may reach its targets and their dead letters, and no rule of another account may', async () => {
  const context = (arn: string) => ({ 'aws:SecureTransport': 'true', 'aws:SourceArn': arn, 'aws:SourceAccount': account })
  const ways: string[] = []
  for (const rule of stack.ofType('AWS::Events::Rule')) {
    for (const { Arn, RoleArn, DeadLetterConfig } of rule.properties['Targets'] as RuleTarget[]) {
      if (RoleArn !== undefined) {
        const [type, action] = reached(Arn)
        const role = stack.byArn('AWS::IAM::Role', RoleArn)
        const on = statementsOn(stack.byArn(type, Arn))
        const request = { action, resource: Arn, context: { 'aws:SecureTransport': 'true' } }
        ways.push(`${rule.logicalId} → ${action}`)
        const principal = `arn:aws:sts::${account}:assumed-role/${role.name}/events`
        expect(await isAllowed(principal, request, statementsOf(stack, role), on), rule.logicalId).toBe(true)
        expect(await isAllowed('events.amazonaws.com', { ...request, context: context(rule.arn) }, [], on), rule.logicalId).toBe(false)
        continue
      }
      for (const target of [Arn, DeadLetterConfig?.Arn]) {
        if (target === undefined) continue
        const [type, action] = reached(target)
        const on = statementsOn(stack.byArn(type, target))
        const request = (source: string) => ({ action, resource: target, context: context(source) })
        ways.push(`${rule.logicalId} → ${action}`)
        expect(await isAllowed('events.amazonaws.com', request(rule.arn), [], on), `${rule.logicalId} → ${target}`).toBe(true)
        const stranger = `arn:aws:events:${region}:210987654321:rule/strange`
        const asStranger = { ...request(stranger), context: { ...context(stranger), 'aws:SourceAccount': '210987654321' } }
        expect(await isAllowed('events.amazonaws.com', asStranger, [], on), `a stranger → ${target}`).toBe(false)
      }
    }
  }
  expect(ways).toHaveLength(3)
})

interface RuleTarget {
  readonly Arn: string
  /** A bus and a topic are reached through a role. */
  readonly RoleArn?: string
  readonly DeadLetterConfig?: { readonly Arn: string }
}

function reached(arn: string): readonly [string, string] {
  const service = arn.split(':')[2]
  if (service === 'lambda') return ['AWS::Lambda::Function', 'lambda:InvokeFunction']
  if (service === 'sqs') return ['AWS::SQS::Queue', 'sqs:SendMessage']
  if (service === 'sns') return ['AWS::SNS::Topic', 'sns:Publish']
  if (service === 'events') return ['AWS::Events::EventBus', 'events:PutEvents']
  throw new Error(`A rule has the target ${arn}, which the test does not know`)
}

test('the delivery stream may write each object that it wrote and its error output, and nothing else', async () => {
  const { RoleARN, BucketARN } = stack.only('AWS::KinesisFirehose::DeliveryStream').properties[
    'ExtendedS3DestinationConfiguration'
  ] as Destination
  const statements = statementsOf(stack, stack.byArn('AWS::IAM::Role', RoleARN))
  const mayPut = (key: string) => {
    const request = { action: 's3:PutObject', resource: `${BucketARN}/${key}`, context: { 'aws:SecureTransport': 'true' } }
    return isAllowed(`arn:aws:sts::${account}:assumed-role/delivery/firehose`, request, statements)
  }
  const keys = readLake(lakeDir).map(({ key }) => key)
  expect(keys.length).toBeGreaterThan(0)
  for (const key of [...keys, 'errors/processing-failed/dt=2026-01-01/1.gz']) expect(await mayPut(key), key).toBe(true)
  for (const key of ['1.gz', 'athena-results/1.csv']) expect(await mayPut(key), key).toBe(false)
})

interface Destination {
  readonly RoleARN: string
  readonly BucketARN: string
}

test('the alarms of this account may reach the topic, and those of another may not', async () => {
  const topic = stack.only('AWS::SNS::Topic')
  const source = `arn:aws:cloudwatch:${region}:${account}:alarm:any`
  const context = { 'aws:SecureTransport': 'true', 'aws:SourceArn': source, 'aws:SourceAccount': account }
  const request = { action: 'sns:Publish', resource: topic.arn, context }
  expect(await isAllowed('cloudwatch.amazonaws.com', request, [], statementsOn(topic))).toBe(true)
  const asStranger = { ...request, context: { ...context, 'aws:SourceAccount': '210987654321' } }
  expect(await isAllowed('cloudwatch.amazonaws.com', asStranger, [], statementsOn(topic))).toBe(false)
})
