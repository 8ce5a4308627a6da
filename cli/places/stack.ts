import { CloudFormationClient } from '@aws-sdk/client-cloudformation'
import { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda'
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager'
import { consoleAddress, queryEditorAddress } from '../../functions/domain/operate/console-address.ts'
import { awsClient } from '../../functions/runtime/aws-client.ts'
import { stackOutputs } from '../../operator/stack-outputs.ts'
import { operatorAnswer } from '../answers.ts'
import type { Operator, Place } from '../operator.ts'
import { Refused } from '../outcome.ts'
import { keyStore } from './key-store.ts'

/** An answer may take a while: a long list, a cold start (ms). */
const answersWithinMs = 60_000

export interface StackOptions {
  readonly stack: string
  readonly profile?: string
  readonly region?: string
  /** The alias of the function: a tenant, or `all`. */
  readonly alias: string
}

/** A stack, with the credentials of the caller. Throws `StartupError` if it cannot be read. */
export async function ofStack({ stack, profile, region: wanted, alias }: StackOptions): Promise<Place> {
  const config = {
    ...awsClient,
    ...(profile === undefined ? {} : { profile }),
    ...(wanted === undefined ? {} : { region: wanted }),
  }
  const cloudFormation = new CloudFormationClient(config)
  const { account, region, output } = await stackOutputs(cloudFormation, stack)
  const lambda = new LambdaClient({
    ...config,
    region,
    requestHandler: { ...awsClient.requestHandler, requestTimeout: answersWithinMs, socketTimeout: answersWithinMs },
  })
  const secrets = new SecretsManagerClient({ ...config, region })
  return {
    title: `Stack ${stack}, account ${account}, region ${region}${alias === 'all' ? '' : `, tenant ${alias}`}`,
    names: { stack, account, region, alias },
    operator: lambdaOperator(lambda, output('OperateFunctionName'), alias),
    keys: keyStore(secrets),
    secretPrefix: output('SecretPrefix'),
    page: () =>
      consoleAddress(region, `cloudwatch/home?region=${region}#dashboards/dashboard/${dashboardName(output('DashboardName'), alias)}`),
    lake: () => ({
      kind: 'athena',
      editor: queryEditorAddress(region),
      workgroup: output('AthenaWorkgroupName'),
      database: output('AthenaDatabaseName'),
    }),
    async close() {
      for (const client of [cloudFormation, lambda, secrets]) client.destroy()
    },
  }
}

/** The dashboard that acts. A tenant with operators of its own has one on its alias. */
function dashboardName(prefix: string, alias: string): string {
  return alias === 'all' ? `${prefix}-operate` : `${prefix}-operate-${alias}`
}

/** The function `operate`, by its alias: the function takes the tenant of the caller from it. */
function lambdaOperator(lambda: LambdaClient, functionName: string, alias: string): Operator {
  return {
    async ask(operation) {
      const invoke = new InvokeCommand({ FunctionName: functionName, Qualifier: alias, Payload: JSON.stringify(operation) })
      const { FunctionError: error, Payload: payload } = await lambda.send(invoke).catch((thrown: Error) => {
        throw new Refused({ code: 'failed', message: cannotInvoke(thrown, functionName, alias) })
      })
      const parsed = operatorAnswer.safeParse(error === undefined ? jsonOf(payload) : undefined)
      if (parsed.success) return parsed.data
      const message = `The function ${functionName} failed (${error ?? 'its answer is no JSON of this release'}). Look into its log, then try again: a change that was made is not made twice.`
      throw new Refused({ code: 'failed', message })
    },
  }
}

function cannotInvoke({ name, message }: Error, functionName: string, alias: string): string {
  const what = `${functionName}:${alias} cannot be called: ${message}`
  if (name === 'ResourceNotFoundException') {
    return `${what} Name a tenant of the setting tenantsWithOperators with --alias, or leave it out for all tenants.`
  }
  if (name === 'AccessDeniedException') {
    return `${what} If you operate one tenant, give --alias TENANT. Otherwise ask for lambda:InvokeFunction on this alias.`
  }
  return `${what} Check your credentials (--profile) and the region (--region), then try again.`
}

function jsonOf(payload: Uint8Array | undefined): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(payload))
  } catch {
    return undefined
  }
}
