import { Template } from 'aws-cdk-lib/assertions'
import { describe, expect, it } from 'vitest'
import type { FailureCode } from '../../functions/domain/failures.ts'
import {
  type Attention,
  changeNotification,
  type Notification,
  notificationSource,
  outageNotification,
} from '../../functions/domain/status/notifications.ts'
import type { Outage } from '../../functions/domain/status/outage.ts'
import { observedStack } from './observed-pipeline.ts'

const template = Template.fromStack(observedStack({ mails: ['soc@example.com', 'ops@example.com'] }).stack)
const ofType = (template: Template, type: string) => Object.values(template.findResources(type)).map(({ Properties }) => Properties)

const since = Date.UTC(2026, 10, 24)
const connector = { connectorId: 'contoso.cas', tenantName: 'contoso', vendor: 'a-vendor' }
const change = (from: 'ok' | 'failing', to: 'ok' | 'failing', cause?: FailureCode, causeBefore?: FailureCode) =>
  changeNotification(connector, { from, to, reason: '', since, ...(cause && { cause }), ...(causeBefore && { causeBefore }) })
const outage: Outage = {
  vendor: 'a-vendor',
  origin: 'https://api.example.com',
  since,
  cause: 'vendor-overloaded',
  reason: 'It answers 503.',
  sent: false,
}

/** Matches as EventBridge does for the patterns used here: each field is there and has one of the listed values. */
function matches(pattern: object, event: object): boolean {
  return Object.entries(pattern).every(([field, allowed]) => {
    const value: unknown = Object.getOwnPropertyDescriptor(event, field)?.value
    if (Array.isArray(allowed)) return allowed.includes(value)
    return typeof value === 'object' && value !== null && matches(allowed, value)
  })
}

describe('notifications', () => {
  const [rule] = ofType(template, 'AWS::Events::Rule')
  const sent = (notification: Notification) =>
    matches(rule?.['EventPattern'], { source: notificationSource, 'detail-type': notification.type, detail: notification.detail })

  it.each<[Attention, string, Notification]>([
    ['problem', 'a connector that begins to fail', change('ok', 'failing', 'unauthorized')],
    ['recovery', 'a connector that works again', change('failing', 'ok', undefined, 'unauthorized')],
    ['problem', 'an outage that begins', outageNotification(outage)],
    ['recovery', 'an outage that ends', outageNotification(outage, since + 1)],
  ])('the rule sends a %s: %s', (attention, _, notification) => {
    expect(notification.detail.attention).toBe(attention)
    expect(sent(notification)).toBe(true)
  })

  it.each<[string, Notification]>([
    ['a connector that an outage stops', change('ok', 'failing', 'vendor-overloaded')],
    ['a connector that goes on after the outage', change('failing', 'ok', undefined, 'vendor-overloaded')],
  ])('the rule sends nothing about %s', (_, notification) => {
    expect(notification.detail.attention).toBe('none')
    expect(sent(notification)).toBe(false)
  })

  it('the rule sends no event of another source', () => {
    const { detail } = change('ok', 'failing', 'unauthorized')
    expect(matches(rule?.['EventPattern'], { source: 'aws.s3', 'detail-type': 'Object Created', detail })).toBe(false)
  })

  it('the mail is the summary, taken by its path so that no text of a user can break it', () => {
    expect(rule?.['Targets']).toEqual([
      { Id: 'Target0', Arn: expect.anything(), InputPath: '$.detail.summary', RoleArn: expect.anything() },
    ])
    for (const { detail } of [change('ok', 'failing', 'unauthorized'), outageNotification(outage)]) expect(detail.summary).not.toBe('')
  })

  it('the rule listens on the stack’s own bus, which is named as the stack', () => {
    template.hasResourceProperties('AWS::Events::EventBus', { Name: 'tributary' })
    const [bus] = Object.keys(template.findResources('AWS::Events::EventBus'))
    expect(rule?.['EventBusName']).toEqual({ Ref: bus })
  })

  it('every mail address is subscribed', () => {
    const subscriptions = ofType(template, 'AWS::SNS::Subscription')
    expect(subscriptions.map(({ Protocol, Endpoint }) => [Protocol, Endpoint]).sort()).toEqual([
      ['email', 'ops@example.com'],
      ['email', 'soc@example.com'],
    ])
  })
})

describe('the topic', () => {
  const [policy] = ofType(template, 'AWS::SNS::TopicPolicy')
  const statements: readonly Record<string, unknown>[] = policy?.['PolicyDocument'].Statement
  const allowed = statements.filter(({ Effect }) => Effect === 'Allow')

  it('the topic refuses messages without TLS', () => {
    expect(statements).toContainEqual(
      expect.objectContaining({
        Effect: 'Deny',
        Principal: '*',
        Action: 'sns:Publish',
        Condition: { Bool: { 'aws:SecureTransport': 'false' } },
      }),
    )
  })

  it('the topic takes messages from the alarms of its own account, and from no other service', () => {
    expect(allowed.map(({ Principal, Action, Condition }) => ({ Principal, Action, Condition }))).toEqual([
      {
        Principal: { Service: 'cloudwatch.amazonaws.com' },
        Action: 'sns:Publish',
        Condition: { StringEquals: { 'aws:SourceAccount': { Ref: 'AWS::AccountId' } } },
      },
    ])
  })

  it('an upgrade from a release without the role of the rule changes the policy of the topic after the rule', () => {
    const [policy] = Object.values(template.findResources('AWS::SNS::TopicPolicy'))
    const [rule = ''] = Object.keys(template.findResources('AWS::Events::Rule'))
    expect(policy?.['DependsOn']).toEqual([rule])
  })

  it('the topic has no encryption key by default, because alarms cannot use the key of AWS', () => {
    expect(ofType(template, 'AWS::SNS::Topic')).toEqual([{ DisplayName: 'Tributary' }])
  })

  it('the stack makes no topic if it is given one', () => {
    const topicArn = 'arn:aws-cn:sns:cn-north-1:111122223333:security'
    const template = Template.fromStack(observedStack({ topicArn }).stack)
    template.resourceCountIs('AWS::SNS::Topic', 0)
    const [rule] = ofType(template, 'AWS::Events::Rule')
    expect(rule?.['Targets'][0].Arn).toBe(topicArn)
  })
})
