import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { projectDir } from './folders.ts'
import { isAllowed, type Request, type Statement } from './policies.ts'
import { account, region } from './template.ts'

/** Judges the policies that docs/operations.md gives to people, as they stand there. */

const docs = readFileSync(join(projectDir, 'docs/operations.md'), 'utf8')

function policyOf(role: string): readonly Statement[] {
  const [, json] = new RegExp(`<!-- policy ${role} -->\\n\`\`\`json\\n(.*?)\\n\`\`\`\\n<!-- /policy -->`, 's').exec(docs) ?? []
  if (json === undefined) throw new Error(`docs/operations.md has no policy for ${role}`)
  return JSON.parse(json.replaceAll('REGION', region).replaceAll('ACCOUNT', account)).Statement
}

const tableArn = (name: string) => `arn:aws:dynamodb:${region}:${account}:table/${name}`
const onTable = (table: string, action: string, ...keys: readonly string[]): Request => ({
  action: `dynamodb:${action}`,
  resource: tableArn(table),
  context: keys.length === 0 ? {} : { 'dynamodb:LeadingKeys': keys },
})
const onItem = (action: string, ...ids: readonly string[]) => onTable('CONNECTORS_TABLE', action, ...ids)
const onSecret = (action: string, name: string): Request => ({
  action: `secretsmanager:${action}`,
  resource: `arn:aws:secretsmanager:${region}:${account}:secret:${name}-AbCdEf`,
  context: {},
})
const call = (action: string, resource = '*'): Request => ({ action, resource, context: {} })
const dashboardArn = (name: string) => `arn:aws:cloudwatch::${account}:dashboard/${name}`
const functionArn = (name: string) => `arn:aws:lambda:${region}:${account}:function:${name}`
const invoke = (name: string) => call('lambda:InvokeFunction', functionArn(name))
/** The functions that people invoke, by an alias. */
const invoked = ['tributary-operate', 'tributary-status-widget']

const itemActions = ['GetItem', 'PutItem', 'UpdateItem', 'DeleteItem']
const secretActions = ['CreateSecret', 'PutSecretValue', 'DescribeSecret', 'DeleteSecret']
const describeStack = call('cloudformation:DescribeStacks', `arn:aws:cloudformation:${region}:${account}:stack/tributary/1`)
const noRole = [
  ...itemActions.slice(1).map((action) => onTable('STATE_TABLE', action, 'CONNECTOR#acme.cas')),
  onSecret('GetSecretValue', 'tributary/acme/cas'),
  onSecret('PutResourcePolicy', 'tributary/acme/cas'),
  onSecret('PutSecretValue', 'other/acme/cas'),
  onItem('BatchWriteItem', 'acme.cas'),
  onItem('PartiQLInsert', 'acme.cas'),
  onItem('DeleteTable'),
  invoke('tributary-collect'),
  call('s3:GetObject', 'arn:aws:s3:::lake/syslog/1.gz'),
]

