import { ArnFormat, CfnElement, RemovalPolicy, Stack, Validations } from 'aws-cdk-lib'
import { PolicyDocument, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam'
import { CfnDeliveryStream } from 'aws-cdk-lib/aws-kinesisfirehose'
import { LogGroup, LogStream, RetentionDays } from 'aws-cdk-lib/aws-logs'
import type { IBucket } from 'aws-cdk-lib/aws-s3'
import { Construct } from 'constructs'
import { allow, useKey } from '../permissions.ts'
import { errorPrefix, errorsFolder, recordObjects, recordsFolder } from './lake-layout.ts'

export interface DeliveryStreamProps {
  /** The name of the log group begins with it. */
  readonly namePrefix: string
  /** If the bucket has a KMS key, the records in the stream and the log are encrypted with the same key. */
  readonly bucket: IBucket
  /** How long the log of failed deliveries is kept. Absent: a month. */
  readonly logRetention?: RetentionDays
}

/** The first limit that is reached closes an object. The size is before compression. Athena cannot split gzip: an object has one reader. */
const bufferingHints = { intervalInSeconds: 60, sizeInMBs: 128 }

/** The delivery stream of the records. A record that it acknowledged is in the lake about a minute later. */
export class DeliveryStream extends Construct {
  readonly deliveryStreamName: string
  readonly deliveryStreamArn: string

  constructor(scope: Construct, id: string, props: DeliveryStreamProps) {
    super(scope, id)
    const { namePrefix, bucket, logRetention = RetentionDays.ONE_MONTH } = props

    const logGroup = new LogGroup(this, 'LogGroup', {
      logGroupName: `/${namePrefix}/delivery`,
      retention: logRetention,
      removalPolicy: RemovalPolicy.DESTROY,
      ...(bucket.encryptionKey === undefined ? {} : { encryptionKey: bucket.encryptionKey }),
    })
    const logStream = new LogStream(this, 'LogStream', { logGroup, logStreamName: 'syslog', removalPolicy: RemovalPolicy.DESTROY })
    const logStreamArn = Stack.of(this).formatArn({
      service: 'logs',
      resource: 'log-group',
      resourceName: `${logGroup.logGroupName}:log-stream:${logStream.logStreamName}`,
      arnFormat: ArnFormat.COLON_RESOURCE_NAME,
    })
    const role = this.roleOf(bucket, logStreamArn)

    const stream = new CfnDeliveryStream(this, 'Stream', {
      deliveryStreamType: 'DirectPut',
      // Firehose uses a key by a grant that it makes in the name of the deployer.
      deliveryStreamEncryptionConfigurationInput:
        bucket.encryptionKey === undefined
          ? { keyType: 'AWS_OWNED_CMK' }
          : { keyType: 'CUSTOMER_MANAGED_CMK', keyArn: bucket.encryptionKey.keyArn },
      extendedS3DestinationConfiguration: {
        bucketArn: bucket.bucketArn,
        roleArn: role.roleArn,
        prefix: recordObjects.Prefix,
        errorOutputPrefix: errorPrefix,
        compressionFormat: recordObjects.CompressionFormat,
        fileExtension: recordObjects.FileExtension,
        bufferingHints,
        cloudWatchLoggingOptions: { enabled: true, logGroupName: logGroup.logGroupName, logStreamName: logStream.logStreamName },
      },
    })
    this.deliveryStreamName = stream.ref
    this.deliveryStreamArn = stream.attrArn
  }

  /** The permissions of Firehose's guide, limited to the two folders: https://docs.aws.amazon.com/firehose/latest/dev/controlling-access.html#using-iam-s3 */
  private roleOf(bucket: IBucket, logStreamArn: string): Role {
    const folders = [recordsFolder, errorsFolder]
    const statements = [
      allow(['s3:GetBucketLocation', 's3:ListBucket', 's3:ListBucketMultipartUploads'], bucket.bucketArn),
      allow(['s3:AbortMultipartUpload', 's3:GetObject', 's3:PutObject'], ...folders.map((folder) => bucket.arnForObjects(`${folder}*`))),
      allow(['logs:PutLogEvents'], logStreamArn),
      ...useKey(bucket.encryptionKey, ['kms:Decrypt', 'kms:GenerateDataKey'], 's3'),
    ]
    const role = new Role(this, 'Role', {
      description: 'Firehose writes records to the lake.',
      assumedBy: new ServicePrincipal('firehose.amazonaws.com', {
        conditions: { StringEquals: { 'sts:ExternalId': Stack.of(this).account } },
      }),
      inlinePolicies: { delivery: new PolicyDocument({ statements }) },
    })
    const resource = bucket.node.defaultChild
    const bucketId = CfnElement.isCfnElement(resource) ? Stack.of(this).getLogicalId(resource) : ''
    for (const folder of folders) {
      Validations.of(role).acknowledge({
        id: `AwsSolutions-IAM5[Resource::<${bucketId}.Arn>/${folder}*]`,
        reason: 'The name of an object has its time and a random part, so only its folder is known in advance.',
      })
    }
    return role
  }
}
