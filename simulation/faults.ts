import type { OriginTrouble } from './wire.ts'

/** The faults that can happen at an effect of a process: one call of a service. */
export type FaultKind =
  | 'crash before a call'
  | 'crash after a call'
  | 'freeze before a call'
  | 'freeze after a call'
  | 'throttled call'
  | 'timed-out call without effect'
  | 'timed-out call with effect'
  | 'lost response, and the call sent again'
  | 'delivery refused in part'
  | 'acknowledgement lost'
  | OriginTrouble['kind']
  | 'function timed out'
  | 'run waited for a place'
  | 'message expired'
  | 'clock step of a process'
  | 'overloaded key'
  | 'contested key'
  | 'edit'
  | 'invalid edit'
  | 'pause'
  | 'deletion and return'

/** The probability of each fault at each effect. */
export interface FaultRates {
  /** A process is killed: before the call, or after it but before it has the result. */
  readonly crash: number
  /** A process stands still for up to half an hour before or after the call, and then goes on. */
  readonly freeze: number
  /** A call of DynamoDB, Firehose, Secrets Manager, SQS or EventBridge fails. */
  readonly service: number
}

type CallFault = Extract<FaultKind, `${string} call${string}` | `lost${string}`>

const serviceFaults = [
  'throttled call',
  'timed-out call without effect',
  'timed-out call with effect',
  'lost response, and the call sent again',
] as const satisfies readonly CallFault[]

/** Draws what happens at one effect; nothing in most cases. `random`: in [0, 1). */
export function drawFault({ crash, freeze, service }: FaultRates, random: number): CallFault | undefined {
  if (random < crash) return random < crash / 2 ? 'crash before a call' : 'crash after a call'
  const second = random - crash
  if (second < freeze) return second < freeze / 2 ? 'freeze before a call' : 'freeze after a call'
  const third = second - freeze
  return third < service ? serviceFaults[Math.floor((third / service) * serviceFaults.length)] : undefined
}

/** A process that was killed throws this, and every later call of it too. */
export class Killed extends Error {}

/** An error as the SDK throws it after its own retries. */
export function serviceError(kind: FaultKind): Error {
  const name = kind === 'throttled call' ? 'ThrottlingException' : 'TimeoutError'
  return Object.assign(new Error(`Injected: ${kind}`), { name })
}
