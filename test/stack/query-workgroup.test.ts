import { readFileSync } from 'node:fs'
import { App, Stack } from 'aws-cdk-lib'
import { Template } from 'aws-cdk-lib/assertions'
import { Key } from 'aws-cdk-lib/aws-kms'
import { Bucket } from 'aws-cdk-lib/aws-s3'
import { describe, expect, it } from 'vitest'
import { QueryWorkgroup, type QueryWorkgroupProps } from '../../lib/lake/query-workgroup.ts'
import { readable } from './stack.ts'

const keyArn = 'arn:aws-cn:kms:cn-north-1:111122223333:key/0f0f0f0f-1111-2222-3333-444455556666'

/** Athena takes no longer description. */
const descriptionCharactersMax = 1_024

function templateOf(props: Partial<QueryWorkgroupProps> = {}, { ownKey = false } = {}): Template {
  const stack = new Stack(new App(), 'queries')
  const encryptionKey = ownKey ? Key.fromKeyArn(stack, 'Key', keyArn) : undefined
  const bucket = new Bucket(stack, 'Bucket', encryptionKey === undefined ? {} : { encryptionKey })
  new QueryWorkgroup(stack, 'Queries', { namePrefix: 'tributary', bucket, databaseName: 'lake', ...props })
  return Template.fromStack(stack)
}

function workgroup(template: Template) {
  const [resource] = Object.values(template.findResources('AWS::Athena::WorkGroup'))
  return readable(resource?.['Properties']) as Readonly<Record<string, unknown>> & {
    readonly WorkGroupConfiguration: { readonly ResultConfiguration: Readonly<Record<string, unknown>> }
  }
}

describe('the workgroup', () => {
  it('the workgroup limits the bytes of a query, no client can lift the limit, and queries are measured', () => {
    expect(workgroup(templateOf())).toMatchObject({
      Name: 'tributary',
      WorkGroupConfiguration: {
        EnforceWorkGroupConfiguration: true,
        BytesScannedCutoffPerQuery: 100 * 1024 ** 3,
        PublishCloudWatchMetricsEnabled: true,
        EngineVersion: { SelectedEngineVersion: 'Athena engine version 3' },
      },
    })
    expect(workgroup(templateOf({ scanBytesMax: 10_000_000 }))).toMatchObject({
      WorkGroupConfiguration: { BytesScannedCutoffPerQuery: 10_000_000 },
    })
  })

  it('the workgroup is deleted with the stack although it has queries', () => {
    expect(workgroup(templateOf())['RecursiveDeleteOption']).toBe(true)
  })

  it('results go to the lake’s bucket, if this account still owns it, encrypted as the lake is', () => {
    expect(workgroup(templateOf()).WorkGroupConfiguration.ResultConfiguration).toEqual({
      OutputLocation: 's3://<Bucket>/athena-results/',
      ExpectedBucketOwner: '<AWS::AccountId>',
      EncryptionConfiguration: { EncryptionOption: 'SSE_S3' },
    })
    expect(workgroup(templateOf({}, { ownKey: true })).WorkGroupConfiguration.ResultConfiguration['EncryptionConfiguration']).toEqual({
      EncryptionOption: 'SSE_KMS',
      KmsKey: keyArn,
    })
  })
})

describe('the saved queries', () => {
  const queries = Object.values(templateOf().findResources('AWS::Athena::NamedQuery')).map(
    ({ Properties }) => readable(Properties) as Readonly<Record<string, string>>,
  )

  it('each saved query is in the workgroup and the database, with a name of its own and a sentence about its result', () => {
    expect(new Set(queries.map(({ Name }) => Name)).size).toBe(queries.length)
    for (const { WorkGroup, Database, Description } of queries) {
      expect([WorkGroup, Database]).toEqual(['<QueriesWorkgroup>', 'lake'])
      expect(Description).toMatch(/\.$/)
      expect(Description!.length).toBeLessThanOrEqual(descriptionCharactersMax)
    }
  })

  it('the guide to the lake lists the saved queries', () => {
    const guide = readFileSync('docs/lake.md', 'utf8')
    const listed = guide.slice(guide.indexOf('| query |'), guide.indexOf('## What the views promise'))
    expect([...listed.matchAll(/^\| ([A-Z][^|]*?) \|/gm)].map(([, name]) => `tributary: ${name}`)).toEqual(queries.map(({ Name }) => Name))
  })

  it('a saved query that reads more than a week says what it costs, and what ends it', () => {
    // docs/lake.md: a million records are about 0.4 GB, and a TB costs $5.
    const dollarsPerMillion = ((0.4 / 1_024) * 5).toFixed(3)
    const days = ({ QueryString = '' }: Readonly<Record<string, string>>) => Number(/interval '(\d+)' day/.exec(QueryString)?.[1]) + 1
    const long = queries.filter((query) => days(query) > 7)
    expect(long.map(({ Name }) => Name)).toEqual(['tributary: Events of one user'])
    for (const { Description } of long) {
      expect(Description).toContain(`$${dollarsPerMillion} for each million records`)
      expect(Description).toContain('athenaScanLimitGb')
    }
  })

  it('every saved query has a condition on recent days', () => {
    for (const { Name, QueryString } of queries) expect(QueryString, Name).toMatch(/\bdt >= /)
  })
})
