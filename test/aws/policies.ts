import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { judgesDir } from './folders.ts'
import { account, type Resource, type Stack } from './template.ts'

export interface Statement {
  readonly Effect: 'Allow' | 'Deny'
  readonly Action: string | readonly string[]
  readonly Resource: string | readonly string[]
  readonly Condition?: unknown
}

/** A request, in the terms of IAM. */
export interface Request {
  readonly action: string
  readonly resource: string
  readonly context: Readonly<Record<string, string | readonly string[]>>
}

export function listOf<T>(value: T | readonly T[] | undefined): readonly T[] {
  return value === undefined ? [] : Array.isArray(value) ? value : [value as T]
}

/** Every statement of a role, in whatever way the template attaches it. Throws for a policy that is not in the template. */
export function statementsOf(stack: Stack, role: Resource): readonly Statement[] {
  const { Policies, ManagedPolicyArns } = role.properties as { Policies?: readonly Policy[]; ManagedPolicyArns?: readonly string[] }
  if (listOf(ManagedPolicyArns).length > 0) throw new Error(`${role.logicalId} has policies that are AWS's own: ${ManagedPolicyArns}`)
  const attached = [...stack.ofType('AWS::IAM::Policy'), ...stack.ofType('AWS::IAM::ManagedPolicy')]
    .map(({ properties }) => properties as unknown as Policy)
    .filter(({ Roles }) => listOf(Roles).includes(role.name))
  return [...listOf(Policies), ...attached].flatMap(({ PolicyDocument }) => listOf(PolicyDocument.Statement))
}

interface Policy {
  readonly PolicyDocument: { readonly Statement: Statement | readonly Statement[] }
  readonly Roles?: readonly string[]
}

/** The role that a function runs with. */
export function roleOf(stack: Stack, fn: Resource): Resource {
  return stack.byArn('AWS::IAM::Role', fn.properties['Role'])
}

interface Simulator {
  runSimulation(
    simulation: unknown,
    options: object,
  ): Promise<{ readonly resultType: string; readonly overallResult?: string; readonly errors?: unknown }>
}

/** Its licence is the AGPL, so it is installed beside the project and never bundled. */
const { runSimulation }: Simulator = await import(
  pathToFileURL(join(judgesDir, 'npm/node_modules/@cloud-copilot/iam-simulate/dist/esm/index.js')).href
)

/** The simulator loses the end of names such as `kms:EncryptionContext:aws:logs:arn`. It keeps that of a tag, so tags stand in for them. */
function withKnownKeys(value: unknown): unknown {
  const asTag = (_: string, name: string) => `"aws:ResourceTag/${name.replaceAll(':', '-')}"`
  return JSON.parse(JSON.stringify(value).replaceAll(/"kms:EncryptionContext:([\w:-]+)"/g, asTag))
}

/** Whether IAM allows the request to the principal: an ARN with its own statements, or a service. Throws if the request cannot be judged. */
export async function isAllowed(
  principal: string,
  { action, resource, context }: Request,
  statements: readonly Statement[],
  resourceStatements?: readonly unknown[],
): Promise<boolean> {
  const policy = (Statement: readonly unknown[]) => ({ Version: '2012-10-17', Statement: withKnownKeys(Statement) })
  const { overallResult, errors } = await runSimulation(
    {
      request: { principal, action, resource: { resource, accountId: account }, contextVariables: withKnownKeys(context) },
      identityPolicies: statements.length === 0 ? [] : [{ name: 'role', policy: policy(statements) }],
      serviceControlPolicies: [],
      resourceControlPolicies: [],
      ...(resourceStatements === undefined ? {} : { resourcePolicy: policy(resourceStatements) }),
    },
    {},
  )
  if (overallResult === undefined) throw new Error(`${action} on ${resource} cannot be judged: ${JSON.stringify(errors)}`)
  return overallResult === 'Allowed'
}
