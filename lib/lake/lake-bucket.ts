import { Duration, RemovalPolicy, Validations } from 'aws-cdk-lib'
import type { IKey } from 'aws-cdk-lib/aws-kms'
import {
  BlockPublicAccess,
  Bucket,
  BucketEncryption,
  CfnBucket,
  type LifecycleRule,
  ObjectOwnership,
  StorageClass,
} from 'aws-cdk-lib/aws-s3'
import { Construct } from 'constructs'
import { errorsFolder, recordsFolder, resultsFolder } from './lake-layout.ts'

export interface LakeBucketProps {
  /** Days for which a record is kept. For 30 more days it can be restored from its old version. Absent: for ever. */
  readonly retentionDays?: number
  /** Encrypts the objects. Absent: keys that S3 manages. */
  readonly encryptionKey?: IKey
  /** A bucket of the user that gets the access logs. Its policy must let `logging.s3.amazonaws.com` write under the prefix. Absent: no logs. */
  readonly accessLogs?: { readonly bucketName: string; readonly prefix: string }
  /** Destroying the stack deletes the lake and every object in it: for a trial. Absent or false: the lake stays. */
  readonly removable?: boolean
}

/** The bucket of the lake. CloudFormation names it, so that a bucket left behind does not block the next stack. */
export class LakeBucket extends Construct {
  readonly bucket: Bucket

  constructor(scope: Construct, id: string, props: LakeBucketProps = {}) {
    super(scope, id)
    const { retentionDays, encryptionKey, accessLogs, removable = false } = props

    this.bucket = new Bucket(this, 'Bucket', {
      ...(encryptionKey === undefined
        ? { encryption: BucketEncryption.S3_MANAGED }
        : { encryption: BucketEncryption.KMS, encryptionKey, bucketKeyEnabled: true }),
      enforceSSL: true,
      minimumTLSVersion: 1.2,
      blockPublicAccess: BlockPublicAccess.BLOCK_ALL,
      objectOwnership: ObjectOwnership.BUCKET_OWNER_ENFORCED,
      versioned: true,
      lifecycleRules: lifecycle(retentionDays),
      removalPolicy: removable ? RemovalPolicy.DESTROY : RemovalPolicy.RETAIN,
      autoDeleteObjects: removable,
    })
    const resource = this.bucket.node.defaultChild
    // The CDK's own property `eventBridgeEnabled` would add a function that may change the notifications of every bucket.
    if (resource instanceof CfnBucket) {
      resource.notificationConfiguration = { eventBridgeConfiguration: { eventBridgeEnabled: true } }
      if (accessLogs !== undefined) {
        resource.loggingConfiguration = { destinationBucketName: accessLogs.bucketName, logFilePrefix: accessLogs.prefix }
      }
    }
    if (accessLogs === undefined) {
      Validations.of(this.bucket).acknowledge({
        id: 'AwsSolutions-S1',
        reason:
          'Off by default: CloudTrail’s data events record who reads the lake, and a bucket of access logs must be kept, protected and paid for as well.',
      })
    }
  }
}

/** An object in intelligent tiering costs less from its 60th day on. With a retention up to this one the gain is too small. */
const tieringGainsAboveDays = 90

function lifecycle(retentionDays: number | undefined): LifecycleRule[] {
  const expiration = retentionDays === undefined ? undefined : Duration.days(retentionDays)
  const retention = (prefix: string): LifecycleRule => ({ id: `retention of ${prefix}`, prefix, expiration })
  return [
    {
      id: 'former versions and unfinished uploads',
      noncurrentVersionExpiration: Duration.days(30),
      expiredObjectDeleteMarker: true,
      abortIncompleteMultipartUploadAfter: Duration.days(7),
    },
    ...(expiration === undefined ? [] : [retention(recordsFolder), retention(errorsFolder)]),
    // Infrequent access would double Athena's price of reading. S3 does not move objects below 128 KB.
    // https://docs.aws.amazon.com/AmazonS3/latest/userguide/intelligent-tiering-overview.html
    ...(retentionDays !== undefined && retentionDays <= tieringGainsAboveDays
      ? []
      : [
          {
            id: 'cheaper storage of unread records',
            prefix: recordsFolder,
            transitions: [{ storageClass: StorageClass.INTELLIGENT_TIERING, transitionAfter: Duration.days(30) }],
          },
        ]),
    {
      id: 'results of queries',
      prefix: resultsFolder,
      expiration: Duration.days(7),
      noncurrentVersionExpiration: Duration.days(1),
    },
  ]
}
