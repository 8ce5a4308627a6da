/**
 * Statements that the policy of your own KMS key needs for the services that use the key in their own name. Each counts for one account
 * only: other accounts have the same services. Keep the default statement of the key as well: it makes the IAM policies of the account
 * count, and lets DynamoDB, Lambda and Firehose make grants for the tables, environments and records. Partition, region and account come
 * from `kmsKeyArn`.
 */
export function keyPolicyStatements(kmsKeyArn: string, namePrefix: string) {
  const [, partition, , region, account = ''] = kmsKeyArn.split(':')
  const arn = (service: string, resource: string) => `arn:${partition}:${service}:${region}:${account}:${resource}`
  const thisAccount = { 'aws:SourceAccount': account }
  return [
    {
      // https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/encrypt-log-data-kms.html
      Sid: 'LogsOfTributary',
      Effect: 'Allow',
      Principal: { Service: `logs.${region}.amazonaws.com${partition === 'aws-cn' ? '.cn' : ''}` },
      Action: ['kms:Encrypt', 'kms:Decrypt', 'kms:ReEncrypt*', 'kms:GenerateDataKey*', 'kms:DescribeKey'],
      Resource: '*',
      Condition: {
        ArnLike: {
          'kms:EncryptionContext:aws:logs:arn': [
            arn('logs', `log-group:/aws/lambda/${namePrefix}-*`),
            arn('logs', `log-group:/${namePrefix}/*`),
          ],
        },
      },
    },
    {
      // https://docs.aws.amazon.com/sns/latest/dg/sns-key-management.html#compatibility-with-aws-services
      Sid: 'AlarmsOfTributary',
      Effect: 'Allow',
      Principal: { Service: 'cloudwatch.amazonaws.com' },
      Action: ['kms:Decrypt', 'kms:GenerateDataKey*'],
      Resource: '*',
      Condition: { StringEquals: thisAccount },
    },
    {
      // https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-encryption-key-policy.html
      Sid: 'EventsOfTributary',
      Effect: 'Allow',
      Principal: { Service: 'events.amazonaws.com' },
      Action: ['kms:Decrypt', 'kms:GenerateDataKey'],
      Resource: '*',
      Condition: {
        StringEquals: { ...thisAccount, 'kms:EncryptionContext:aws:events:event-bus:arn': arn('events', `event-bus/${namePrefix}`) },
      },
    },
    {
      // EventBridge looks at the key when the bus is made. This request has no encryption context.
      Sid: 'BusOfTributary',
      Effect: 'Allow',
      Principal: { Service: 'events.amazonaws.com' },
      Action: 'kms:DescribeKey',
      Resource: '*',
      Condition: { StringEquals: thisAccount },
    },
  ] as const
}
