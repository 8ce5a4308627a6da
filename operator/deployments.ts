import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { CloudFormationClient } from '@aws-sdk/client-cloudformation'
import { DynamoDBClient } from '@aws-sdk/client-dynamodb'
import { S3Client } from '@aws-sdk/client-s3'
import { systemClock as clock } from '../functions/adapters/clock.ts'
import { awsClient } from '../functions/runtime/aws-client.ts'
import { connectorsTableName, startServices, stateTableName } from '../local/services/services.ts'
import { StartupError } from '../local/services/startup-error.ts'
import type { Deployment } from './delete-tenant.ts'
import { lakeBucket } from './lake-bucket.ts'
import { lakeFolder } from './lake-folder.ts'
import { stackOutputs } from './stack-outputs.ts'
import { tables } from './tenant-state.ts'

/** While other objects are looked through, the rest of one waits in its connection (ms). */
const objectPauseMs = 60_000

export interface OpenDeployment extends Omit<Deployment, 'say'> {
  /** Names it, with account and region. */
  readonly title: string
  close(): Promise<void>
}

/**
 * The stack of this name, in the account and region of the caller's credentials. The names of its resources are its outputs. Throws
 * `StartupError` if it cannot be read.
 */
export async function ofStack(stackName: string): Promise<OpenDeployment> {
  const cloudFormation = new CloudFormationClient(awsClient)
  const { account, region, output } = await stackOutputs(cloudFormation, stackName)
  const dynamodb = new DynamoDBClient(awsClient)
  const s3 = new S3Client({ ...awsClient, requestHandler: { ...awsClient.requestHandler, socketTimeout: objectPauseMs } })
  return {
    title: `stack ${stackName}, account ${account}, region ${region}`,
    tables: tables({
      client: dynamodb,
      connectorsTable: output('ConnectorsTableName'),
      stateTable: output('StateTableName'),
      secretPrefix: output('SecretPrefix'),
      clock,
    }),
    lake: lakeBucket(s3, output('LakeBucketName')),
    clock,
    isLive: true,
    async close() {
      for (const client of [cloudFormation, dynamodb, s3]) client.destroy()
    },
  }
}

/** A data folder of this machine. Throws `StartupError` if there is none, or a program uses it. */
export async function ofFolder(dataDir: string): Promise<OpenDeployment> {
  if (!existsSync(join(dataDir, 'owner.lock'))) throw new StartupError(`${dataDir} is not a data folder. Name one with --data.`)
  const services = await startServices({ dataDir })
  const client = new DynamoDBClient({ ...services.clientConfig, endpoint: services.addresses.dynamodb })
  return {
    title: `data folder ${dataDir}`,
    tables: tables({ client, connectorsTable: connectorsTableName, stateTable: stateTableName, secretPrefix: 'tributary/', clock }),
    lake: lakeFolder(dataDir),
    clock,
    isLive: false,
    async close() {
      client.destroy()
      await services.close()
    },
  }
}