const roles: Readonly<Record<string, { readonly may: readonly Request[]; readonly mayNot: readonly Request[] }>> = {
  operator: {
    may: [
      ...secretActions.flatMap((action) => ['tributary/acme/cas', 'tributary/acme/deep/er'].map((name) => onSecret(action, name))),
      ...invoked.map((name) => invoke(`${name}:acme`)),
      describeStack,
      call('cloudwatch:GetDashboard', dashboardArn('tributary-operate-acme')),
    ],
    mayNot: [
      ...noRole,
      ...itemActions.map((action) => onItem(action, 'acme.cas')),
      onItem('Scan'),
      ...['GetItem', 'Query'].map((action) => onTable('STATE_TABLE', action, 'CONNECTOR#acme.cas')),
      ...secretActions.map((action) => onSecret(action, 'tributary/globex/cas')),
      // Every other alias, and what is no alias.
      ...invoked.flatMap((name) =>
        ['', ':all', ':globex', ':acme-2', ':acm', ':$LATEST', ':1'].map((qualifier) => invoke(`${name}${qualifier}`)),
      ),
      ...['tributary', 'tributary-operate', 'tributary-operate-globex'].map((name) => call('cloudwatch:GetDashboard', dashboardArn(name))),
      call('cloudwatch:PutDashboard', dashboardArn('tributary-operate-acme')),
      ...['UpdateAlias', 'CreateAlias', 'UpdateFunctionCode', 'UpdateFunctionConfiguration', 'AddPermission'].flatMap((action) =>
        invoked.map((name) => call(`lambda:${action}`, functionArn(name))),
      ),
    ],
  },
  writer: {
    may: [
      ...itemActions.flatMap((action) => ['acme.cas', 'acme.second'].map((id) => onItem(action, id))),
      ...secretActions.flatMap((action) => ['tributary/acme/cas', 'tributary/acme/deep/er'].map((name) => onSecret(action, name))),
    ],
    mayNot: [
      ...noRole,
      ...itemActions.flatMap((action) => ['globex.cas', 'acme', 'acme-cas', 'acme-2.cas', '~acme.cas'].map((id) => onItem(action, id))),
      // A request for several items, one of them of another tenant; and one whose keys cannot be checked.
      ...itemActions.flatMap((action) => [onItem(action, 'acme.cas', 'globex.cas'), onItem(action)]),
      ...['Scan', 'Query', 'BatchGetItem', 'PartiQLSelect', 'PartiQLUpdate'].map((action) => onItem(action, 'acme.cas')),
      onItem('Scan'),
      ...['GetItem', 'Query'].map((action) => onTable('STATE_TABLE', action, 'CONNECTOR#acme.cas')),
      ...secretActions.flatMap((action) =>
        ['tributary/globex/cas', 'tributary/acme', 'tributary/acme-2/cas'].map((name) => onSecret(action, name)),
      ),
      ...invoked.flatMap((name) => ['', ':all', ':acme'].map((qualifier) => invoke(`${name}${qualifier}`))),
    ],
  },
  provider: {
    may: [
      ...itemActions.flatMap((action) => ['acme.cas', 'globex.cas', 'acme-cas'].map((id) => onItem(action, id))),
      onItem('Scan'),
      ...['GetItem', 'Query'].map((action) => onTable('STATE_TABLE', action, 'CONNECTOR#acme.cas')),
      ...secretActions.flatMap((action) => ['tributary/acme/cas', 'tributary/old'].map((name) => onSecret(action, name))),
      call('cloudwatch:GetDashboard'),
      describeStack,
      call('secretsmanager:ListSecrets'),
      ...invoked.map((name) => invoke(`${name}:all`)),
    ],
    mayNot: [...noRole, ...invoked.flatMap((name) => ['', ':acme', ':$LATEST'].map((qualifier) => invoke(`${name}${qualifier}`)))],
  },
  remover: {
    may: [
      describeStack,
      onItem('Scan'),
      onItem('DeleteItem', 'acme.cas'),
      onTable('STATE_TABLE', 'Scan'),
      ...['GetItem', 'Query', 'PutItem', 'DeleteItem'].map((action) => onTable('STATE_TABLE', action, 'CONNECTOR#acme.cas')),
      call('s3:ListBucketVersions', 'arn:aws:s3:::LAKE_BUCKET'),
      ...['GetObject', 'GetObjectVersion', 'PutObject', 'DeleteObjectVersion'].map((action) =>
        call(`s3:${action}`, 'arn:aws:s3:::LAKE_BUCKET/syslog/dt=2026-11-27/hour=09/1.json.gz'),
      ),
    ],
    mayNot: [
      ...noRole.filter(({ action }) => !['dynamodb:PutItem', 'dynamodb:DeleteItem'].includes(action)),
      ...['PutItem', 'UpdateItem'].map((action) => onItem(action, 'acme.cas')),
      onItem('DeleteTable'),
      ...secretActions.map((action) => onSecret(action, 'tributary/acme/cas')),
      ...['GetObject', 'DeleteObject'].map((action) => call(`s3:${action}`, 'arn:aws:s3:::LAKE_BUCKET/athena-results/1.csv')),
      call('s3:PutLifecycleConfiguration', 'arn:aws:s3:::LAKE_BUCKET'),
    ],
  },
  viewer: {
    may: [
      call('cloudwatch:GetDashboard'),
      call('cloudwatch:GetMetricData'),
      call('cloudwatch:DescribeAlarms'),
      invoke('tributary-status-widget:all'),
    ],
    mayNot: [
      ...noRole,
      ...['tributary-status-widget', 'tributary-status-widget:acme', 'tributary-operate:all', 'tributary-operate'].map(invoke),
      ...[...itemActions, 'Scan', 'Query'].map((action) => onItem(action, 'acme.cas')),
      ...['GetItem', 'Query', 'Scan'].map((action) => onTable('STATE_TABLE', action, 'CONNECTOR#acme.cas')),
      ...secretActions.map((action) => onSecret(action, 'tributary/acme/cas')),
      call('cloudwatch:PutDashboard'),
      call('cloudwatch:DisableAlarmActions'),
    ],
  },
}

describe.each(Object.entries(roles))('the policy of docs/operations.md for the %s', (role, { may, mayNot }) => {
  const judged = async (requests: readonly Request[], expected: boolean) => {
    const wrong: string[] = []
    for (const request of requests) {
      const found = await isAllowed(`arn:aws:iam::${account}:user/${role}`, request, policyOf(role))
      if (found !== expected) wrong.push(`${request.action} on ${request.resource} ${JSON.stringify(request.context)}`)
    }
    return wrong
  }

  test('allows what the role is for', async () => expect(await judged(may, true)).toEqual([]))

  test('denies everything else that was tried', async () => expect(await judged(mayNot, false)).toEqual([]))
})
