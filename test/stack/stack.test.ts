import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { App } from 'aws-cdk-lib'
import { Match } from 'aws-cdk-lib/assertions'
import { Queue } from 'aws-cdk-lib/aws-sqs'
import { describe, expect, it } from 'vitest'
import { connectorsTableDefinition, stateTableDefinition } from '../../functions/adapters/state-table/table-definitions.ts'
import { environments } from '../../functions/env.ts'
import { addRules } from '../../lib/nag.ts'
import { nodeFlags } from '../../local/functions.ts'
import { quietly, type Resource, readable, resourcesOf, stackWith, templateWith, variants } from './stack.ts'

const settingsPage = readFileSync(new URL('../../docs/settings.md', import.meta.url), 'utf8')

const handlers = {
  collect: 'tributary-collect',
  connectorChanged: 'tributary-connector-changed',
  dispatch: 'tributary-dispatch',
  operate: 'tributary-operate',
  statusWidget: 'tributary-status-widget',
} as const satisfies Record<keyof typeof environments, string>

/** A message is only a hint, and out of date after this. */
const messageLifeSeconds = 15 * 60
/** The longest that SQS can keep a message. */
const deadLetterLifeSeconds = 14 * 24 * 3600

const names = Object.keys(handlers) as (keyof typeof handlers)[]

function ofType(type: string, overrides = {}): readonly Resource[] {
  return Object.values(resourcesOf(templateWith(overrides))).filter(({ Type }) => Type === type)
}

function functionNamed(name: string, overrides = {}): Readonly<Record<string, unknown>> {
  const found = ofType('AWS::Lambda::Function', overrides).find(({ Properties }) => Properties['FunctionName'] === name)
  if (found === undefined) throw new Error(`There is no function ${name}`)
  return found.Properties
}

function variablesOf(name: string, overrides = {}): Readonly<Record<string, unknown>> {
  return (functionNamed(name, overrides)['Environment'] as { readonly Variables: Readonly<Record<string, unknown>> }).Variables
}

describe('the environment of the functions', () => {
  it.each(names)('the environment of %s has the variables that it parses, and NODE_OPTIONS only where it has flags of the heap', (name) => {
    const parsed = Object.keys(environments[name].shape)
    expect(Object.keys(variablesOf(handlers[name])).sort()).toEqual(
      [...parsed, ...(/collect|operate/.test(name) ? ['NODE_OPTIONS'] : [])].sort(),
    )
  })

  it.each(names)('the function %s accepts its environment', (name) => {
    const texts = Object.entries(variablesOf(handlers[name])).map(([variable, value]) => [
      variable,
      variable === 'QUEUE_URL' ? 'https://sqs.eu-west-1.amazonaws.com/111122223333/work' : readable(value),
    ])
    expect(environments[name].safeParse(Object.fromEntries(texts))).toMatchObject({ success: true })
  })

  it('the environment has the settings', () => {
    const overrides = {
      allowedHosts: ['a.example.com', '[::1]:8443'],
      sharedRateGroups: ['msp', 'one.customer'],
      tlsVerificationOptional: true,
      secretPrefix: 'own/',
      namePrefix: 'second',
    }
    expect(variablesOf('second-dispatch', overrides)).toMatchObject({
      ALLOWED_HOSTS: 'a.example.com,[::1]:8443',
      SHARED_RATE_GROUPS: 'msp,one.customer',
      TLS_VERIFICATION_OPTIONAL: 'true',
      SECRET_PREFIX: 'own/',
      METRICS_NAMESPACE: 'Tributary/second',
    })
  })

  it('a run has the heap with which it is tested, and a larger one with more memory', () => {
    expect(variablesOf('tributary-collect')['NODE_OPTIONS']).toBe(nodeFlags.join(' '))
    expect(variablesOf('tributary-collect', { collectMemoryMb: 1_024 })['NODE_OPTIONS']).toContain('--max-old-space-size=960')
  })
})

