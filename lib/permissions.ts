import { Stack } from 'aws-cdk-lib'
import { Effect, PolicyDocument, PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam'
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

type KeyAction = 'kms:Decrypt' | 'kms:GenerateDataKey'

/** A service that uses the key in the name of a role. */
type KeyService = 'dynamodb' | 'lambda' | 's3' | 'secretsmanager' | 'sns' | 'sqs'

/**
 * Allows these actions, and only when one of these services asks for them in the name of the role. No statement without a key: keys that
 * AWS manages need no permission. https://docs.aws.amazon.com/kms/latest/developerguide/conditions-kms.html#conditions-kms-via-service
 */
export function useKey(
  key: IKey | undefined,
  actions: readonly KeyAction[],
  ...services: readonly KeyService[]
): readonly PolicyStatement[] {
  return key === undefined ? [] : [through(allow(actions, key.keyArn), key.keyArn, services)]
}

/** Lambda decrypts the environment of a function in the name of its role. */
export function readEnvironment(key: IKey | undefined, functionArn: string): readonly PolicyStatement[] {
  const statements = useKey(key, ['kms:Decrypt'], 'lambda')
  for (const statement of statements) statement.addCondition('ArnEquals', { 'kms:EncryptionContext:aws:lambda:FunctionArn': functionArn })
  return statements
}

/** Publishing to a topic of which only the ARN is known. */
export function publishToForeignTopic(topicArn: string): readonly PolicyStatement[] {
  const anyKey = anyKeyOf(topicArn)
  return [allow(['sns:Publish'], topicArn), through(allow(['kms:Decrypt', 'kms:GenerateDataKey'], anyKey), anyKey, ['sns'])]
}

/** Each key of the region and account of this ARN. */
export function anyKeyOf(arn: string): string {
  const [, partition, , region, account] = arn.split(':')
  return `arn:${partition}:kms:${region}:${account}:key/*`
}

/** `keyArn` gives the region. The names of services in China have either ending. */
function through(statement: PolicyStatement, keyArn: string, services: readonly KeyService[]): PolicyStatement {
  const [, partition, , region] = keyArn.split(':')
  const endings = partition === 'aws-cn' ? ['amazonaws.com', 'amazonaws.com.cn'] : ['amazonaws.com']
  const names = services.flatMap((service) => endings.map((ending) => `${service}.${region}.${ending}`))
  statement.addCondition('StringEquals', { 'kms:ViaService': names.length === 1 ? names[0] : names })
  return statement
}

/** The role of a rule: only EventBridge may assume it, and only for rules of this account. */
export function roleOfRule(scope: Construct, id: string, description: string, ...statements: readonly PolicyStatement[]): Role {
  return new Role(scope, id, {
    description,
    assumedBy: new ServicePrincipal('events.amazonaws.com', {
      conditions: { StringEquals: { 'aws:SourceAccount': Stack.of(scope).account } },
    }),
    inlinePolicies: { rule: new PolicyDocument({ statements: [...statements] }) },
  })
}

/**
 * Lambda makes network interfaces with the role of the function. They have no ARN before that, so no narrower resource is possible. The
 * code of the function has the same role, so these actions are denied to it.
 * https://docs.aws.amazon.com/lambda/latest/dg/configuration-vpc.html#configuration-vpc-best-practice
 */
export function putIntoSubnets(functionArn: string): readonly PolicyStatement[] {
  const actions = [
    'ec2:CreateNetworkInterface',
    'ec2:DescribeNetworkInterfaces',
    'ec2:DescribeSubnets',
    'ec2:DeleteNetworkInterface',
    'ec2:AssignPrivateIpAddresses',
    'ec2:UnassignPrivateIpAddresses',
  ]
  const notTheCode = new PolicyStatement({
    effect: Effect.DENY,
    actions,
    resources: ['*'],
    conditions: { ArnEquals: { 'lambda:SourceFunctionArn': functionArn } },
  })
  return [allow(actions, '*'), notTheCode]
}
