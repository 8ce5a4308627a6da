import { Annotations, Stack, Validations } from 'aws-cdk-lib'
import { EventBus, type IEventBus, Rule, RuleTargetInput } from 'aws-cdk-lib/aws-events'
import { SnsTopic } from 'aws-cdk-lib/aws-events-targets'
import { PolicyStatement, type Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam'
import type { IKey } from 'aws-cdk-lib/aws-kms'
import { type ITopic, Topic } from 'aws-cdk-lib/aws-sns'
import { EmailSubscription } from 'aws-cdk-lib/aws-sns-subscriptions'
import { Construct } from 'constructs'
import { type Attention, notificationSource } from '../../functions/domain/status/notifications.ts'
import { allow, anyKeyOf, publishToForeignTopic, roleOfRule, useKey } from '../permissions.ts'

export interface NotificationsProps {
  /** Names the bus. */
  readonly namePrefix: string
  /** ARN of an existing topic. Its owner writes its policy; `docs/operations.md` says what it must allow. Absent: the stack makes a topic. */
  readonly topicArn?: string
  /** Each address gets a mail that asks for confirmation, and nothing else before that. Absent or empty: the stack subscribes nobody. */
  readonly mails?: readonly string[]
  /**
   * Encrypts the bus, and the topic that the stack makes. The policy of the key must allow it, as `lib/key-policy.ts` says. Absent: no key
   * for the topic, because CloudWatch cannot use `aws/sns`: its alarms would be lost silently.
   */
  readonly encryptionKey?: IKey
}

/** A person is notified of a problem and of its end. */
const notified = ['problem', 'recovery'] as const satisfies readonly Attention[]

/** The bus carries every notification. The rule sends those that need attention to the topic, and the topic sends mail. */
export class Notifications extends Construct {
  readonly bus: IEventBus
  /** Receives alarms as well. */
  readonly topic: ITopic
  /** The role with which the rule publishes to the topic. */
  readonly publisher: Role
  /** The rule between the two. The name is fixed, because a metric of a rule on an own bus needs it alone. */
  readonly ruleName: string

  constructor(scope: Construct, id: string, props: NotificationsProps) {
    super(scope, id)
    const { namePrefix, topicArn, mails = [], encryptionKey } = props

    this.bus = new EventBus(this, 'Bus', { eventBusName: namePrefix, ...(encryptionKey === undefined ? {} : { kmsKey: encryptionKey }) })
    this.topic = topicArn === undefined ? this.ownTopic(encryptionKey) : Topic.fromTopicArn(this, 'Topic', topicArn)
    for (const mail of mails) {
      Validations.of(this.topic.addSubscription(new EmailSubscription(mail))).acknowledge({
        id: 'Serverless-SNSRedrivePolicy',
        reason: 'Nobody would resend a mail from a queue, and the dashboard shows each state until it is over.',
      })
    }
    if (topicArn === undefined && mails.length === 0) {
      Annotations.of(this).addWarningV2(
        'tributary:nobody-is-notified',
        'No alarm mail and no topic is set: alarms and notifications reach nobody until somebody subscribes to the topic.',
      )
    }

    // A role, because the policy of a key cannot tell for which account EventBridge publishes to an encrypted topic.
    this.publisher = roleOfRule(
      this,
      'Publisher',
      'EventBridge publishes notifications to the topic.',
      ...(topicArn === undefined
        ? [allow(['sns:Publish'], this.topic.topicArn), ...useKey(encryptionKey, ['kms:Decrypt', 'kms:GenerateDataKey'], 'sns')]
        : publishToForeignTopic(topicArn)),
    )
    if (topicArn !== undefined) {
      Validations.of(this.publisher).acknowledge({
        id: `AwsSolutions-IAM5[Resource::${anyKeyOf(topicArn)}]`,
        reason:
          'The key of a topic that the stack did not make is not known. It can be used only through SNS, which uses that of the topic.',
      })
    }
    this.ruleName = `${namePrefix}-notifications`
    const rule = new Rule(this, 'Rule', {
      ruleName: this.ruleName,
      eventBus: this.bus,
      description: 'Notifies people of problems and of their end.',
      eventPattern: { source: [notificationSource], detail: { attention: [...notified] } },
      // A path, not a template: in a template, a quotation mark in the text of a user would break the JSON.
      targets: [
        new SnsTopic(this.topic, {
          message: RuleTargetInput.fromEventPath('$.detail.summary'),
          role: this.publisher.withoutPolicyUpdates(),
        }),
      ],
    })
    // So an upgrade takes the former permission of EventBridge away only when the rule has its role.
    this.topic.node.tryFindChild('Policy')?.node.addDependency(rule)
    Validations.of(rule).acknowledge({
      id: 'Serverless-EventBusDLQ',
      reason:
        'EventBridge retries for 24 hours. After that an alarm reports the loss, and the dashboard still shows each state until it is over.',
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
