/**
 * Statements that the policy of your own KMS key needs for the services that use the key in their own name. Keep the default statement
 * of the key as well: it makes the IAM policies of the account count. Partition, region and account come from `kmsKeyArn`.
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
