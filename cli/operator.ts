import type { Operation } from '../functions/domain/operate/operation.ts'
import type { EventRow, OperatorAnswer } from './answers.ts'

/** The function `operate` of one place. A refusal is an answer; throws `Refused` when it cannot be asked. */
export interface Operator {
  ask(operation: Operation): Promise<OperatorAnswer>
}

export interface KeyName {
  readonly name: string
  /** When its value was last stored; absent if the place does not know it. */
  readonly changedAt?: number
}

/** The secrets with the API keys. They are read and written with the credentials of the caller, never through the operator. */
export interface KeyStore {
  /** Those whose names begin with `prefix`. */
  list(prefix: string): Promise<readonly KeyName[]>
  /** Stores a key. Returns whether the secret is new. With `name#jsonKey` the other members of the secret's object stay. */
  set(reference: string, key: string): Promise<'new' | 'replaced'>
}

/** The events. `here`: they can be searched; throws `Refused` if that fails. `athena`: a person runs queries in the console's editor. */
export type Lake =
  | { readonly kind: 'here'; query(sql: string): Promise<readonly EventRow[]> }
  | { readonly kind: 'athena'; readonly editor: string; readonly workgroup: string; readonly database: string }

/** A deployment: a stack on AWS, or a data folder of this machine. */
export interface Place {
  /** Names it, with account and region. */
  readonly title: string
  readonly names: Readonly<Record<string, string>>
  readonly operator: Operator
  readonly keys: KeyStore
  /** Every secret's name begins with it. */
  readonly secretPrefix: string
  /** The address of its pages, without a token. Throws `Refused` if nobody serves them. */
  page(): string
  lake(): Lake
  /** A sentence that a person has to know after a change. */
  readonly notice?: string
  close(): Promise<void>
}
