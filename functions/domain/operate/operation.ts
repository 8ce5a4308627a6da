import * as z from 'zod/mini'
import '../schema-messages.ts'
import { mustBe, mustBeOneOf, type Problem, problemsOf } from '../connector/problems.ts'
import { failed, ok, type Result } from '../result.ts'
import type { Instant } from '../time.ts'

/**
 * The operations that people carry out on connectors. The function `operate` takes them as JSON, and the command and the pages send them.
 * A question reads; a change is carried out once and written into the history.
 */

/** A request is untrusted, so every text and list of it is bounded (characters, count). */
const noteMax = 1_000
const streamsMax = 200

const connectorId = z.string({ error: mustBe('the id of a connector, such as "acme.cas"') }).check(z.minLength(1), z.maxLength(64))
const tenant = z.string({ error: mustBe('a tenant') }).check(z.minLength(1), z.maxLength(130))
const item = z.record(z.string(), z.unknown(), { error: mustBe('an object with the attributes of a connector') })
/** The version of an item that the person has seen: `show` gives it. */
const version = z.string({ error: mustBe('the version of the item, as show gives it') }).check(z.minLength(1), z.maxLength(100))
const instant = z.int({ error: mustBe('an instant in ms since 1970') }).check(z.minimum(0))
const note = z.string({ error: mustBe(`a text of at most ${noteMax} characters`) }).check(z.maxLength(noteMax))

/** Every change carries these. `requestId`: the same change sent twice is carried out once. `says`: who the person says to be. */
const change = {
  requestId: z.string({ error: mustBe('a text that no other request has') }).check(z.minLength(8), z.maxLength(100)),
  says: z.exactOptional(z.string().check(z.maxLength(100))),
}

const questions = [
  z.strictObject({
    action: z.literal('list'),
    tenant: z.exactOptional(tenant),
    state: z.exactOptional(z.string()),
    find: z.exactOptional(z.string().check(z.maxLength(100))),
  }),
  z.strictObject({ action: z.literal('show'), connectorId }),
  z.strictObject({ action: z.literal('history'), connectorId, before: z.exactOptional(instant) }),
  z.strictObject({ action: z.literal('coverage'), connectorId }),
  z.strictObject({ action: z.literal('validate'), item }),
  /** The state of the last Test. */
  z.strictObject({ action: z.literal('test-result'), connectorId }),
] as const

const changes = [
  z.strictObject({ action: z.literal('create'), ...change, item }),
  z.strictObject({ action: z.literal('edit'), ...change, connectorId, version, item }),
  z.strictObject({ action: z.literal('delete'), ...change, connectorId, version }),
  z.strictObject({ action: z.literal('pause'), ...change, connectorId }),
  z.strictObject({ action: z.literal('resume'), ...change, connectorId }),
  z.strictObject({ action: z.literal('collect'), ...change, connectorId }),
  /** `redeliver`: events that the lake has are sent again. Without `streams`: all of them. */
  z.strictObject({
    action: z.literal('reread'),
    ...change,
    connectorId,
    from: instant,
    to: instant,
    redeliver: z._default(z.boolean(), false),
    streams: z.exactOptional(z.array(z.string()).check(z.minLength(1), z.maxLength(streamsMax))),
  }),
  z.strictObject({ action: z.literal('acknowledge'), ...change, connectorId, note }),
  /** Tests a saved connector, or with `item` one that is not saved. */
  z.strictObject({ action: z.literal('test'), ...change, connectorId, item: z.exactOptional(item) }),
  z.strictObject({ action: z.literal('dismiss'), ...change, connectorId }),
] as const

/** The names of the operations, as the command, the pages and the dashboard write them. */
const questionNames = ['list', 'show', 'history', 'coverage', 'validate', 'test-result'] as const
const changeNames = [
  'create',
  'edit',
  'delete',
  'pause',
  'resume',
  'collect',
  'reread',
  'acknowledge',
  'test',
  'dismiss',
] as const satisfies readonly Change['action'][]

const operationSchema = z.discriminatedUnion('action', [...questions, ...changes], {
  error: ({ input }) => mustBeOneOf([...questionNames, ...changeNames])({ input: actionOf(input) }),
})

export type Question = z.output<(typeof questions)[number]>
export type Change = z.output<(typeof changes)[number]>
export type Operation = Question | Change

function actionOf(request: unknown): unknown {
  return typeof request === 'object' && request !== null && 'action' in request ? request.action : undefined
}

export function isChange(operation: Operation): operation is Change {
  return changeNames.some((name) => name === operation.action)
}

/** Checks an untrusted request. Fails with its problems. */
export function parseOperation(request: unknown): Result<Operation, readonly Problem[]> {
  const parsed = operationSchema.safeParse(request)
  return parsed.success ? ok(parsed.data) : failed(problemsOf(parsed.error))
}

/**
 * Why an operation was not carried out. `conflict`: somebody else has changed the connector meanwhile. `busy`: another one of its kind
 * runs. `not-allowed`: the caller may not act on this tenant. `wrong`: the request or the item has problems.
 */
type RefusalCode = 'wrong' | 'not-found' | 'exists' | 'conflict' | 'busy' | 'not-allowed' | 'failed'

/** `message`: what is wrong and what to do, for people. `problems`: the place in the item of each. */
export interface Refusal {
  readonly code: RefusalCode
  readonly message: string
  readonly problems?: readonly Problem[]
}

/** The caller. The alias of the function decides it, so nobody can claim another. */
export interface Caller {
  /** Their connectors only; `all`: every tenant's. */
  readonly tenant: string
  /** The request's id on AWS: CloudTrail names the person who made it. */
  readonly awsRequestId: string
}

/** One line of the history: a change that was tried. It never holds a secret, since no item does. */
export interface HistoryEntry {
  readonly connectorId: string
  readonly at: Instant
  readonly action: Change['action']
  readonly requestId: string
  readonly awsRequestId: string
  readonly tenantOfCaller: string
  readonly says?: string
  /** The changed attributes, or the values of the operation. */
  readonly before?: Readonly<Record<string, unknown>>
  readonly after?: Readonly<Record<string, unknown>>
  /** `begun`: it broke off, and may have been carried out or not. */
  readonly outcome: 'begun' | 'done' | RefusalCode
  readonly message?: string
  /** Whether the lake has the entry, too. Absent: it is not known to have it. */
  readonly inLake?: boolean
}

/** How a change ended, for a caller that sends it again. */
export interface RequestOutcome {
  readonly outcome: 'done' | RefusalCode
  readonly message: string
}
