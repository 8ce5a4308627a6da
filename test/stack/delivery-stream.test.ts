import { App, Stack } from 'aws-cdk-lib'
import { Template } from 'aws-cdk-lib/assertions'
import { Key } from 'aws-cdk-lib/aws-kms'
import { Bucket } from 'aws-cdk-lib/aws-s3'
import { describe, expect, it } from 'vitest'
import { DeliveryStream } from '../../lib/lake/delivery-stream.ts'
import { layoutOf } from '../../local/services/firehose/s3-destination.ts'
import { readable } from './stack.ts'

const keyArn = 'arn:aws-cn:kms:cn-north-1:111122223333:key/0f0f0f0f-1111-2222-3333-444455556666'

function templateOf({ ownKey = false } = {}): Template {
  const stack = new Stack(new App(), 'delivery')
  const encryptionKey = ownKey ? Key.fromKeyArn(stack, 'Key', keyArn) : undefined
  const bucket = new Bucket(stack, 'Bucket', encryptionKey === undefined ? {} : { encryptionKey })
  new DeliveryStream(stack, 'Delivery', { namePrefix: 'tributary', bucket })
  return Template.fromStack(stack)
}

const template = templateOf()

function propertiesOf(type: string, from = template) {
  const [resource, ...others] = Object.values(from.findResources(type))
  expect(others).toEqual([])
  return readable(resource?.['Properties']) as Readonly<Record<string, unknown>>
}

const destination = propertiesOf('AWS::KinesisFirehose::DeliveryStream')['ExtendedS3DestinationConfiguration'] as Readonly<
  Record<string, unknown>
>

describe('the delivery stream', () => {
  it('the delivery stream takes direct puts, encrypts records while it holds them, and has no fixed name', () => {
    const { ExtendedS3DestinationConfiguration: _, ...others } = propertiesOf('AWS::KinesisFirehose::DeliveryStream')
    expect(others).toEqual({
      DeliveryStreamType: 'DirectPut',
      DeliveryStreamEncryptionConfigurationInput: { KeyType: 'AWS_OWNED_CMK' },
    })
  })

  it('the delivery stream writes gzip by day and hour of arrival within a minute, and failed records under errors/', () => {
    expect(destination).toMatchObject({
      Prefix: 'syslog/dt=!{timestamp:yyyy-MM-dd}/hour=!{timestamp:HH}/',
      ErrorOutputPrefix: 'errors/!{firehose:error-output-type}/dt=!{timestamp:yyyy-MM-dd}/',
      CompressionFormat: 'GZIP',
      FileExtension: '.json.gz',
      BufferingHints: { IntervalInSeconds: 60, SizeInMBs: 128 },
    })
  })

  it('the delivery stream writes objects to the same folders as the local one', () => {
    const deployed = layoutOf(destination)
    const local = layoutOf()
    const at = '2026-11-25T09:08:07.000Z'
    expect([deployed.folder(at), deployed.extension, deployed.gzip]).toEqual([local.folder(at), local.extension, local.gzip])
  })

  it('the delivery stream logs each failed delivery', () => {
    expect(propertiesOf('AWS::Logs::LogGroup')).toEqual({ LogGroupName: '/tributary/delivery', RetentionInDays: 30 })
    expect(destination['CloudWatchLoggingOptions']).toEqual({
      Enabled: true,
      LogGroupName: '<DeliveryLogGroup>',
      LogStreamName: '<DeliveryLogStream>',
    })
  })

  it('a KMS key of the bucket encrypts the records in the stream and the log as well', () => {
    const template = templateOf({ ownKey: true })
    expect(propertiesOf('AWS::KinesisFirehose::DeliveryStream', template)['DeliveryStreamEncryptionConfigurationInput']).toEqual({
      KeyType: 'CUSTOMER_MANAGED_CMK',
      KeyARN: keyArn,
    })
    expect(propertiesOf('AWS::Logs::LogGroup', template)['KmsKeyId']).toBe(keyArn)
  })
})

describe('the role of the delivery stream', () => {
  const statements = (from = template) => {
    const policies = propertiesOf('AWS::IAM::Role', from)['Policies'] as { readonly PolicyDocument: { readonly Statement: unknown[] } }[]
    return policies.flatMap(({ PolicyDocument }) => PolicyDocument.Statement)
  }

  it('the role may write the two folders of its bucket and its own log, and nothing else', () => {
    expect(statements()).toEqual([
      {
        Effect: 'Allow',
        Action: ['s3:GetBucketLocation', 's3:ListBucket', 's3:ListBucketMultipartUploads'],
        Resource: '<Bucket.Arn>',
      },
      {
        Effect: 'Allow',
        Action: ['s3:AbortMultipartUpload', 's3:GetObject', 's3:PutObject'],
        Resource: ['<Bucket.Arn>/syslog/*', '<Bucket.Arn>/errors/*'],
      },
      {
        Effect: 'Allow',
        Action: 'logs:PutLogEvents',
        Resource: 'arn:<AWS::Partition>:logs:<AWS::Region>:<AWS::AccountId>:log-group:<DeliveryLogGroup>:log-stream:<DeliveryLogStream>',
      },
    ])
    expect(propertiesOf('AWS::IAM::Role')).not.toHaveProperty('ManagedPolicyArns')
  })

  it('the role may use a KMS key of the bucket, and only through S3', () => {
    expect(statements(templateOf({ ownKey: true })).slice(3)).toEqual([
      {
        Effect: 'Allow',
        Action: ['kms:Decrypt', 'kms:GenerateDataKey'],
        Resource: keyArn,
        Condition: { StringEquals: { 'kms:ViaService': ['s3.cn-north-1.amazonaws.com', 's3.cn-north-1.amazonaws.com.cn'] } },
      },
    ])
  })

  it('only Firehose on behalf of this account may assume the role', () => {
    expect(propertiesOf('AWS::IAM::Role')['AssumeRolePolicyDocument']).toMatchObject({
      Statement: [
        {
          Action: 'sts:AssumeRole',
          Principal: { Service: 'firehose.amazonaws.com' },
          Condition: { StringEquals: { 'sts:ExternalId': '<AWS::AccountId>' } },
        },
      ],
    })
  })
})
