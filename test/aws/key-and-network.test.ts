import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { keyPolicyStatements } from '../../lib/key-policy.ts'
import type { Call } from './aws-proxy.ts'
import { fullAssemblyDir, runDir, settingsOf } from './folders.ts'
import { isAllowed, listOf, type Request, roleOf, type Statement, statementsOf } from './policies.ts'
import { account, arnOf, type Resource, region, Stack } from './template.ts'

/** Checks what a KMS key of the customer and a VPC add: who may use the key, and who may change the network. */

const stack = new Stack(fullAssemblyDir)
const calls: readonly Call[] = JSON.parse(readFileSync(join(runDir, 'calls.json'), 'utf8'))
const functions = stack.ofType('AWS::Lambda::Function').filter(({ properties }) => String(properties['Runtime']).startsWith('nodejs'))
const stranger = '210987654321'

const key: string = JSON.parse(readFileSync(settingsOf(fullAssemblyDir), 'utf8')).kmsKeyArn
/** The default statement of a key, and those that the synth prints. */
const keyPolicy = [
  { Sid: 'Default', Effect: 'Allow', Principal: { AWS: `arn:aws:iam::${account}:root` }, Action: 'kms:*', Resource: '*' },
  ...keyPolicyStatements(key, stack.only('AWS::Events::EventBus').name),
]

function through(service: string, action: string, context: Request['context'] = {}): Request {
  return { action, resource: key, context: { 'kms:ViaService': `${service}.${region}.amazonaws.com`, ...context } }
}

/**
 * The uses of the key that a service asks for in the name of its caller.
 * https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-key-management.html
 * https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/encryption.usagenotes.html
 */
function usesOf({ action }: Call): readonly Request[] {
  const [service = ''] = action.split(':')
  if (action === 'sqs:SendMessage') return [through('sqs', 'kms:GenerateDataKey'), through('sqs', 'kms:Decrypt')]
  if (action === 'secretsmanager:ListSecrets') return []
  if (action === 'sqs:ReceiveMessage' || service === 'secretsmanager') return [through(service, 'kms:Decrypt')]
  if (service === 'dynamodb' && action !== 'dynamodb:ListStreams') return [through(service, 'kms:Decrypt')]
  return []
}

/** Every use of the key that the function needs: those of its calls, and that of its environment. */
function usesBy(fn: Resource): readonly Request[] {
  const environment = through('lambda', 'kms:Decrypt', { 'kms:EncryptionContext:aws:lambda:FunctionArn': fn.arn })
  return [environment, ...calls.filter(({ by }) => by === fn.logicalId).flatMap(usesOf)]
}

/** Each single use of the key that a role has, with the statements without it. */
function keyPermissionsOf(statements: readonly Statement[]) {
  return statements.flatMap((statement) => {
    const { Action, Condition } = statement
    const actions = listOf(Action)
    if (!actions.some((action) => action.startsWith('kms:'))) return []
    const { StringEquals = {}, ...conditions } = Condition as Readonly<Record<string, Readonly<Record<string, string | readonly string[]>>>>
    const services = listOf(StringEquals['kms:ViaService'])
    const without = (changed: Partial<Statement>, left: readonly unknown[]) => [
      ...statements.filter((other) => other !== statement),
      ...(left.length === 0 ? [] : [{ ...statement, ...changed }]),
    ]
    return [
      ...actions.map((action) => {
        const left = actions.filter((other) => other !== action)
        return { permission: `${action} through ${services}`, without: without({ Action: left }, left) }
      }),
      ...services.map((service) => {
        const left = services.filter((other) => other !== service)
        const changed = { Condition: { ...conditions, StringEquals: { 'kms:ViaService': left } } }
        return { permission: `${actions} through ${service}`, without: without(changed, left) }
      }),
    ]
  })
}

