import { randomUUID } from 'node:crypto'
import type { Context } from 'aws-lambda'

/** The entry point of a function, as a trigger calls it. */
type Handler<Event> = (event: Event, context: Context) => Promise<unknown>

/** What triggers have in common. */
export interface TriggerOptions<Event> {
  readonly handler: Handler<Event>
  /** As long as the function may run (ms). Nobody stops it here: it is told, and keeps to it. */
  readonly timeoutMs?: number
  /** Told what a trigger could not do, in words; the function itself logs what went wrong in it. */
  readonly onError?: (what: string, thrown: unknown) => void
}

export interface Trigger {
  /** Returns when what is under way has ended. */
  stop(): Promise<void>
}

const timeoutMsDefault = 5 * 60_000

/** The account that a local service belongs to. */
export const account = '000000000000'
export const region = 'us-east-1'

/** Calls the function as Lambda does. Throws what it throws. */
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

export function reportToStderr(what: string, thrown: unknown): void {
  process.stderr.write(`${what}: ${thrown instanceof Error ? thrown.message : String(thrown)}\n`)
}

/** A variable of the environment that a worker cannot do without. */
export function environmentVariable(name: string): string {
  const value = process.env[name]
  if (value === undefined || value === '') throw new Error(`The environment variable ${name} is not set; the owner of the services sets it`)
  return value
}
