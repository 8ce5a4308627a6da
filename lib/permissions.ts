import { Stack } from 'aws-cdk-lib'
import { Effect, PolicyStatement } from 'aws-cdk-lib/aws-iam'
import type { IKey } from 'aws-cdk-lib/aws-kms'
import type { Construct } from 'constructs'

/** Allows these actions on these resources. */
export function allow(actions: readonly string[], ...resources: readonly string[]): PolicyStatement {
  return new PolicyStatement({ effect: Effect.ALLOW, actions: [...actions], resources: [...resources] })
}

/** Allows reading the secrets whose names begin with the prefix. */
export function readSecrets(scope: Construct, secretPrefix: string): PolicyStatement {
  const { partition, region, account } = Stack.of(scope)
  return allow(['secretsmanager:GetSecretValue'], `arn:${partition}:secretsmanager:${region}:${account}:secret:${secretPrefix}*`)
}

/** No statement without a key: keys that AWS manages need no permission. */
export function useKey(key: IKey | undefined, ...actions: readonly ('kms:Decrypt' | 'kms:GenerateDataKey')[]): readonly PolicyStatement[] {
  return key === undefined ? [] : [allow(actions, key.keyArn)]
}

/** Lambda makes network interfaces with the role of the function. They have no ARN before that, so no narrower resource is possible. */
export function putIntoSubnets(): PolicyStatement {
  return allow(
    [
      'ec2:CreateNetworkInterface',
      'ec2:DescribeNetworkInterfaces',
      'ec2:DescribeSubnets',
      'ec2:DeleteNetworkInterface',
      'ec2:AssignPrivateIpAddresses',
      'ec2:UnassignPrivateIpAddresses',
    ],
    '*',
  )
}
