import { describe, expect, it } from 'vitest'
import { readable, resourcesOf, templateWith, variants } from './stack.ts'

interface Statement {
  readonly Effect: string
  readonly Action: string | readonly string[]
  readonly Resource: string | readonly string[]
}

const many = (value: string | readonly string[]) => (typeof value === 'string' ? [value] : value)

/** The policy of each role, one line for each statement. A line ends with anything beyond actions and resources. */
function policies(overrides: Readonly<Record<string, unknown>> = {}): Readonly<Record<string, readonly string[]>> {
  const all = Object.entries(resourcesOf(templateWith(overrides)))
  const inline = all.flatMap(([id, { Type, Properties }]) => {
    if (Type !== 'AWS::IAM::Role') return []
    return [[plainId(id), (Properties['Policies'] ?? []) as readonly { readonly PolicyDocument: unknown }[]] as const]
  })
  const attached = all.flatMap(([, { Type, Properties }]) =>
    Type === 'AWS::IAM::Policy'
      ? [[String(readable(Properties['Roles'])).slice(1, -1), [{ PolicyDocument: Properties['PolicyDocument'] }]] as const]
      : [],
  )
  const lines = new Map<string, string[]>()
  for (const [role, documents] of [...inline, ...attached]) {
    const statements = documents.flatMap(
      ({ PolicyDocument }) => (readable(PolicyDocument) as { readonly Statement: readonly Statement[] }).Statement,
    )
    lines.set(role, [...(lines.get(role) ?? []), ...statements.map(line)])
  }
  return Object.fromEntries(lines)
}

function line({ Effect, Action, Resource, ...more }: Statement): string {
  const rest = Object.keys(more).length === 0 ? '' : ` ${JSON.stringify(more)}`
  return `${Effect} ${many(Action).join(', ')} on ${many(Resource).join(', ')}${rest}`
}

function plainId(id: string): string {
  return id.replace(/[0-9A-F]{8}$/, '')
}

const state = 'Allow dynamodb:DeleteItem, dynamodb:GetItem, dynamodb:PutItem, dynamodb:Query, dynamodb:UpdateItem on <StateTable.Arn>'
const secrets =
  'Allow secretsmanager:GetSecretValue on arn:<AWS::Partition>:secretsmanager:<AWS::Region>:<AWS::AccountId>:secret:tributary/*'
const notifications = 'Allow events:PutEvents on <NoticesBus.Arn>'
const ownLog = (group: string) => `Allow logs:CreateLogStream, logs:PutLogEvents on <${group}.Arn>`