describe('the aliases of the functions that people invoke', () => {
  const aliases = (overrides = {}) =>
    ofType('AWS::Lambda::Alias', overrides)
      .map(
        ({ Properties }) =>
          readable(Properties) as { readonly Name: string; readonly FunctionName: string; readonly FunctionVersion: string },
      )
      .map(({ Name, FunctionName, FunctionVersion }) => `${FunctionName}:${Name} ${FunctionVersion}`)
      .sort()

  it('there is one for the provider, and one for each tenant with operators of its own, for the newest code', () => {
    expect(aliases()).toEqual(['<OperateFunction>:all $LATEST', '<StatusWidgetFunction>:all $LATEST'])
    expect(aliases({ tenantsWithOperators: ['acme', 'north-2'] })).toEqual(
      ['<OperateFunction>', '<StatusWidgetFunction>'].flatMap((name) =>
        ['acme', 'all', 'north-2'].map((alias) => `${name}:${alias} $LATEST`),
      ),
    )
  })

  it('they fit into a stack, however many tenants the settings allow', () => {
    const tenantsWithOperators = Array.from({ length: 150 }, (_, i) => `tenant-${i}`)
    expect(Object.keys(resourcesOf(templateWith({ tenantsWithOperators }))).length).toBeLessThanOrEqual(500)
  })

  it('nothing retries a call of operate, because the ticket by which it goes on is good once', () => {
    expect(ofType('AWS::Lambda::EventInvokeConfig').map(({ Properties }) => readable(Properties))).toContainEqual(
      expect.objectContaining({ FunctionName: '<OperateFunction>', MaximumRetryAttempts: 0 }),
    )
  })
})

it('a run accepts pages as large as its memory holds with a third to spare, and the setting says how large', () => {
  const bytesMax = (collectMemoryMb: number) => Number(variablesOf('tributary-collect', { collectMemoryMb })['RESPONSE_BYTES_MAX'])
  const stated = [...settingsPage.matchAll(/([\d.]+) MB at (\d+)/g)]
  expect(stated).toHaveLength(2)
  for (const [, megabytes, memoryMb] of stated) expect(Math.floor(bytesMax(Number(memoryMb)) / 1e5) / 10).toBe(Number(megabytes))
  expect(bytesMax(256)).toBeGreaterThan(1_000_000)
})

describe('the tables', () => {
  it.each([
    ['ConnectorsTable', connectorsTableDefinition('')],
    ['StateTable', stateTableDefinition('')],
  ])('the table %s is as the functions define it', (id, { TableName: _, ...schema }) => {
    const { KeySchema, AttributeDefinitions, GlobalSecondaryIndexes = [], BillingMode } = { GlobalSecondaryIndexes: undefined, ...schema }
    const properties = resourcesOf(templateWith())[id]?.Properties
    expect(properties).toMatchObject({ KeySchema, BillingMode })
    expect(properties?.['GlobalSecondaryIndexes'] ?? []).toEqual(GlobalSecondaryIndexes)
    const byName = (a: { readonly AttributeName: string }, b: { readonly AttributeName: string }) =>
      a.AttributeName < b.AttributeName ? -1 : 1
    const definitions = properties?.['AttributeDefinitions'] as { readonly AttributeName: string }[]
    expect([...definitions].sort(byName)).toEqual([...AttributeDefinitions].sort(byName))
  })

  it('the connectors table has a stream of new images, and the state table a time to live', () => {
    const { ConnectorsTable, StateTable } = resourcesOf(templateWith())
    expect(ConnectorsTable?.Properties['StreamSpecification']).toEqual({ StreamViewType: 'NEW_IMAGE' })
    expect(StateTable?.Properties['TimeToLiveSpecification']).toEqual({ AttributeName: 'expiresAt', Enabled: true })
  })
})

