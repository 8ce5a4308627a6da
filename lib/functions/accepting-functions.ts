import type { IEventBus } from 'aws-cdk-lib/aws-events'
import type { PolicyStatement } from 'aws-cdk-lib/aws-iam'
import type { Construct } from 'constructs'
import { allow, readSecrets, useKey } from '../permissions.ts'
import type { Settings } from '../settings.ts'
import type { ConnectorsTable } from '../state/connectors-table.ts'
import type { WorkQueue } from '../state/queues.ts'
import type { StateTable } from '../state/state-table.ts'
import type { EnvironmentOf, PipelineFunctionSettings } from './pipeline-function.ts'

/** Shared by `connector-changed` and `dispatch`: both check connectors against the settings and put runs into the work queue. */
export interface AcceptingFunctionProps extends PipelineFunctionSettings {
  readonly settings: Settings
  readonly metricsNamespace: string
  readonly connectorsTable: ConnectorsTable
  readonly stateTable: StateTable
  readonly workQueue: WorkQueue
  readonly bus: IEventBus
}

export function acceptingEnvironment(props: AcceptingFunctionProps): EnvironmentOf<'connectorChanged'> {
  const { settings, stateTable, workQueue, bus, metricsNamespace } = props
  return {
    STATE_TABLE: stateTable.tableName,
    QUEUE_URL: workQueue.queueUrl,
    EVENT_BUS: bus.eventBusName,
    METRICS_NAMESPACE: metricsNamespace,
    SECRET_PREFIX: settings.secretPrefix,
    SECRETS_BOUND_TO_ORIGIN: 'true',
    ALLOWED_HOSTS: settings.allowedHosts.join(','),
    SHARED_RATE_GROUPS: settings.sharedRateGroups.join(','),
    TLS_VERIFICATION_OPTIONAL: String(settings.tlsVerificationOptional),
  }
}

export function acceptingPermissions(scope: Construct, props: AcceptingFunctionProps): readonly PolicyStatement[] {
  const { settings, encryptionKey, stateTable, workQueue, bus } = props
  return [
    stateTable.readAndWrite(),
    readSecrets(scope, settings.secretPrefix),
    allow(['events:PutEvents'], bus.eventBusArn),
    allow(['sqs:SendMessage'], workQueue.queueArn),
    ...useKey(encryptionKey, ['kms:Decrypt'], 'dynamodb', 'secretsmanager'),
    ...useKey(encryptionKey, ['kms:Decrypt', 'kms:GenerateDataKey'], 'sqs'),
  ]
}
