import { randomUUID } from 'node:crypto'
import type { Context } from 'aws-lambda'

/** The entry point of a function, in the form that a trigger calls. */
type Handler<Event> = (event: Event, context: Context) => Promise<unknown>

/** All triggers have these options. */
export interface TriggerOptions<Event> {
  readonly handler: Handler<Event>
  /** The function may run this long (ms). It learns this from its context and ends by itself; nothing stops it here. */
  readonly timeoutMs?: number
  /** Receives the trigger's own failures, as a sentence; a function logs its failures itself. */
  readonly onError?: (message: string, thrown: unknown) => void
}

export interface Trigger {
  /** Starts no more invocations, and returns when those under way have ended. */
  stop(): Promise<void>
}

const timeoutMsDefault = 5 * 60_000

/** Local services belong to this account. */
export const account = '000000000000'
export const region = 'us-east-1'

/** Calls the function as Lambda does. Throws the function's error. */
export async function invoke<Event>(
  { handler, timeoutMs = timeoutMsDefault }: TriggerOptions<Event>,
  functionName: string,
  event: Event,
): Promise<unknown> {
  const end = Date.now() + timeoutMs
  const context: Context = {
    functionName,
    functionVersion: '$LATEST',
    invokedFunctionArn: `arn:aws:lambda:${region}:${account}:function:${functionName}`,
    memoryLimitInMB: '512',
    awsRequestId: randomUUID(),
    logGroupName: `/aws/lambda/${functionName}`,
    logStreamName: 'local',
    callbackWaitsForEmptyEventLoop: true,
    getRemainingTimeInMillis: () => Math.max(0, end - Date.now()),
    done: () => undefined,
    fail: () => undefined,
    succeed: () => undefined,
  }
  return handler(event, context)
}

export function reportToStderr(message: string, thrown: unknown): void {
  process.stderr.write(`${message}: ${thrown instanceof Error ? thrown.message : String(thrown)}\n`)
}

/** Returns a variable that a worker needs. Throws when it is not set. */
export function environmentVariable(name: string): string {
  const value = process.env[name]
  if (value === undefined || value === '')
    throw new Error(`The environment variable ${name} is not set. Start this process with the environment of the services`)
  return value
}
