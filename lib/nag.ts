import { Validations } from 'aws-cdk-lib'
import { CfnEventSourceMapping } from 'aws-cdk-lib/aws-lambda'
import { AwsSolutionsChecks, ServerlessChecks } from 'cdk-nag'
import type { IConstruct } from 'constructs'
import { allFunctions, type EachFunction, type FunctionKey, functionNames, workingFunctions } from './functions/function-names.ts'
import type { PipelineFunction } from './functions/pipeline-function.ts'
import type { Notifications } from './monitoring/notifications.ts'
import type { Settings } from './settings.ts'
import type { DeadLetterKind, DeadLetterQueue } from './state/queues.ts'

/** The rules that a synth must pass, and the findings about functions and queues that are accepted, each with its reason. */

export function addRules(app: IConstruct): void {
  Validations.of(app).addPlugins(new AwsSolutionsChecks(app), new ServerlessChecks(app))
}

/** Why no function has a dead-letter queue of its own. */
const withoutDeadLetters: EachFunction<string> = {
  collect: 'Only the work queue invokes it. A message that fails goes to the dead-letter queue of the work queue.',
  connectorChanged: 'Only the stream invokes it. Records that fail go to the on-failure queue of the mapping.',
  dispatch: 'The next tick does the work of one that fails. Alarms report failures, and ticks that are not completed.',
  operate:
    'A person waits for the answer. The function calls itself asynchronously to go on with a test, and the state says how far that came.',
  statusWidget: 'Only CloudWatch invokes it, and shows the result at once. Nothing invokes it asynchronously.',
}

export function acknowledgeFindings(parts: {
  readonly settings: Pick<Settings, 'namePrefix' | 'secretPrefix' | 'vpc'>
  readonly functions: { readonly [Name in FunctionKey]: PipelineFunction<Name> }
  readonly deadLetterQueues: Readonly<Record<DeadLetterKind, DeadLetterQueue>>
  readonly notifications: Notifications
}): void {
  const { settings, functions, deadLetterQueues, notifications } = parts

  for (const { handler, role } of Object.values(functions)) {
    acknowledge(
      handler,
      'Serverless-LambdaTracing',
      'The log has each page with the vendor’s trace id, and the state table has each stream. X-Ray would need permissions on every resource (*).',
    )
    if (settings.vpc !== undefined) {
      const reason = 'A network interface has no ARN before it exists. The six actions are those that Lambda needs.'
      acknowledge(role, 'AwsSolutions-IAM5[Resource::*]', reason)
      acknowledge(role, 'Serverless-LambdaStarPermissions', reason)
    }
  }
  for (const name of allFunctions) {
    acknowledge(functions[name].handler, 'Serverless-LambdaDLQ', withoutDeadLetters[name])
  }
  const listing = 'The only action on * lists the ARNs of streams and takes no resource. Lambda calls it to read the stream of the table.'
  acknowledge(functions.connectorChanged.role, 'AwsSolutions-IAM5[Resource::*]', listing)
  acknowledge(functions.connectorChanged.role, 'Serverless-LambdaStarPermissions', listing)
  const names = 'A form offers the names of secrets. The only action on * lists names, no values, and takes no resource.'
  acknowledge(functions.operate.role, 'AwsSolutions-IAM5[Resource::*]', names)
  acknowledge(functions.operate.role, 'Serverless-LambdaStarPermissions', names)
  for (const name of [...workingFunctions, 'operate'] as const) {
    acknowledge(
      functions[name].role,
      `AwsSolutions-IAM5[Resource::arn:<AWS::Partition>:secretsmanager:<AWS::Region>:<AWS::AccountId>:secret:${settings.secretPrefix}*]`,
      'Users name their secrets after the deploy, and an ARN ends with six random characters, so only the prefix is known.',
    )
  }

  acknowledge(
    within(functions.collect, CfnEventSourceMapping),
    'Serverless-LambdaEventSourceMappingDestination',
    'A mapping of SQS has no on-failure destination. The redrive policy of the queue replaces it.',
  )
  const tickRepeats =
    'The next tick does the work of one that fails, so nobody would redrive a failed one. Alarms report failing and missing ticks.'
  acknowledge(functions.dispatch, 'Serverless-LambdaAsyncFailureDestination', tickRepeats)
  acknowledge(functions.dispatch, 'Serverless-EventBusDLQ', tickRepeats)
  acknowledge(
    functions.operate.role,
    `AwsSolutions-IAM5[Resource::arn:<AWS::Partition>:lambda:<AWS::Region>:<AWS::AccountId>:function:${settings.namePrefix}-${functionNames.operate}:*]`,
    'The function goes on by calling itself, by the alias of its caller. There is an alias for each tenant with operators of its own.',
  )
  acknowledge(functions.operate, 'Serverless-LambdaAsyncFailureDestination', withoutDeadLetters.operate)
  for (const queue of Object.values(deadLetterQueues)) {
    acknowledge(queue, 'Serverless-SQSRedrivePolicy', 'It is a dead-letter queue itself, and an alarm notifies a person.')
  }
  acknowledge(
    deadLetterQueues.changes,
    'AwsSolutions-SQS3',
    'It is the on-failure destination of a mapping, and cdk-nag does not see that.',
  )

  acknowledge(
    notifications,
    'Annotation::@aws-cdk/aws-events:ruleUnresolvedEnvironment',
    'The stack is made for no particular account. The rule and the topic are both in the account of the deploy.',
  )
}

function within<T extends IConstruct>(scope: IConstruct, type: abstract new (...args: never[]) => T): readonly T[] {
  return scope.node.findAll().filter((node): node is IConstruct & T => node instanceof type)
}

function acknowledge(constructs: IConstruct | readonly IConstruct[], id: string, reason: string): void {
  for (const construct of [constructs].flat()) Validations.of(construct).acknowledge({ id, reason })
}
