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
      StatusWidgetRole: ['Allow dynamodb:Query on <StateTable.Arn>/index/fleet', ownLog('StatusWidgetLog')],
      DeliveryRole: [
        'Allow s3:GetBucketLocation, s3:ListBucket, s3:ListBucketMultipartUploads on <LakeBucket.Arn>',
        'Allow s3:AbortMultipartUpload, s3:GetObject, s3:PutObject on <LakeBucket.Arn>/errors/*, <LakeBucket.Arn>/syslog/*',
        'Allow logs:PutLogEvents on arn:<AWS::Partition>:logs:<AWS::Region>:<AWS::AccountId>:log-group:<DeliveryLogGroup>:log-stream:<DeliveryLogStream>',
      ],
      AlarmsLakeErrorsEventsRole: ['Allow events:PutEvents on <NoticesBus.Arn>'],
    })
  })

  it('a KMS key of your own adds only the use of that key', () => {
    const key = 'arn:aws-cn:kms:cn-north-1:111122223333:key/0f0f0f0f-1111-2222-3333-444455556666'
    const added = differences(policies(), policies(variants['a KMS key of your own']))
    expect(added).toEqual({
      CollectRole: [`Allow kms:Decrypt on ${key}`],
      ConnectorChangedRole: [`Allow kms:Decrypt on ${key}`, `Allow kms:GenerateDataKey on ${key}`],
      DispatchRole: [`Allow kms:Decrypt on ${key}`, `Allow kms:GenerateDataKey on ${key}`],
      StatusWidgetRole: [`Allow kms:Decrypt on ${key}`],
      DeliveryRole: [`Allow kms:Decrypt on ${key}`, `Allow kms:GenerateDataKey on ${key}`],
    })
  })

  it('a VPC adds only the actions that Lambda needs to put a function into it', () => {
    const interfaces = [
      'Allow ec2:AssignPrivateIpAddresses on *',
      'Allow ec2:CreateNetworkInterface on *',
      'Allow ec2:DeleteNetworkInterface on *',
      'Allow ec2:DescribeNetworkInterfaces on *',
      'Allow ec2:DescribeSubnets on *',
      'Allow ec2:UnassignPrivateIpAddresses on *',
    ]
    expect(differences(policies(), policies(variants['a VPC']))).toEqual({
      CollectRole: interfaces,
      ConnectorChangedRole: interfaces,
      DispatchRole: interfaces,
      StatusWidgetRole: interfaces,
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
      const [, actions = '', rest] = /^Allow (.*?)( on .*)$/.exec(line) ?? []
      return actions.split(', ').map((action) => `Allow ${action}${rest}`)
    })
  const changed = Object.entries(to).map(([role, lines]) => {
    const before = single(from[role])
    return [role, single(lines).filter((one) => !before.includes(one))] as const
  })
  const lost = Object.entries(from).flatMap(([role, lines]) => single(lines).filter((one) => !single(to[role]).includes(one)))
  expect(lost).toEqual([])
  return Object.fromEntries(changed.filter(([, lines]) => lines.length > 0))
}
