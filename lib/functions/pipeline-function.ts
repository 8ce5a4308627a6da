import { fileURLToPath } from 'node:url'
import { ArnFormat, AssetHashType, DockerImage, type Duration, RemovalPolicy, Stack } from 'aws-cdk-lib'
import { PolicyDocument, type PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam'
import type { IKey } from 'aws-cdk-lib/aws-kms'
import {
  Architecture,
  CfnFunction,
  Code,
  type FunctionOptions,
  Function as LambdaFunction,
  LoggingFormat,
  Runtime,
} from 'aws-cdk-lib/aws-lambda'
import { LogGroup } from 'aws-cdk-lib/aws-logs'
import { Construct } from 'constructs'
import type { z } from 'zod'
import type { environments } from '../../functions/env.ts'
import { allow, putIntoSubnets, readEnvironment } from '../permissions.ts'
import type { Settings } from '../settings.ts'
import { bundleFunction } from './bundle.ts'
import { type FunctionKey, functionNames } from './function-names.ts'

type Environments = typeof environments

/** The variables that the function parses, all of them and no others. */
export type EnvironmentOf<Name extends FunctionKey> = Readonly<Record<keyof z.input<Environments[Name]>, string>>

/** Settings that every function takes from the stack. */
export interface PipelineFunctionSettings {
  readonly settings: Pick<Settings, 'namePrefix' | 'architecture' | 'logRetentionDays' | 'vpc'>
  /** Encrypts the tables and queues that the function uses, its environment and its log. Absent: keys that AWS manages. */
  readonly encryptionKey?: IKey
}

export interface PipelineFunctionProps<Name extends FunctionKey> extends PipelineFunctionSettings {
  readonly name: Name
  readonly description: string
  readonly environment: EnvironmentOf<Name>
  /** Everything that the function may do, except writing its log. */
  readonly permissions: readonly PolicyStatement[]
  readonly memoryMb: number
  readonly timeout: Duration
  /** Flags of Node. */
  readonly nodeFlags?: readonly string[]
  readonly options?: Pick<FunctionOptions, 'maxEventAge' | 'retryAttempts' | 'onFailure' | 'reservedConcurrentExecutions'>
}

/**
 * A function of the pipeline with a log and a role of its own. The role has only the permissions listed here: grants by other
 * constructs are dropped, and a test pins each policy.
 */
export class PipelineFunction<Name extends FunctionKey> extends Construct {
  readonly handler: LambdaFunction
  readonly role: Role
  readonly logGroup: LogGroup

  constructor(scope: Construct, id: string, props: PipelineFunctionProps<Name>) {
    super(scope, id)
    const { settings, encryptionKey } = props
    const name = functionNames[props.name]
    const functionName = `${settings.namePrefix}-${name}`
    // Not the attribute of the function, which exists only after its role.
    const functionArn = Stack.of(this).formatArn({
      service: 'lambda',
      resource: 'function',
      resourceName: functionName,
      arnFormat: ArnFormat.COLON_RESOURCE_NAME,
    })

    this.logGroup = new LogGroup(this, 'Log', {
      logGroupName: `/aws/lambda/${functionName}`,
      retention: settings.logRetentionDays,
      removalPolicy: RemovalPolicy.DESTROY,
      ...(encryptionKey === undefined ? {} : { encryptionKey }),
    })
    this.role = new Role(this, 'Role', {
      assumedBy: new ServicePrincipal('lambda.amazonaws.com'),
      description: `Permissions of the function ${functionName}`,
      inlinePolicies: {
        function: new PolicyDocument({
          statements: [
            ...props.permissions,
            allow(['logs:CreateLogStream', 'logs:PutLogEvents'], this.logGroup.logGroupArn),
            ...readEnvironment(encryptionKey, functionArn),
            ...(settings.vpc === undefined ? [] : putIntoSubnets(functionArn)),
          ],
        }),
      },
    })
    this.handler = new LambdaFunction(this, 'Function', {
      ...props.options,
      functionName,
      description: props.description,
      code: codeOf(name),
      handler: 'index.handler',
      runtime: Runtime.NODEJS_24_X,
      architecture: settings.architecture === 'arm64' ? Architecture.ARM_64 : Architecture.X86_64,
      memorySize: props.memoryMb,
      timeout: props.timeout,
      environment: { ...props.environment, ...(props.nodeFlags === undefined ? {} : { NODE_OPTIONS: props.nodeFlags.join(' ') }) },
      ...(encryptionKey === undefined ? {} : { environmentEncryption: encryptionKey }),
      role: this.role.withoutPolicyUpdates(),
      logGroup: this.logGroup,
      // The functions write JSON themselves. CloudWatch would not find metrics in lines that Lambda wraps in JSON of its own.
      loggingFormat: LoggingFormat.TEXT,
    })
    if (settings.vpc !== undefined && this.handler.node.defaultChild instanceof CfnFunction) {
      this.handler.node.defaultChild.vpcConfig = settings.vpc
    }
  }
}

/** The bundled SDK is the one that was tested, and it loads faster than the SDK of the runtime. */
function codeOf(name: string): Code {
  const entry = `functions/${name}.ts`
  const tryBundle = (folder: string) => {
    bundleFunction({ file: entry }, folder)
    return true
  }
  // No image is used, because esbuild succeeds or throws. The CDK tells bundles apart by the command.
  const bundling = { image: DockerImage.fromRegistry('none'), command: [entry], local: { tryBundle } }
  const functions = fileURLToPath(new URL('../../functions', import.meta.url))
  return Code.fromAsset(functions, { assetHashType: AssetHashType.OUTPUT, bundling })
}
