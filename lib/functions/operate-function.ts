import { ArnFormat, Duration, Stack } from 'aws-cdk-lib'
import type { Alias } from 'aws-cdk-lib/aws-lambda'
import type { Construct } from 'constructs'
import { fleetIndex } from '../../functions/adapters/state-table/table-definitions.ts'
import { allow, readSecrets, useKey } from '../permissions.ts'
import { type AcceptingFunctionProps, acceptingEnvironment } from './accepting-functions.ts'
import { addAliases } from './aliases.ts'
import { heapFlags, responseBytesMax } from './collect-memory.ts'
import { functionNames } from './function-names.ts'
import { PipelineFunction } from './pipeline-function.ts'

export interface OperateFunctionProps extends AcceptingFunctionProps {
  readonly deliveryStreamName: string
  readonly deliveryStreamArn: string
}

const memoryMb = 512

/**
 * Carries out what people ask for: changes of connectors and questions about them. Nothing but people invokes it. A Test reads
 * secrets and asks the vendor; nothing here may write a secret.
 */
export class OperateFunction extends PipelineFunction<'operate'> {
  /** The alias for all tenants. */
  readonly all: Alias

  constructor(scope: Construct, id: string, props: OperateFunctionProps) {
    const { settings, encryptionKey, connectorsTable, stateTable, workQueue, bus } = props
    const functionName = `${settings.namePrefix}-${functionNames.operate}`
    super(scope, id, {
      settings,
      encryptionKey,
      name: 'operate',
      description: 'What people ask for: changes of connectors, and questions about them. Invoked by an alias only.',
      memoryMb,
      // A test of 48 streams keeps the rate limit, on a key that others use too. Its caller has had the answer long before.
      timeout: Duration.minutes(15),
      nodeFlags: heapFlags(memoryMb),
      environment: {
        ...acceptingEnvironment(props),
        CONNECTORS_TABLE: connectorsTable.tableName,
        DELIVERY_STREAM: props.deliveryStreamName,
        HTTPS_PROXY: settings.httpsProxy ?? '',
        NO_PROXY: settings.noProxy.join(','),
        RESPONSE_BYTES_MAX: String(responseBytesMax(memoryMb)),
        OPERATE_FUNCTION: functionName,
      },
      permissions: [
        allow(['dynamodb:GetItem', 'dynamodb:PutItem', 'dynamodb:DeleteItem'], connectorsTable.tableArn),
        stateTable.queryIndexes(fleetIndex),
        stateTable.readAndPut(),
        readSecrets(scope, settings.secretPrefix),
        // A form offers the names of the secrets that a tenant has. The action takes no resource.
        allow(['secretsmanager:ListSecrets'], '*'),
        allow(['events:PutEvents'], bus.eventBusArn),
        allow(['sqs:SendMessage'], workQueue.queueArn),
        allow(['firehose:PutRecordBatch'], props.deliveryStreamArn),
        // Each alias by its name would be too long for a policy.
        allow(['lambda:InvokeFunction'], aliasesOf(scope, functionName)),
        ...useKey(encryptionKey, ['kms:Decrypt'], 'dynamodb', 'secretsmanager'),
        ...useKey(encryptionKey, ['kms:Decrypt', 'kms:GenerateDataKey'], 'sqs'),
      ],
      // It calls itself with a ticket that is good once, so a second try would be refused.
      options: { retryAttempts: 0, maxEventAge: Duration.minutes(5) },
    })
    this.all = addAliases(this.handler, settings.tenantsWithOperators).all
  }
}

/** Every alias of the function, and not the function itself. */
function aliasesOf(scope: Construct, functionName: string): string {
  const resourceName = `${functionName}:*`
  return Stack.of(scope).formatArn({ service: 'lambda', resource: 'function', resourceName, arnFormat: ArnFormat.COLON_RESOURCE_NAME })
}
