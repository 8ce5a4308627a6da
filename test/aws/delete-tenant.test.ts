import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { buffer } from 'node:stream/consumers'
import { gunzipSync, gzipSync } from 'node:zlib'
import { CloudFormationClient, CreateStackCommand, DescribeStacksCommand } from '@aws-sdk/client-cloudformation'
import { DynamoDBClient, PutItemCommand, ScanCommand } from '@aws-sdk/client-dynamodb'
import {
  DeleteObjectCommand,
  GetObjectCommand,
  ListObjectVersionsCommand,
  PutBucketVersioningCommand,
  type PutBucketVersioningCommandInput,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3'
import { marshall } from '@aws-sdk/util-dynamodb'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { deleteTenant } from '../../operator/delete-tenant.ts'
import { ofStack } from '../../operator/deployments.ts'
import { assemblyDir } from './folders.ts'
import { type Service, startMoto } from './services.ts'
import { account, region, Stack } from './template.ts'

/** A stack in moto, made of the tables, the bucket and the outputs of the template. Its functions do not run: the connectors are retired already. */

let moto: Service
beforeAll(async () => {
  moto = await startMoto()
  vi.stubEnv('AWS_ENDPOINT_URL', moto.address)
  vi.stubEnv('AWS_REGION', region)
  vi.stubEnv('AWS_ACCESS_KEY_ID', 'operator')
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'secret')
})
afterAll(async () => {
  vi.unstubAllEnvs()
  await moto.close()
})

/** Makes the stack, and returns its outputs. */
async function createStack(name: string): Promise<Readonly<Record<string, string>>> {
  const { folder, name: id } = new Stack(assemblyDir)
  const template = JSON.parse(readFileSync(join(folder, `${id}.template.json`), 'utf8'))
  const isKept = ({ Type }: { readonly Type: string }) => ['AWS::DynamoDB::Table', 'AWS::S3::Bucket'].includes(Type)
  const Resources = Object.fromEntries(
    Object.entries<{ readonly Type: string }>(template.Resources).filter(([, resource]) => isKept(resource)),
  )
  const names = ['ConnectorsTableName', 'StateTableName', 'LakeBucketName', 'SecretPrefix']
  const Outputs = Object.fromEntries(names.map((output) => [output, template.Outputs[output]]))
  const client = new CloudFormationClient({})
  await client.send(new CreateStackCommand({ StackName: name, TemplateBody: JSON.stringify({ Resources, Outputs }) }))
  const { Stacks: [made] = [] } = await client.send(new DescribeStacksCommand({ StackName: name }))
  return Object.fromEntries(made?.Outputs?.map(({ OutputKey, OutputValue = '' }) => [OutputKey, OutputValue]) ?? [])
}

const line = (tenant: string) => `${JSON.stringify({ id: 'x', connector_id: `${tenant}.cas`, tenant })}\n`
const key = (name: string) => `syslog/dt=2026-11-27/hour=09/${name}.json.gz`

test('a tenant of a stack is left in no item and in no version of an object, and the others keep theirs', async () => {
  const { LakeBucketName: bucket, ConnectorsTableName: connectors = '', StateTableName: state = '' } = await createStack('tributary')
  const stack = await ofStack('tributary')
  expect(stack.title).toBe(`stack tributary, account ${account}, region ${region}`)
  const s3 = new S3Client({})
  // moto's CloudFormation leaves out this property of the template.
  const { VersioningConfiguration } = new Stack(assemblyDir).only('AWS::S3::Bucket').properties as Partial<PutBucketVersioningCommandInput>
  await s3.send(new PutBucketVersioningCommand({ Bucket: bucket, VersioningConfiguration }))
  const dynamodb = new DynamoDBClient({})
  const putObject = (name: string, content: string) =>
    s3.send(new PutObjectCommand({ Bucket: bucket, Key: key(name), Body: gzipSync(content), ContentType: 'application/octet-stream' }))
  await putObject('mixed', line('acme') + line('globex'))
  await putObject('own', line('acme'))
  await putObject('deleted', line('acme'))
  await s3.send(new DeleteObjectCommand({ Bucket: bucket, Key: key('deleted') }))
  await putObject('others', line('globex'))
  for (const tenant of ['acme', 'globex']) {
    await dynamodb.send(new PutItemCommand({ TableName: connectors, Item: marshall({ connectorId: `${tenant}.cas`, tenantName: tenant }) }))
    const items = [
      { pk: `CONNECTOR#${tenant}.cas`, sk: 'STREAM#sharepoint/dlp' },
      { pk: `SECRET#tributary/${tenant}/cas`, sk: 'ORIGIN', origin: 'https://api.tmcas.trendmicro.com' },
    ]
    for (const item of items) await dynamodb.send(new PutItemCommand({ TableName: state, Item: marshall({ ...item, schemaVersion: 1 }) }))
  }

  const clock = { now: () => Date.now(), sleepUntil: async () => {} }
  const deleted = await deleteTenant({ ...stack, clock, say: () => {} }, 'acme', await stack.tables.find('acme'))
  await stack.close()

  expect(deleted).toMatchObject({ records: 3, objects: 3, failed: [], cameBack: [], secretNames: ['tributary/acme/cas'] })
  const { Versions = [] } = await s3.send(new ListObjectVersionsCommand({ Bucket: bucket }))
  const contents = await Promise.all(
    Versions.map(async ({ Key, VersionId }) => {
      const { Body, ContentType } = await s3.send(new GetObjectCommand({ Bucket: bucket, Key, VersionId }))
      return [Key, ContentType, gunzipSync(await buffer(Body as AsyncIterable<Uint8Array>)).toString()]
    }),
  )
  expect(contents.sort()).toEqual(['mixed', 'others'].map((name) => [key(name), 'application/octet-stream', line('globex')]))
  for (const table of [connectors, state]) {
    const { Items } = await dynamodb.send(new ScanCommand({ TableName: table }))
    expect(JSON.stringify(Items)).not.toContain('acme')
    expect(JSON.stringify(Items)).toContain('globex')
  }
})