describe('the way from a tick to a run', () => {
  it('a message that fails reaches its dead-letter queue before it expires', () => {
    const [queue] = ofType('AWS::SQS::Queue').filter(({ Properties }) => Properties['RedrivePolicy'] !== undefined)
    if (queue === undefined) throw new Error('No queue has a dead-letter queue')
    const { VisibilityTimeout, MessageRetentionPeriod, RedrivePolicy } = queue.Properties as {
      readonly VisibilityTimeout: number
      readonly MessageRetentionPeriod: number
      readonly RedrivePolicy: { readonly maxReceiveCount: number }
    }
    // `dispatch` sends a message up to this long before its connector is due.
    const delaySecondsMax = 60
    expect(delaySecondsMax + RedrivePolicy.maxReceiveCount * VisibilityTimeout).toBeLessThan(MessageRetentionPeriod)
    expect(VisibilityTimeout).toBeGreaterThan(Number(functionNamed('tributary-collect')['Timeout']))
    expect(MessageRetentionPeriod).toBe(messageLifeSeconds)
  })

  it('dead letters are kept for 14 days', () => {
    const dead = ofType('AWS::SQS::Queue').filter(({ Properties }) => Properties['RedrivePolicy'] === undefined)
    expect(dead.map(({ Properties }) => Properties['MessageRetentionPeriod'])).toEqual(dead.map(() => deadLetterLifeSeconds))
    expect(dead).toHaveLength(2)
  })

  it('one message runs one connector, and the settings limit how many run at the same time', () => {
    templateWith({ collectConcurrency: 7 }).hasResourceProperties('AWS::Lambda::EventSourceMapping', {
      BatchSize: 1,
      ScalingConfig: { MaximumConcurrency: 7 },
      EventSourceArn: { 'Fn::GetAtt': [Match.stringLikeRegexp('^WorkQueue'), 'Arn'] },
    })
  })

  it('the mapping reads the stream of the connectors from its beginning, halves a failing batch, and gives up in the end', () => {
    templateWith().hasResourceProperties('AWS::Lambda::EventSourceMapping', {
      StartingPosition: 'TRIM_HORIZON',
      BatchSize: 100,
      BisectBatchOnFunctionError: true,
      MaximumRetryAttempts: 10,
      MaximumRecordAgeInSeconds: 6 * 3600,
      DestinationConfig: { OnFailure: { Destination: { 'Fn::GetAtt': [Match.stringLikeRegexp('^ChangeDeadLetters'), 'Arn'] } } },
    })
  })

  it('the rule ticks at each minute of the clock, and a tick that is late or fails is left to the next one', () => {
    templateWith().hasResourceProperties('AWS::Events::Rule', {
      ScheduleExpression: 'cron(* * * * ? *)',
      Targets: [{ RetryPolicy: { MaximumEventAgeInSeconds: 60, MaximumRetryAttempts: 0 }, DeadLetterConfig: Match.absent() }],
    })
    templateWith().hasResourceProperties('AWS::Lambda::EventInvokeConfig', {
      MaximumEventAgeInSeconds: 60,
      MaximumRetryAttempts: 0,
      DestinationConfig: Match.absent(),
    })
  })

  it('no concurrency is reserved unless the settings say so', () => {
    const reserved = (overrides = {}) =>
      ofType('AWS::Lambda::Function', overrides).map(({ Properties }) => Properties['ReservedConcurrentExecutions'])
    expect(reserved().filter((count) => count !== undefined)).toEqual([])
    expect(reserved({ reservedConcurrency: 60 }).filter((count) => count !== undefined)).toEqual([60])
  })

  it('every function is in the subnets of the settings', () => {
    const inVpc = ofType('AWS::Lambda::Function', variants['a VPC']).map(({ Properties }) => Properties['VpcConfig'])
    expect(inVpc).toEqual(
      names.map(() => ({
        SubnetIds: ['subnet-0123456789abcdef0', 'subnet-0123456789abcdef1'],
        SecurityGroupIds: ['sg-0123456789abcdef0'],
      })),
    )
  })

  it('every function runs on the processor of the settings', () => {
    const processors = (overrides = {}) =>
      new Set(ofType('AWS::Lambda::Function', overrides).map(({ Properties }) => String(Properties['Architectures'])))
    expect(processors()).toEqual(new Set(['arm64']))
    expect(processors({ architecture: 'x86_64' })).toEqual(new Set(['x86_64']))
  })
})

