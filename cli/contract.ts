import * as z from 'zod'
import type { Outcome } from './outcome.ts'

/** The JSON that `--json` prints. It is the API of the command, so each member is listed here, in docs/command.md, and tested. */

/** A member may be added; a change of another kind makes a new version. */
const contractVersion = 1

/** The JSON of an outcome. `place`: the names of the stack or of the data folder. */
export function outcomeJson(command: string, { exit, result }: Outcome, place?: object): object {
  return { ...result, version: contractVersion, command, ...(place === undefined ? {} : { place }), ok: exit !== 'failed' }
}

/** The JSON of a failure. `code`: `mistake`, or why the operator refused. */
export function failureJson(code: string, message: string, problems: readonly { path: string; message: string }[]): object {
  return { version: contractVersion, ok: false, code, message, problems }
}

const instant = z.int().describe('ms since 1970')
const id = z.string()
const attributes = z.record(z.string(), z.unknown())
const problems = z.array(z.looseObject({ path: z.string(), message: z.string() }))

/** The members of every object, whatever the command. */
export const everyMember = {
  version: z.literal(contractVersion).describe('the version of this contract'),
  ok: z.boolean().describe('false if something was refused or failed'),
  command: id.describe('the command'),
  place: attributes.optional().describe('`stack`, `account`, `region` and `alias`, or `folder`; absent if the command needs no place'),
}

/** The members of a failure, in place of those of the command. */
export const failureMembers = {
  version: everyMember.version,
  ok: z.literal(false).describe('nothing was done'),
  code: z.string().describe('`mistake`, `wrong`, `not-found`, `exists`, `conflict`, `busy`, `not-allowed` or `failed`'),
  message: z.string().describe('what is wrong, and the next step'),
  problems: problems.describe('`path` and `message` of each problem of an item or a file'),
}

const changed = {
  results: z
    .array(z.looseObject({ connectorId: id, action: z.string(), ok: z.boolean(), message: z.string(), code: z.string().optional() }))
    .describe(
      'for each connector `connectorId`, `action`, `ok`, `message`, and for a refusal `code` and `problems`; empty if nothing changed',
    ),
  notice: z.string().optional().describe('something that a person has to know'),
}

/** The members of each command beside those of every one. */
export const contract = {
  list: {
    asOf: instant,
    rows: z
      .array(z.looseObject({ connectorId: id, state: z.string(), reason: z.string() }))
      .describe('one for each connector, the worst first'),
    total: z.int().describe('connectors that you may see'),
  },
  show: {
    asOf: instant,
    row: z.looseObject({ connectorId: id, state: z.string() }).describe('as in `list`'),
    item: attributes.optional().describe('as it is stored; absent if it was deleted'),
    itemVersion: z.string().optional().describe('the version of the item'),
    streams: z.array(z.looseObject({ stream: z.string(), provenTo: instant })).describe('the coverage, counts and trouble of each stream'),
    keys: z.array(z.looseObject({ secret: z.string(), fingerprint: z.string() })).describe('the keys in use, without a key'),
  },
  history: {
    entries: z
      .array(z.looseObject({ at: instant, action: z.string(), outcome: z.string(), tenantOfCaller: z.string() }))
      .describe('the changes, the latest first'),
  },
  coverage: {
    connectors: z
      .array(
        z.looseObject({
          connectorId: id,
          tenant: z.string(),
          asOf: z.iso.datetime(),
          streams: z.array(
            z.looseObject({
              stream: z.string(),
              from: z.iso.datetime(),
              provenTo: z.iso.datetime(),
              lost: z.looseObject({
                count: z.int(),
                ms: z.number(),
                ranges: z.array(z.looseObject({ from: z.iso.datetime(), to: z.iso.datetime() })),
              }),
            }),
          ),
        }),
      )
      .describe('for each stream `from`, `provenTo` and `lost` with its `count`, `ms` and `ranges`; times as texts in UTC'),
  },
  create: changed,
  edit: changed,
  delete: changed,
  test: {
    tests: z
      .array(z.looseObject({ connectorId: id }))
      .describe('for each connector its `steps` with their `faults`, `state`, `progress` and `summary`, or the refusal to begin'),
  },
  pause: changed,
  resume: changed,
  collect: changed,
  reread: changed,
  acknowledge: changed,
  validate: {
    connectors: z.int().describe('connectors of the file'),
    problems: problems.describe('`place` (file and line), `connectorId`, `path` and `message` of each'),
  },
  plan: {
    changes: z
      .array(z.looseObject({ action: z.enum(['create', 'edit', 'delete']), connectorId: id }))
      .describe('`action`, `connectorId`, and for an edit the `changes` with `attribute`, `before` and `after`'),
    unchanged: z.int().describe('connectors that are as the file says'),
    left: z.array(id).describe('connectors that a file owned, that are no longer in it, and that are kept'),
    budget: z
      .array(
        z.strictObject({
          key: z.string(),
          connectorIds: z.array(id),
          streams: z.int(),
          requestsPerPass: z.number(),
          requestsPerMinute: z.number(),
          limitPerMinute: z.number(),
          isEnough: z.boolean(),
          expectedAge: z.string(),
          expectedAgeMs: z.number(),
        }),
      )
      .describe('for each key the requests that are asked of it and that it has, and the expected age of events'),
  },
  apply: changed,
  export: { connectors: z.array(attributes).describe('the items, which `plan` and `apply` take as a file') },
  'key list': {
    keys: z.array(z.strictObject({ name: z.string(), changedAt: instant.optional() })).describe('`name`, and when the value was stored'),
  },
  'key set': {
    secret: z.string().describe('its name'),
    stored: z.enum(['new', 'replaced']).describe('whether the secret is new'),
  },
  events: {
    sql: z.string().describe('the query'),
    events: z
      .array(z.looseObject({ id: z.string(), timestamp: instant }))
      .optional()
      .describe('the events of a search in a data folder'),
    record: attributes.optional().describe('the event of `events ID` in a data folder'),
    editor: z.url().optional().describe('on AWS, the address of the editor'),
    workgroup: z.string().optional().describe('on AWS'),
    database: z.string().optional().describe('on AWS'),
  },
  open: { address: z.url().describe('the page of the data folder, or the dashboard') },
  vendor: { vendors: z.array(z.looseObject({ type: z.string(), title: z.string() })).describe('the cards of the vendors') },
} as const satisfies Readonly<Record<string, Readonly<Record<string, z.ZodType>>>>