describe('what each role may do', () => {
  it('each role has exactly these permissions', () => {
    expect(policies()).toEqual({
      CollectRole: [
        state,
        secrets,
        'Allow firehose:PutRecordBatch on <DeliveryStream.Arn>',
        notifications,
        'Allow sqs:DeleteMessage, sqs:GetQueueAttributes, sqs:ReceiveMessage on <WorkQueue.Arn>',
        ownLog('CollectLog'),
      ],
      ConnectorChangedRole: [
        'Allow dynamodb:DescribeStream, dynamodb:GetRecords, dynamodb:GetShardIterator on <ConnectorsTable.StreamArn>',
        'Allow dynamodb:ListStreams on *',
        state,
        secrets,
        notifications,
        'Allow sqs:SendMessage on <ChangeDeadLetters.Arn>, <WorkQueue.Arn>',
        ownLog('ConnectorChangedLog'),
      ],
      DispatchRole: [
        'Allow dynamodb:Scan on <ConnectorsTable.Arn>',
        'Allow dynamodb:Query on <StateTable.Arn>/index/due, <StateTable.Arn>/index/fleet',
        state,
        secrets,
        notifications,
        'Allow sqs:SendMessage on <WorkQueue.Arn>',
        ownLog('DispatchLog'),
      ],
      OperateRole: [
        'Allow dynamodb:DeleteItem, dynamodb:GetItem, dynamodb:PutItem on <ConnectorsTable.Arn>',
        'Allow dynamodb:Query on <StateTable.Arn>/index/fleet',
        'Allow dynamodb:GetItem, dynamodb:PutItem, dynamodb:Query, dynamodb:UpdateItem on <StateTable.Arn>',
        secrets,
        'Allow secretsmanager:ListSecrets on *',
        notifications,
        'Allow sqs:SendMessage on <WorkQueue.Arn>',
        'Allow firehose:PutRecordBatch on <DeliveryStream.Arn>',
        'Allow lambda:InvokeFunction on arn:<AWS::Partition>:lambda:<AWS::Region>:<AWS::AccountId>:function:tributary-operate:*',
        ownLog('OperateLog'),
      ],
      StatusWidgetRole: ['Allow dynamodb:Query on <StateTable.Arn>/index/fleet', ownLog('StatusWidgetLog')],
      DeliveryRole: [
        'Allow s3:GetBucketLocation, s3:ListBucket, s3:ListBucketMultipartUploads on <LakeBucket.Arn>',
        'Allow s3:AbortMultipartUpload, s3:GetObject, s3:PutObject on <LakeBucket.Arn>/errors/*, <LakeBucket.Arn>/syslog/*',
        'Allow logs:PutLogEvents on arn:<AWS::Partition>:logs:<AWS::Region>:<AWS::AccountId>:log-group:<DeliveryLogGroup>:log-stream:<DeliveryLogStream>',
      ],
      AlarmsLakeErrorsRole: [notifications],
      NoticesPublisher: ['Allow sns:Publish on <NoticesTopic>'],
    })
  })

  it('operate may read secrets for a Test and write none, and tenants with operators of their own add nothing to a role', () => {
    const own = policies({ tenantsWithOperators: ['acme', 'globex'] })
    expect(own).toEqual(policies())
    expect(own['OperateRole']?.filter((line) => line.includes('secretsmanager'))).toEqual([
      secrets,
      'Allow secretsmanager:ListSecrets on *',
    ])
  })

  it('a KMS key of your own adds only the use of that key, and only through the services that each role calls', () => {
    const key = 'arn:aws-cn:kms:cn-north-1:111122223333:key/0f0f0f0f-1111-2222-3333-444455556666'
    const use = (action: string, services: readonly string[], more = {}) => {
      const names = services.flatMap((service) => [`${service}.cn-north-1.amazonaws.com`, `${service}.cn-north-1.amazonaws.com.cn`])
      return `Allow kms:${action} on ${key} ${JSON.stringify({ Condition: { StringEquals: { 'kms:ViaService': names }, ...more } })}`
    }
    const environmentOf = (name: string) => {
      const arn = `arn:<AWS::Partition>:lambda:<AWS::Region>:<AWS::AccountId>:function:tributary-${name}`
      return use('Decrypt', ['lambda'], { ArnEquals: { 'kms:EncryptionContext:aws:lambda:FunctionArn': arn } })
    }
    const both = (service: string) => [use('Decrypt', [service]), use('GenerateDataKey', [service])]
    const read = use('Decrypt', ['dynamodb', 'secretsmanager'])
    const added = differences(policies(), policies(variants['a KMS key of your own']))
    expect(added).toEqual({
      CollectRole: [use('Decrypt', ['dynamodb', 'secretsmanager', 'sqs']), environmentOf('collect')],
      ConnectorChangedRole: [read, ...both('sqs'), environmentOf('connector-changed')],
      DispatchRole: [read, ...both('sqs'), environmentOf('dispatch')],
      OperateRole: [read, ...both('sqs'), environmentOf('operate')],
      StatusWidgetRole: [use('Decrypt', ['dynamodb']), environmentOf('status-widget')],
      DeliveryRole: both('s3'),
      NoticesPublisher: both('sns'),
    })
  })

  it('notifications may be published to a topic of your own, with a key of its account and only through SNS', () => {
    const names = ['sns.cn-north-1.amazonaws.com', 'sns.cn-north-1.amazonaws.com.cn']
    expect(policies(variants['a topic of your own and a mail'])['NoticesPublisher']).toEqual([
      'Allow sns:Publish on arn:aws-cn:sns:cn-north-1:111122223333:alarms',
      `Allow kms:Decrypt, kms:GenerateDataKey on arn:aws-cn:kms:cn-north-1:111122223333:key/* {"Condition":{"StringEquals":{"kms:ViaService":${JSON.stringify(names)}}}}`,
    ])
  })

  it('each rule has a role that only EventBridge may assume, and only for this account', () => {
    const roles = Object.entries(resourcesOf(templateWith())).filter(([id]) => /^(NoticesPublisher|AlarmsLakeErrorsRole)/.test(id))
    expect(
      roles.map(([, { Properties }]) => (readable(Properties['AssumeRolePolicyDocument']) as { Statement: unknown }).Statement),
    ).toEqual(
      roles.map(() => [
        {
          Effect: 'Allow',
          Principal: { Service: 'events.amazonaws.com' },
          Action: 'sts:AssumeRole',
          Condition: { StringEquals: { 'aws:SourceAccount': '<AWS::AccountId>' } },
        },
      ]),
    )
    expect(roles).toHaveLength(2)
  })

  it('a VPC adds only the actions that Lambda needs to put a function into it, and denies them to the code of the function', () => {
    const actions = [
      'ec2:AssignPrivateIpAddresses',
      'ec2:CreateNetworkInterface',
      'ec2:DeleteNetworkInterface',
      'ec2:DescribeNetworkInterfaces',
      'ec2:DescribeSubnets',
      'ec2:UnassignPrivateIpAddresses',
    ]
    const interfaces = (name: string) => {
      const arn = `arn:<AWS::Partition>:lambda:<AWS::Region>:<AWS::AccountId>:function:tributary-${name}`
      const code = JSON.stringify({ Condition: { ArnEquals: { 'lambda:SourceFunctionArn': arn } } })
      return [...actions.map((action) => `Allow ${action} on *`), ...actions.map((action) => `Deny ${action} on * ${code}`)]
    }
    expect(differences(policies(), policies(variants['a VPC']))).toEqual({
      CollectRole: interfaces('collect'),
      ConnectorChangedRole: interfaces('connector-changed'),
      DispatchRole: interfaces('dispatch'),
      OperateRole: interfaces('operate'),
      StatusWidgetRole: interfaces('status-widget'),
    })
  })

  it.each(Object.entries(variants))('no role has a managed policy: %s', (_, overrides) => {
    const roles = Object.entries(resourcesOf(templateWith(overrides))).filter(([, { Type }]) => Type === 'AWS::IAM::Role')
    const managed = roles.filter(([, { Properties }]) => Properties['ManagedPolicyArns'] !== undefined).map(([id]) => plainId(id))
    // The CDK's own function empties the bucket of a trial before the bucket is deleted.
    const emptying = overrides['removalPolicy'] === 'destroy' ? [expect.stringContaining('AutoDeleteObjects')] : []
    expect(managed).toEqual(emptying)
  })
})

/** The added permissions, action by action, because the CDK joins statements on one resource. No permission may go away. */
function differences(from: Readonly<Record<string, readonly string[]>>, to: Readonly<Record<string, readonly string[]>>) {
  const single = (lines: readonly string[] = []) =>
    lines.flatMap((line) => {
      const [, effect, actions = '', rest] = /^(Allow|Deny) (.*?)( on .*)$/.exec(line) ?? []
      return actions.split(', ').map((action) => `${effect} ${action}${rest}`)
    })
  const changed = Object.entries(to).map(([role, lines]) => {
    const before = single(from[role])
    return [role, single(lines).filter((one) => !before.includes(one))] as const
  })
  const lost = Object.entries(from).flatMap(([role, lines]) => single(lines).filter((one) => !single(to[role]).includes(one)))
  expect(lost).toEqual([])
  return Object.fromEntries(changed.filter(([, lines]) => lines.length > 0))
}
