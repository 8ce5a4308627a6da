import { type ChildProcess, spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { dirname, join } from 'node:path'
import { createInterface } from 'node:readline'
import { type Resource, region, type Stack } from './template.ts'

/** A function of the stack, run as Lambda would run it. */
export interface HostedFunction {
  readonly resource: Resource
  /**
   * Returns the result of the handler. Throws its errors, and an error when the time-out has passed. `alias`: one of the stack; without it
   * the function itself is invoked.
   */
  invoke(event: unknown, alias?: string): Promise<unknown>
  /** Every line that the function wrote. */
  readonly lines: readonly string[]
  readonly usage: {
    readonly invocations: number
    readonly environments: number
    /** The most memory of one environment. */
    readonly memoryBytesMax: number
    readonly importMsMax: number
  }
  close(): Promise<void>
}

/**
 * Hosts a function with the template's handler, environment, time-out and memory. An environment (a process) runs one invocation at a
 * time and is frozen between two of them. If no environment is idle, another one is started. The function's calls have its logical id
 * as the id of their access key, and go to `endpoints`, which have the names of the SDK's variables.
 */
export function hostFunction(stack: Stack, logicalId: string, endpoints: Readonly<Record<string, string>>): HostedFunction {
  const resource = stack.resource(logicalId)
  const { Handler, Code, Environment, Timeout = 3, MemorySize = 128, Runtime } = resource.properties as unknown as FunctionProperties
  if (Runtime !== 'nodejs24.x') throw new Error(`${logicalId} wants ${Runtime}; it is hosted on Node 24`)
  const [file = '', name = ''] = Handler.split('.')
  const handlerFile = join(stack.asset(Code.S3Key), `${file}.mjs`)
  // https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html#configuration-envvars-runtime
  const env = {
    ...Environment?.Variables,
    ...endpoints,
    _HANDLER: Handler,
    AWS_REGION: region,
    AWS_DEFAULT_REGION: region,
    AWS_EXECUTION_ENV: 'AWS_Lambda_nodejs24.x',
    AWS_LAMBDA_FUNCTION_NAME: resource.name,
    AWS_LAMBDA_FUNCTION_VERSION: '$LATEST',
    AWS_LAMBDA_FUNCTION_MEMORY_SIZE: String(MemorySize),
    AWS_LAMBDA_INITIALIZATION_TYPE: 'on-demand',
    AWS_ACCESS_KEY_ID: logicalId,
    AWS_SECRET_ACCESS_KEY: 'secret',
    AWS_SESSION_TOKEN: 'token',
    LAMBDA_TASK_ROOT: dirname(handlerFile),
    LANG: 'en_US.UTF-8',
    TZ: ':UTC',
    PATH: '/usr/local/bin:/usr/bin/:/bin:/opt/bin',
  }

  const idle: ChildProcess[] = []
  const all = new Set<ChildProcess>()
  const lines: string[] = []
  const usage = { invocations: 0, environments: 0, memoryBytesMax: 0, importMsMax: 0 }

  const killAll = () => {
    for (const child of all) child.kill('SIGKILL')
  }
  process.once('exit', killAll)

  async function coldStart(): Promise<ChildProcess> {
    const child = spawn(process.execPath, [join(import.meta.dirname, 'lambda-runtime.ts'), handlerFile, name], {
      env,
      cwd: dirname(handlerFile),
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    })
    all.add(child)
    child.once('exit', () => all.delete(child))
    for (const stream of [child.stdout, child.stderr])
      if (stream !== null) createInterface({ input: stream }).on('line', (line) => lines.push(line))
    const started = (await nextMessage(child)) as
      | { readonly ready: boolean; readonly importMs: number; readonly error?: string }
      | undefined
    if (started?.ready !== true) throw new Error(`${logicalId} did not start: ${started?.error ?? lines.slice(-20).join('\n')}`)
    usage.environments += 1
    usage.importMsMax = Math.max(usage.importMsMax, started.importMs)
    return child
  }

  return {
    resource,
    lines,
    usage,
    async invoke(event, alias) {
      const context = contextOf(resource)
      const invokedFunctionArn = alias === undefined ? context.invokedFunctionArn : aliasArn(stack, resource, alias)
      const child = idle.pop() ?? (await coldStart())
      child.kill('SIGCONT')
      usage.invocations += 1
      const deadline = Date.now() + Timeout * 1_000
      const timer = setTimeout(() => child.kill('SIGKILL'), Timeout * 1_000)
      const message = nextMessage(child)
      child.send({ event: JSON.parse(JSON.stringify(event)), context: { ...context, invokedFunctionArn }, deadline })
      const ended = (await message) as { readonly result?: unknown; readonly error?: string; readonly memoryBytes: number } | undefined
      clearTimeout(timer)
      if (ended === undefined) throw new Error(`${logicalId} ended in its invocation, by itself or after ${Timeout} s`)
      usage.memoryBytesMax = Math.max(usage.memoryBytesMax, ended.memoryBytes)
      child.kill('SIGSTOP')
      idle.push(child)
      if (ended.error !== undefined) throw new Error(ended.error)
      return ended.result
    },
    async close() {
      process.off('exit', killAll)
      const ended = [...all].map((child) => once(child, 'exit'))
      killAll()
      await Promise.all(ended)
    },
  }
}

interface FunctionProperties {
  readonly Handler: string
  readonly Runtime: string
  readonly Code: { readonly S3Key: string }
  readonly Environment?: { readonly Variables: Readonly<Record<string, string>> }
  /** In seconds. */
  readonly Timeout?: number
  /** In MB. */
  readonly MemorySize?: number
}

/** The next message of the process, or nothing if the process ends first. */
async function nextMessage(child: ChildProcess): Promise<unknown> {
  const other = new AbortController()
  const { signal } = other
  const ended = once(child, 'exit', { signal }).then(() => [])
  const [message] = await Promise.race([once(child, 'message', { signal }), ended]).finally(() => other.abort())
  return message
}

function aliasArn(stack: Stack, { name, logicalId }: Resource, alias: string): string {
  const found = stack.ofType('AWS::Lambda::Alias').find(({ arn }) => arn.endsWith(`:${name}:${alias}`))
  if (found === undefined) throw new Error(`${logicalId} has no alias ${alias}`)
  return found.arn
}

function contextOf({ name, arn, properties }: Resource) {
  return {
    functionName: name,
    functionVersion: '$LATEST',
    invokedFunctionArn: arn,
    memoryLimitInMB: String(properties['MemorySize'] ?? 128),
    awsRequestId: randomUUID(),
    logGroupName: `/aws/lambda/${name}`,
    logStreamName: '2026/01/01/[$LATEST]0',
    callbackWaitsForEmptyEventLoop: true,
  }
}
