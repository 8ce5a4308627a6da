import { App, Stack } from 'aws-cdk-lib'
import { Template } from 'aws-cdk-lib/assertions'
import { Table } from 'aws-cdk-lib/aws-dynamodb'
import { Rule } from 'aws-cdk-lib/aws-events'
import { Function as LambdaFunction } from 'aws-cdk-lib/aws-lambda'
import { LogGroup } from 'aws-cdk-lib/aws-logs'
import { Bucket } from 'aws-cdk-lib/aws-s3'
import { Queue } from 'aws-cdk-lib/aws-sqs'
import { functionNames, mapFunctions } from '../../lib/functions/function-names.ts'
import { Alarms } from '../../lib/monitoring/alarms.ts'
import { Notifications, type NotificationsProps } from '../../lib/monitoring/notifications.ts'
import type { ObservedPipeline } from '../../lib/monitoring/observed-pipeline.ts'

export const metricsNamespace = 'Tributary'

/** The default of the setting lagAlarmMinutes. */
export const lagMaxMinutes = 120

/** A stack for tests of the monitoring: it refers to a pipeline that is elsewhere. */
export function observedStack(props: Partial<NotificationsProps> = {}) {
  const stack = new Stack(new App({ context: { 'aws:cdk:bundling-stacks': [] } }), 'observed')
  const notifications = new Notifications(stack, 'Notices', { namePrefix: 'tributary', ...props })
  const arn = (service: string, resource: string) => stack.formatArn({ service, resource })
  const queue = (name: string) => Queue.fromQueueArn(stack, name, arn('sqs', name))
  const table = (name: string) =>
    Table.fromTableArn(stack, name, stack.formatArn({ service: 'dynamodb', resource: 'table', resourceName: name }))
  const pipeline: ObservedPipeline = {
    namePrefix: 'tributary',
    metricsNamespace,
    functions: mapFunctions(functionNames, (name) => LambdaFunction.fromFunctionName(stack, name, `tributary-${name}`)),
    logGroups: mapFunctions(functionNames, (name) => LogGroup.fromLogGroupName(stack, `${name}-log`, `/aws/lambda/tributary-${name}`)),
    tickRule: Rule.fromEventRuleArn(stack, 'tick', arn('events', 'rule/tick')),
    workQueue: queue('work'),
    deadLetterQueues: { work: queue('work-dead'), changes: queue('changes-dead') },
    deliveryStreamName: 'lake',
    lakeBucket: Bucket.fromBucketName(stack, 'bucket', 'lake-bucket'),
    stateTable: table('state'),
    connectorsTable: table('connectors'),
    bus: notifications.bus,
    notificationsRuleName: notifications.ruleName,
  }
  return { stack, pipeline, notifications }
}

/** The template of such a stack with the alarms. */
export function alarmsTemplate(): Template {
  const { stack, pipeline, notifications } = observedStack()
  new Alarms(stack, 'Alarms', { pipeline, topic: notifications.topic, lagMaxMinutes })
  return Template.fromStack(stack)
}
