/**
 * What the policy of a key of one's own must allow, beside the statement of every new key by which the account's IAM policies count: the
 * services that use it in their own name. `kmsKeyArn` tells the partition, region and account.
 */
export function keyPolicyStatements(kmsKeyArn: string, namePrefix: string) {
  const [, partition, , region, account] = kmsKeyArn.split(':')
  const logGroups = [`/aws/lambda/${namePrefix}-*`, `/${namePrefix}/*`].map(
    (name) => `arn:${partition}:logs:${region}:${account}:log-group:${name}`,
  )
  return [
    {
      Sid: 'LogsOfTributary',
      Effect: 'Allow',
      Principal: { Service: `logs.${region}.amazonaws.com${partition === 'aws-cn' ? '.cn' : ''}` },
      Action: ['kms:Encrypt', 'kms:Decrypt', 'kms:ReEncrypt*', 'kms:GenerateDataKey*', 'kms:DescribeKey'],
      Resource: '*',
      Condition: { ArnLike: { 'kms:EncryptionContext:aws:logs:arn': logGroups } },
    },
    {
      Sid: 'AlarmsAndRulesOfTributary',
      Effect: 'Allow',
      Principal: { Service: ['cloudwatch.amazonaws.com', 'events.amazonaws.com'] },
      Action: ['kms:Decrypt', 'kms:GenerateDataKey*'],
      Resource: '*',
    },
  ] as const
}