describe.each(functions)('the function $logicalId', (fn) => {
  const role = roleOf(stack, fn)
  const statements = statementsOf(stack, role)
  const principal = `arn:aws:sts::${account}:assumed-role/${role.name}/${fn.name}`
  const mayUse = (request: Request, having = statements) => isAllowed(principal, request, having, keyPolicy)

  test('may use the key for its environment and for each call that it made', async () => {
    for (const use of usesBy(fn)) expect(await mayUse(use), JSON.stringify(use)).toBe(true)
  })

  test('may use the key neither by itself, nor through another service, nor for another function', async () => {
    for (const action of ['kms:Decrypt', 'kms:GenerateDataKey']) {
      expect(await mayUse({ action, resource: key, context: {} }), action).toBe(false)
      expect(await mayUse(through('s3', action)), action).toBe(false)
    }
    const other = { 'kms:EncryptionContext:aws:lambda:FunctionArn': arnOf('lambda', 'function:another') }
    expect(await mayUse(through('lambda', 'kms:Decrypt', other))).toBe(false)
  })

  test('needs each use of the key that its role has', async () => {
    const needless: string[] = []
    for (const { permission, without } of keyPermissionsOf(statements)) {
      const allowed = await Promise.all(usesBy(fn).map((use) => mayUse(use, without)))
      if (allowed.every(Boolean)) needless.push(permission)
    }
    expect(needless).toEqual([])
  })

  test('lets Lambda put it into the subnets, and its code change nothing of the network', async () => {
    const actions = statements.filter(({ Effect }) => Effect === 'Allow').flatMap(({ Action }) => listOf(Action))
    const network = actions.filter((action) => action.startsWith('ec2:'))
    expect(network.length).toBeGreaterThan(5)
    for (const action of network) {
      const request = { action, resource: action.includes(':Describe') ? '*' : arnOf('ec2', 'network-interface/eni-0123456789abcdef0') }
      const byCode = { 'lambda:SourceFunctionArn': fn.arn }
      expect(await isAllowed(principal, { ...request, context: {} }, statements), action).toBe(true)
      expect(await isAllowed(principal, { ...request, context: byCode }, statements), action).toBe(false)
    }
  })
})

test('the delivery stream may use the key through S3, and the rule of the notifications through SNS, and in no other way', async () => {
  const roles = [
    [stack.only('AWS::IAM::Role', 'Delivery'), 's3', 'sns'],
    [stack.only('AWS::IAM::Role', 'NoticesPublisher'), 'sns', 's3'],
  ] as const
  for (const [role, own, other] of roles) {
    const principal = `arn:aws:sts::${account}:assumed-role/${role.name}/session`
    for (const action of ['kms:Decrypt', 'kms:GenerateDataKey']) {
      expect(await isAllowed(principal, through(own, action), statementsOf(stack, role), keyPolicy), `${role.name} ${action}`).toBe(true)
      expect(await isAllowed(principal, through(other, action), statementsOf(stack, role), keyPolicy), `${role.name} ${action}`).toBe(false)
    }
  }
})

describe('the printed policy of the key', () => {
  const bus = stack.only('AWS::Events::EventBus').arn
  const ofBus = { 'kms:EncryptionContext:aws:events:event-bus:arn': bus }
  const ofLog = (owner: string, name: string) => ({
    'kms:EncryptionContext:aws:logs:arn': `arn:aws:logs:${region}:${owner}:log-group:${name}`,
  })
  const own = { 'aws:SourceAccount': account }
  const foreign = { 'aws:SourceAccount': stranger }
  const logs = `logs.${region}.amazonaws.com`
  const log = stack.ofType('AWS::Logs::LogGroup')[0]?.name ?? ''

  test.each<[boolean, string, string, string, Request['context']]>([
    [true, 'alarms of this account', 'cloudwatch.amazonaws.com', 'kms:GenerateDataKey', own],
    [false, 'alarms of another account', 'cloudwatch.amazonaws.com', 'kms:GenerateDataKey', foreign],
    [false, 'alarms of nobody', 'cloudwatch.amazonaws.com', 'kms:Decrypt', {}],
    [true, 'events on the bus', 'events.amazonaws.com', 'kms:GenerateDataKey', { ...own, ...ofBus }],
    [true, 'events from the bus', 'events.amazonaws.com', 'kms:Decrypt', { ...own, ...ofBus }],
    [false, 'events of another account', 'events.amazonaws.com', 'kms:Decrypt', { ...foreign, ...ofBus }],
    [false, 'messages of EventBridge to a topic', 'events.amazonaws.com', 'kms:Decrypt', own],
    [true, 'the making of the bus', 'events.amazonaws.com', 'kms:DescribeKey', own],
    [false, 'the making of a bus in another account', 'events.amazonaws.com', 'kms:DescribeKey', foreign],
    [true, 'a log of the stack', logs, 'kms:Encrypt', ofLog(account, log)],
    [false, 'another log', logs, 'kms:Encrypt', ofLog(account, '/aws/lambda/other')],
    [false, 'a log of another account', logs, 'kms:Encrypt', ofLog(stranger, log)],
    [false, 'objects of S3 in its own name', 's3.amazonaws.com', 'kms:Decrypt', own],
  ])('the policy says %s to %s', async (allowed, _, principal, action, context) => {
    expect(await isAllowed(principal, { action, resource: key, context }, [], keyPolicy)).toBe(allowed)
  })
})
