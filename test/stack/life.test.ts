import { describe, expect, it } from 'vitest'
import { type Resource, readable, resourcesOf, stackWith, templateWith, variants } from './stack.ts'

/** Fewer means that the expression found no names. */
const namesFoundMin = 20

const stateful = {
  ConnectorsTable: 'AWS::DynamoDB::Table',
  StateTable: 'AWS::DynamoDB::Table',
  LakeBucket: 'AWS::S3::Bucket',
} as const

function typesOf(entries: readonly (readonly [string, Resource])[]): Readonly<Record<string, string>> {
  return Object.fromEntries(entries.map(([id, { Type }]) => [id, Type]))
}

const kept = Object.entries(variants).filter(([, overrides]) => overrides['removalPolicy'] !== 'destroy')

describe('the life of a stack', () => {
  it.each(kept)('a destroyed stack leaves the tables and the lake behind, and nothing else: %s', (_, overrides) => {
    const left = Object.entries(resourcesOf(templateWith(overrides))).filter(
      ([, { DeletionPolicy, UpdateReplacePolicy }]) =>
        ![undefined, 'Delete'].includes(DeletionPolicy) || ![undefined, 'Delete'].includes(UpdateReplacePolicy),
    )
    expect(typesOf(left)).toEqual(stateful)
    for (const [, resource] of left) expect(resource).toMatchObject({ DeletionPolicy: 'Retain', UpdateReplacePolicy: 'Retain' })
  })

  it('a destroyed trial leaves nothing behind', () => {
    const all = Object.values(resourcesOf(templateWith(variants['a trial'])))
    expect(all.filter(({ DeletionPolicy }) => ![undefined, 'Delete'].includes(DeletionPolicy))).toEqual([])
    expect(all.filter(({ Properties }) => Properties?.['DeletionProtectionEnabled'] === true)).toEqual([])
    expect(all.map(({ Type }) => Type)).toContain('Custom::S3AutoDeleteObjects')
  })

  it.each(Object.entries(variants))('the resources that hold data keep their logical ids: %s', (_, overrides) => {
    const all = Object.entries(resourcesOf(templateWith(overrides)))
    const holding = all.filter(([, { Type }]) => /^AWS::(DynamoDB|S3|RDS|EFS|Kinesis)::(Table|GlobalTable|Bucket|Stream)$/.test(Type))
    expect(typesOf(holding)).toEqual(stateful)
  })

  it('no retained resource has a fixed name, so that it does not block the next stack', () => {
    const { ConnectorsTable, StateTable, LakeBucket } = resourcesOf(templateWith())
    expect(ConnectorsTable?.Properties).not.toHaveProperty('TableName')
    expect(StateTable?.Properties).not.toHaveProperty('TableName')
    expect(LakeBucket?.Properties).not.toHaveProperty('BucketName')
  })

  it('no retained resource refers to another resource of the stack, because an import allows no references', () => {
    const { ConnectorsTable, StateTable, LakeBucket } = resourcesOf(templateWith(variants['a KMS key of your own']))
    for (const resource of [ConnectorsTable, StateTable, LakeBucket]) expect(JSON.stringify(readable(resource))).not.toMatch(/<\w/)
  })

  it('the tables are protected from deletion and can be restored to any second of the last 35 days', () => {
    const { ConnectorsTable, StateTable } = resourcesOf(templateWith())
    for (const table of [ConnectorsTable, StateTable]) {
      expect(table?.Properties).toMatchObject({
        DeletionProtectionEnabled: true,
        PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: true },
        BillingMode: 'PAY_PER_REQUEST',
      })
    }
  })

  it.each(Object.entries(variants))(
    'only a trial can be destroyed without first ending the protection of the stack: %s',
    (_, overrides) => {
      expect(stackWith(overrides).stack.terminationProtection).toBe(overrides['removalPolicy'] !== 'destroy')
    },
  )

  it('two stacks of one account have no name in common', () => {
    const names = (namePrefix: string) =>
      Object.values(resourcesOf(templateWith({ namePrefix }))).flatMap(({ Type, Properties = {} }) =>
        // An alias is a part of the name of its function.
        Type === 'AWS::Lambda::Alias' ? [] : Object.entries(named(Properties)).map(([property, name]) => `${Type} ${property} ${name}`),
      )
    const second = new Set(names('second'))
    expect(names('tributary').filter((name) => second.has(name))).toEqual([])
    expect(second.size).toBeGreaterThan(namesFoundMin)
  })
})

/** The physical names that the stack chose, without those that CloudFormation or another resource gives. */
function named(properties: Readonly<Record<string, unknown>>): Readonly<Record<string, string>> {
  const flat = { ...properties, ...(properties['DatabaseInput'] as object | undefined) }
  const names = Object.entries(flat).filter(
    ([property, value]) =>
      typeof value === 'string' &&
      /^(Name|FunctionName|LogGroupName|RuleName|EventBusName|DashboardName|AlarmName|CompositeAlarmName|TopicName|QueueName|RoleName)$/.test(
        property,
      ),
  )
  return Object.fromEntries(names.map(([property, value]) => [property, String(value)]))
}