/** The names of the rules that found something or warn. */
function findings(app: App): readonly string[] {
  const { directory } = quietly(() => app.synth())
  const report: { readonly pluginReports: readonly { readonly violations: readonly { readonly ruleName: string }[] }[] } = JSON.parse(
    readFileSync(join(directory, 'validation-report.json'), 'utf8'),
  )
  return report.pluginReports.flatMap(({ violations }) => violations.map(({ ruleName }) => ruleName))
}

describe('the template', () => {
  it.each(Object.entries(variants))(
    'the template has no finding of cdk-nag without a reason, and warns only if nobody is notified: %s',
    (_, overrides) => {
      const { app } = stackWith(overrides)
      addRules(app)
      const unnotified = overrides['alarmTopicArn'] === undefined ? ['Annotation::tributary:nobody-is-notified'] : []
      expect(findings(app)).toEqual(unnotified)
    },
  )

  it('a queue that takes plain HTTP and has no dead-letter queue would not pass', () => {
    const { app, stack } = stackWith()
    addRules(app)
    new Queue(stack, 'Careless')
    expect(() => findings(app)).toThrow(/AwsSolutions-SQS4.*Serverless-SQSRedrivePolicy/s)
  })

  it.each(Object.entries(variants))('the template fits every partition, region and account: %s', (_, overrides) => {
    const text = JSON.stringify(templateWith(overrides).toJSON())
    expect(text).not.toMatch(/arn:aws:|us-east-1|eu-west-1/)
    expect(stackWith(overrides).stack.environment).toBe('aws://unknown-account/unknown-region')
  })

  it('the outputs name what users need', () => {
    expect(Object.keys(templateWith().toJSON()['Outputs'])).toEqual(
      expect.arrayContaining([
        'ConnectorsTableName',
        'SecretPrefix',
        'LakeBucketName',
        'DashboardName',
        'AthenaWorkgroupName',
        'AthenaDatabaseName',
      ]),
    )
  })

  it('every log is kept as long as the settings say, and deleted with the stack', () => {
    const groups = ofType('AWS::Logs::LogGroup', { logRetentionDays: 7 })
    expect(groups.map(({ Properties, DeletionPolicy }) => [Properties['RetentionInDays'], DeletionPolicy])).toEqual(
      groups.map(() => [7, 'Delete']),
    )
    expect(groups.length).toBeGreaterThanOrEqual(names.length)
  })

  it('a KMS key of your own encrypts everything that holds data', () => {
    const key = variants['a KMS key of your own']?.['kmsKeyArn']
    const overrides = variants['a KMS key of your own']
    expect(
      ofType('AWS::DynamoDB::Table', overrides).map(
        ({ Properties }) => (Properties['SSESpecification'] as Record<string, unknown>)['KMSMasterKeyId'],
      ),
    ).toEqual([key, key])
    expect(new Set(ofType('AWS::SQS::Queue', overrides).map(({ Properties }) => Properties['KmsMasterKeyId']))).toEqual(new Set([key]))
    expect(ofType('AWS::SNS::Topic', overrides).map(({ Properties }) => Properties['KmsMasterKeyId'])).toEqual([key])
    expect(JSON.stringify(ofType('AWS::S3::Bucket', overrides))).toContain(String(key))
    expect(ofType('AWS::Events::EventBus', overrides).map(({ Properties }) => Properties['KmsKeyIdentifier'])).toEqual([key])
    expect(names.map((name) => functionNamed(handlers[name], overrides)['KmsKeyArn'])).toEqual(names.map(() => key))
    expect(new Set(ofType('AWS::Logs::LogGroup', overrides).map(({ Properties }) => Properties['KmsKeyId']))).toEqual(new Set([key]))
    const [stream] = ofType('AWS::KinesisFirehose::DeliveryStream', overrides)
    expect(stream?.Properties['DeliveryStreamEncryptionConfigurationInput']).toEqual({ KeyType: 'CUSTOMER_MANAGED_CMK', KeyARN: key })
  })
})
