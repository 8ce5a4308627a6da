import { Stack } from 'aws-cdk-lib'
import { CfnNamedQuery, CfnWorkGroup } from 'aws-cdk-lib/aws-athena'
import type { IBucket } from 'aws-cdk-lib/aws-s3'
import { Construct } from 'constructs'
import { resultsFolder } from './lake-layout.ts'
import { savedQueries } from './lake-queries.ts'

export interface QueryWorkgroupProps {
  /** Names the workgroup. */
  readonly namePrefix: string
  /** The bucket of the lake. It keeps results for a week. */
  readonly bucket: IBucket
  readonly databaseName: string
  /** Bytes that one query may read, at least 10 MB. Absent: 100 GiB, which cost about half a dollar. */
  readonly scanBytesMax?: number
}

/** The workgroup of Athena that limits how much a query may read, with the saved queries. */
export class QueryWorkgroup extends Construct {
  readonly workgroupName: string

  constructor(scope: Construct, id: string, props: QueryWorkgroupProps) {
    super(scope, id)
    const { namePrefix, bucket, databaseName, scanBytesMax = 100 * 1024 ** 3 } = props

    const workgroup = new CfnWorkGroup(this, 'Workgroup', {
      name: namePrefix,
      description: 'Queries of the lake.',
      // Without it, a workgroup that has queries cannot be deleted, and neither can the stack.
      recursiveDeleteOption: true,
      workGroupConfiguration: {
        enforceWorkGroupConfiguration: true,
        bytesScannedCutoffPerQuery: scanBytesMax,
        publishCloudWatchMetricsEnabled: true,
        engineVersion: { selectedEngineVersion: 'Athena engine version 3' },
        resultConfiguration: {
          outputLocation: `s3://${bucket.bucketName}/${resultsFolder}`,
          expectedBucketOwner: Stack.of(this).account,
          encryptionConfiguration:
            bucket.encryptionKey === undefined
              ? { encryptionOption: 'SSE_S3' }
              : { encryptionOption: 'SSE_KMS', kmsKey: bucket.encryptionKey.keyArn },
        },
      },
    })
    this.workgroupName = workgroup.ref

    for (const { name, doc, sql } of savedQueries) {
      new CfnNamedQuery(this, name, {
        name: `${namePrefix}: ${name}`,
        description: doc,
        database: databaseName,
        workGroup: workgroup.ref,
        queryString: sql,
      })
    }
  }
}
