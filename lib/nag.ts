import { Validations } from 'aws-cdk-lib'
import { CfnEventSourceMapping } from 'aws-cdk-lib/aws-lambda'
import { AwsSolutionsChecks, ServerlessChecks } from 'cdk-nag'
import type { IConstruct } from 'constructs'
import { allFunctions, type EachFunction, type FunctionKey, workingFunctions } from './functions/function-names.ts'
import type { PipelineFunction } from './functions/pipeline-function.ts'
import type { Notifications } from './monitoring/notifications.ts'
import type { Settings } from './settings.ts'
import type { DeadLetterKind, DeadLetterQueue } from './state/queues.ts'

/** The rules that a synth must pass, and what of the functions and queues does not follow them, each with its reason. */

export function addRules(app: IConstruct): void {
  Validations.of(app).addPlugins(new AwsSolutionsChecks(app), new ServerlessChecks(app))
}

/** Why no function has a dead-letter queue of its own. */
const withoutDeadLetters: EachFunction<string> = {
  collect: 'Only the work queue invokes it, and a message that fails goes to the dead-letter queue of that queue.',
  connectorChanged: 'Only the stream invokes it, and records that fail go to the on-failure queue of the mapping.',
  dispatch:
    'A tick that fails goes to its on-failure destination, together with the error; a dead-letter queue would hold it a second time without.',
  statusWidget: 'Only CloudWatch invokes it, and shows what it answers; nothing invokes it asynchronously.',
}

export function acknowledgeFindings(parts: {
  readonly settings: Pick<Settings, 'secretPrefix' | 'vpc'>
  readonly functions: { readonly [Name in FunctionKey]: PipelineFunction<Name> }
  readonly deadLetterQueues: Readonly<Record<DeadLetterKind, DeadLetterQueue>>
  readonly notifications: Notifications
}): void {
  const { settings, functions, deadLetterQueues, notifications } = parts

  for (const { handler, role } of Object.values(functions)) {
    acknowledge(
      handler,
      'Serverless-LambdaTracing',
      'The log tells each page with the vendor’s trace id, and the state table each stream; X-Ray would need permissions on every resource (*).',
    )
    if (settings.vpc !== undefined) {
      const reason = 'A network interface has no ARN before it is made; the actions are the six that Lambda needs.'
      acknowledge(role, 'AwsSolutions-IAM5[Resource::*]', reason)
      acknowledge(role, 'Serverless-LambdaStarPermissions', reason)
    }
  }
  for (const name of allFunctions) {
    acknowledge(functions[name].handler, 'Serverless-LambdaDLQ', withoutDeadLetters[name])
  }
  const listing = 'The one action on * lists the ARNs of streams and takes no resource; Lambda calls it to read the table’s stream.'
  acknowledge(functions.connectorChanged.role, 'AwsSolutions-IAM5[Resource::*]', listing)
  acknowledge(functions.connectorChanged.role, 'Serverless-LambdaStarPermissions', listing)
  for (const name of workingFunctions) {
    acknowledge(
      functions[name].role,
      `AwsSolutions-IAM5[Resource::arn:<AWS::Partition>:secretsmanager:<AWS::Region>:<AWS::AccountId>:secret:${settings.secretPrefix}*]`,
      'Users name their secrets after the stack was made, and an ARN ends with six random characters: nothing narrower than the prefix can be known.',
    )
  }

  acknowledge(
    within(functions.collect, CfnEventSourceMapping),
    'Serverless-LambdaEventSourceMappingDestination',
    'A mapping of SQS has no on-failure destination; the queue’s redrive policy does its work.',
  )
  for (const queue of Object.values(deadLetterQueues)) {
    acknowledge(queue, 'Serverless-SQSRedrivePolicy', 'It is itself where messages end that could not be handled; an alarm calls a person.')
  }
  for (const queue of [deadLetterQueues.changes, deadLetterQueues.ticks]) {
    acknowledge(queue, 'AwsSolutions-SQS3', 'It is the on-failure destination of a function or mapping, which the rule does not see.')
  }

  acknowledge(
    notifications,
    'Annotation::@aws-cdk/aws-events:ruleUnresolvedEnvironment',
    'The stack is made for no particular account; the rule and an own topic are in the one that it is deployed to.',
  )
}

function within<T extends IConstruct>(scope: IConstruct, type: abstract new (...args: never[]) => T): readonly T[] {
  return scope.node.findAll().filter((node): node is IConstruct & T => node instanceof type)
}

function acknowledge(constructs: IConstruct | readonly IConstruct[], id: string, reason: string): void {
  for (const construct of [constructs].flat()) Validations.of(construct).acknowledge({ id, reason })
}
