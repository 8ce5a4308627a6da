import { App, Stack } from 'aws-cdk-lib'
import { Match, Template } from 'aws-cdk-lib/assertions'
import { Key } from 'aws-cdk-lib/aws-kms'
import { describe, expect, it } from 'vitest'
import { LakeBucket, type LakeBucketProps } from '../../lib/lake/lake-bucket.ts'

const keyArn = 'arn:aws-cn:kms:cn-north-1:111122223333:key/0f0f0f0f-1111-2222-3333-444455556666'

function templateOf(props: (stack: Stack) => LakeBucketProps = () => ({})): Template {
  const stack = new Stack(new App(), 'lake')
  new LakeBucket(stack, 'Lake', props(stack))
  return Template.fromStack(stack)
}

function rules(props: LakeBucketProps = {}): readonly Readonly<Record<string, unknown>>[] {
  const [bucket] = Object.values(templateOf(() => props).findResources('AWS::S3::Bucket'))
  return bucket?.['Properties'].LifecycleConfiguration.Rules
}

const under = (prefix: string, props?: LakeBucketProps) => rules(props).filter(({ Prefix }) => Prefix === prefix)

describe('the bucket of the lake', () => {
  it('the bucket is encrypted with keys of S3, or with a KMS key of your own', () => {
    const encryption = (rule: unknown) => ({ BucketEncryption: { ServerSideEncryptionConfiguration: [rule] } })
    templateOf().hasResourceProperties('AWS::S3::Bucket', encryption({ ServerSideEncryptionByDefault: { SSEAlgorithm: 'AES256' } }))
    const encryptionKey = (stack: Stack) => Key.fromKeyArn(stack, 'Key', keyArn)
    templateOf((stack) => ({ encryptionKey: encryptionKey(stack) })).hasResourceProperties(
      'AWS::S3::Bucket',
      encryption({
        BucketKeyEnabled: true,
        ServerSideEncryptionByDefault: { SSEAlgorithm: 'aws:kms', KMSMasterKeyID: keyArn },
      }),
    )
  })

  it('the bucket refuses public access, and access without TLS 1.2', () => {
    const template = templateOf()
    template.hasResourceProperties('AWS::S3::Bucket', {
      PublicAccessBlockConfiguration: {
        BlockPublicAcls: true,
        BlockPublicPolicy: true,
        IgnorePublicAcls: true,
        RestrictPublicBuckets: true,
      },
      OwnershipControls: { Rules: [{ ObjectOwnership: 'BucketOwnerEnforced' }] },
    })
    const denied = (Condition: unknown) => Match.objectLike({ Effect: 'Deny', Action: 's3:*', Principal: { AWS: '*' }, Condition })
    template.hasResourceProperties('AWS::S3::BucketPolicy', {
      PolicyDocument: {
        Statement: [denied({ Bool: { 'aws:SecureTransport': 'false' } }), denied({ NumericLessThan: { 's3:TlsVersion': 1.2 } })],
      },
    })
  })

  it('the bucket keeps versions and sends its events to EventBridge, without a function that could change other buckets', () => {
    const template = templateOf()
    template.hasResourceProperties('AWS::S3::Bucket', {
      VersioningConfiguration: { Status: 'Enabled' },
      NotificationConfiguration: { EventBridgeConfiguration: { EventBridgeEnabled: true } },
    })
    template.resourceCountIs('AWS::Lambda::Function', 0)
  })

  it('the bucket sends its access logs to a bucket of the user, if there is one', () => {
    const logging = (props?: LakeBucketProps) =>
      Object.values(templateOf(() => props ?? {}).findResources('AWS::S3::Bucket')).map(({ Properties }) => Properties.LoggingConfiguration)
    expect(logging()).toEqual([undefined])
    expect(logging({ accessLogs: { bucketName: 'logs-of-acme', prefix: 'second/' } })).toEqual([
      { DestinationBucketName: 'logs-of-acme', LogFilePrefix: 'second/' },
    ])
  })

  it('the bucket has no fixed name and stays when the stack is deleted', () => {
    templateOf().hasResource('AWS::S3::Bucket', {
      Properties: { BucketName: Match.absent() },
      DeletionPolicy: 'Retain',
      UpdateReplacePolicy: 'Retain',
    })
  })

  it('a removable bucket is deleted with the stack and its objects', () => {
    const template = templateOf(() => ({ removable: true }))
    template.hasResource('AWS::S3::Bucket', { DeletionPolicy: 'Delete', UpdateReplacePolicy: 'Delete' })
    template.resourceCountIs('Custom::S3AutoDeleteObjects', 1)
  })
})

describe('the lifecycle of the lake', () => {
  it('records and errors expire after the retention, and never without one', () => {
    const expirations = (props?: LakeBucketProps) =>
      ['syslog/', 'errors/'].map((prefix) => under(prefix, props).flatMap(({ ExpirationInDays }) => ExpirationInDays ?? []))
    expect(expirations({ retentionDays: 400 })).toEqual([[400], [400]])
    expect(expirations()).toEqual([[], []])
  })

  it('deleted objects are kept for 30 days, and unfinished uploads for 7', () => {
    expect(rules()).toContainEqual({
      Id: 'former versions and unfinished uploads',
      Status: 'Enabled',
      NoncurrentVersionExpiration: { NoncurrentDays: 30 },
      ExpiredObjectDeleteMarker: true,
      AbortIncompleteMultipartUpload: { DaysAfterInitiation: 7 },
    })
  })

  it('records move to cheaper storage if the retention is long enough to gain by it', () => {
    const moves = (props?: LakeBucketProps) => under('syslog/', props).flatMap(({ Transitions }) => Transitions ?? [])
    expect(moves()).toEqual([{ StorageClass: 'INTELLIGENT_TIERING', TransitionInDays: 30 }])
    expect(moves({ retentionDays: 91 })).toHaveLength(1)
    expect(moves({ retentionDays: 90 })).toEqual([])
  })

  it('results of queries expire after a week', () => {
    expect(under('athena-results/')).toMatchObject([{ ExpirationInDays: 7, NoncurrentVersionExpiration: { NoncurrentDays: 1 } }])
  })
})
