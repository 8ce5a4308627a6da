import { Stack } from 'aws-cdk-lib'
import { Effect, PolicyStatement } from 'aws-cdk-lib/aws-iam'
import type { IKey } from 'aws-cdk-lib/aws-kms'
import type { Construct } from 'constructs'

/** These actions on these resources. */
export function allow(actions: readonly string[], ...resources: readonly string[]): PolicyStatement {
  return new PolicyStatement({ effect: Effect.ALLOW, actions: [...actions], resources: [...resources] })
}

/** Every secret under the prefix of the stack. */
export function readSecrets(scope: Construct, secretPrefix: string): PolicyStatement {
  const { partition, region, account } = Stack.of(scope)
  return allow(['secretsmanager:GetSecretValue'], `arn:${partition}:secretsmanager:${region}:${account}:secret:${secretPrefix}*`)
}

/** None where AWS’s own keys encrypt: these need no permission. */
export function useKey(key: IKey | undefined, ...actions: readonly ('kms:Decrypt' | 'kms:GenerateDataKey')[]): readonly PolicyStatement[] {
  return key === undefined ? [] : [allow(actions, key.keyArn)]
}

/** Lambda puts a function into subnets with the function’s role; none of these actions can be held to a resource that is known before. */
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
