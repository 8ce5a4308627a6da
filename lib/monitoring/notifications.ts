import { Annotations, Stack, Validations } from 'aws-cdk-lib'
import { EventBus, type IEventBus, Rule, RuleTargetInput } from 'aws-cdk-lib/aws-events'
import { SnsTopic } from 'aws-cdk-lib/aws-events-targets'
import { PolicyStatement, ServicePrincipal } from 'aws-cdk-lib/aws-iam'
import type { IKey } from 'aws-cdk-lib/aws-kms'
import { type ITopic, Topic } from 'aws-cdk-lib/aws-sns'
import { EmailSubscription } from 'aws-cdk-lib/aws-sns-subscriptions'
import { Construct } from 'constructs'
import { type Attention, noticeSource } from '../../functions/domain/notices.ts'

export interface NotificationsProps {
  /** Names the bus. */
  readonly namePrefix: string
  /** An existing topic, whose policy is its owner's: `docs/operations.md` says what it must allow. Absent: the stack makes one. */
  readonly topicArn?: string
  /** Each gets a mail that asks for confirmation; before it is confirmed nothing arrives. Absent or empty: nobody is subscribed by the stack. */
  readonly mails?: readonly string[]
  /**
   * Encrypts the topic that the stack makes; its policy must let `cloudwatch.amazonaws.com` and `events.amazonaws.com` call
   * `kms:Decrypt` and `kms:GenerateDataKey*`. Absent: no key, since CloudWatch cannot use `aws/sns` and its alarms would be lost without a word.
   */
  readonly encryptionKey?: IKey
}

/** What a person is told of: a problem and its end. */
const notified = ['problem', 'recovery'] as const satisfies readonly Attention[]

/** How a person hears of it: the bus that carries every notice, the topic that mails, and the rule that sends what needs attention from one to the other. */
export class Notifications extends Construct {
  readonly bus: IEventBus
  /** Alarms act on it as well. */
  readonly topic: ITopic

  constructor(scope: Construct, id: string, props: NotificationsProps) {
    super(scope, id)
    const { namePrefix, topicArn, mails = [], encryptionKey } = props

    this.bus = new EventBus(this, 'Bus', { eventBusName: namePrefix })
    this.topic = topicArn === undefined ? this.ownTopic(encryptionKey) : Topic.fromTopicArn(this, 'Topic', topicArn)
    for (const mail of mails) {
      Validations.of(this.topic.addSubscription(new EmailSubscription(mail))).acknowledge({
        id: 'Serverless-SNSRedrivePolicy',
        reason: 'Nobody would send a mail again from a queue; what it said stays on the dashboard until it is over.',
      })
    }
    if (topicArn === undefined && mails.length === 0) {
      Annotations.of(this).addWarningV2(
        'tributary:nobody-is-told',
        'No alarm mail and no topic is set: alarms and notices reach nobody until somebody subscribes to the topic.',
      )
    }

    const rule = new Rule(this, 'Rule', {
      eventBus: this.bus,
      description: 'Tells people of problems and of their end.',
      eventPattern: { source: [noticeSource], detail: { attention: [...notified] } },
      // The path rather than a template: a quotation mark in what a user wrote breaks no JSON.
      targets: [new SnsTopic(this.topic, { message: RuleTargetInput.fromEventPath('$.detail.summary') })],
    })
    Validations.of(rule).acknowledge({
      id: 'Serverless-EventBusDLQ',
      reason:
        'EventBridge tries for 24 hours; what is told later than that is told by the dashboard, where each state stays until it is over.',
    })
  }

  private ownTopic(masterKey: IKey | undefined): ITopic {
    const topic = new Topic(this, 'Topic', {
      displayName: 'Tributary',
      enforceSSL: true,
      ...(masterKey === undefined ? {} : { masterKey }),
    })
    topic.addToResourcePolicy(
      new PolicyStatement({
        sid: 'AlarmsOfThisAccount',
        principals: [new ServicePrincipal('cloudwatch.amazonaws.com')],
        actions: ['sns:Publish'],
        resources: [topic.topicArn],
        conditions: { StringEquals: { 'aws:SourceAccount': Stack.of(this).account } },
      }),
    )
    return topic
  }
}
