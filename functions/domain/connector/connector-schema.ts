import * as z from 'zod/mini'
import { failed, ok, type Result } from '../result.ts'
import { minute } from '../time.ts'
import type { Vendor, VendorAttributes } from '../vendor.ts'
import { isAllowedHost } from './allowed-hosts.ts'
import { certificatesSchema } from './certificates-schema.ts'
import type { Connector } from './connector.ts'
import { logFiltersSchema } from './log-filter-schema.ts'
import type { Problem } from './problems.ts'
import { mustBe, mustBeOneOf, pathText, problemsOf, quote, unknownName } from './problems.ts'
import { readSecretNames } from './secret-names.ts'
import { tenantOfId } from './tenant.ts'

/** The connector schema: it turns an item that a user wrote into a connector, or into a list of the item's problems. */

/** The limits that the operator sets for connectors. */
export interface ConnectorPolicy {
  readonly vendors: ReadonlyMap<string, Vendor>
  /** Every secret's name must begin with it. */
  readonly secretPrefix: string
  /**
   * `HOST` (any port) or `HOST:PORT`, for one tenant with `@TENANT` after it: hosts in addition to the vendor's, for which http, any port and
   * private addresses are allowed.
   */
  readonly allowedHosts: readonly string[]
  /** Whether a connector may switch TLS verification off. */
  readonly tlsVerificationOptional: boolean
}

/** Problems of one item that are reported at most (count). */
const problemsMax = 50
const secretsMax = 20
/** The size of an item as JSON (bytes). DynamoDB takes 400 KB, and the accepted copy has its defaults too. */
const itemBytesMax = 200 * 1024
/** The first read begins at least this far after the vendor's retention limit (minutes). */
const retentionMarginMinutes = 10

function text(pattern: RegExp, allowed: string) {
  const error = mustBe(allowed)
  return z.string({ error }).check(z.regex(pattern, { error }))
}

const identifier = /^[A-Za-z0-9._-]{1,64}$/
const idRule =
  'a tenant and a name, such as "acme.cas": 1 to 40 lower-case letters, digits or hyphens, a dot, then letters (A to Z), digits, dots, hyphens or underscores, at most 64 characters together'

function whole(what: string, min: number, max?: number) {
  const error = unquoted(mustBe(`${what}, ${max === undefined ? `${min} or more` : `from ${min} to ${max}`}`), 'N')
  return z.int({ error }).check(z.minimum(min, { error }), z.maximum(max ?? Number.MAX_SAFE_INTEGER, { error }))
}

/** Whether the text can be the id of a connector. */
export function isConnectorId(connectorId: string): boolean {
  return attributes.connectorId.safeParse(connectorId).success
}

/** The problem of a text that cannot be the id of a connector. */
export function idProblem(connectorId: string): Problem | undefined {
  return isConnectorId(connectorId) ? undefined : { path: 'connectorId', message: mustBe(idRule)({ input: connectorId }) }
}

/** The problem of an item that is too large, found before anything else is made of it. */
export function sizeProblem(item: object): Problem | undefined {
  const bytes = Buffer.byteLength(JSON.stringify(item))
  if (bytes <= itemBytesMax) return undefined
  const message = `It has ${bytes} bytes. Give at most ${itemBytesMax}: the accepted copy must fit into an item of the state table. Log filters with fewer values, or a shorter tlsCaPem, help.`
  return { path: 'item', message }
}

function flag() {
  return z.boolean({ error: unquoted(mustBe('true or false'), 'BOOL') })
}

/** Adds a hint about the type, because DynamoDB's console makes every new attribute a "String". */
function unquoted(error: (issue: { readonly input?: unknown }) => string, type: string): (issue: { readonly input?: unknown }) => string {
  return (issue) => `${error(issue)}${typeof issue.input === 'string' ? ` It is a text; its type in DynamoDB must be ${type}.` : ''}`
}

const noteRule = /^[^\p{C}\p{Zl}\p{Zp}]{0,1000}$/u

const fieldsMax = 20
const fieldRule = 'the path of a field of the vendor’s items, such as message.score'
const fieldsRule = mustBe(`a list of at most ${fieldsMax} paths of fields, such as ["message.score"]`)

const tenantsMax = 100
const tenantRule = 'a tenant, 1 to 40 lower-case letters, digits or hyphens'
const tenantsRule = mustBe(`a list of at most ${tenantsMax} tenants, such as ["globex"]`)

const secretsRule = mustBe(`a list of 1 to ${secretsMax} names of secrets`)

/** A text in place of the list may be a key, so it is not repeated. */
function secretsError({ input }: { readonly input?: unknown }): string {
  if (typeof input !== 'string') return secretsRule({ input })
  return `It is a text of ${input.length} characters. Give a list, even of one: ["name"] (DynamoDB type L).`
}

interface AttributeDoc {
  /** The kind of value: `list of texts`. */
  readonly kind: string
  readonly description: string
  /** Shown in place of the default. */
  readonly shownDefault?: string
}

/** The documentation of each attribute. */
const attributeDocs = z.registry<AttributeDoc>()

/** The attributes of a connector. The schema and the table in the docs are made from it. */
const attributes = {
  // An id that names no tenant is refused by `idProblems`, because a connector that an earlier release accepted may have one.
  connectorId: text(identifier, idRule).register(attributeDocs, {
    kind: 'text',
    description:
      'Key of the table: tenant.name, such as acme.cas. The tenant has 1 to 40 lower-case letters, digits or hyphens; the whole id has at most 64 letters, digits, dots, hyphens or underscores. Cannot change.',
  }),
  type: z.string({ error: mustBe('the type of a vendor') }).register(attributeDocs, {
    kind: 'text',
    description: 'The vendor that events are collected from. Cannot change.',
  }),
  name: text(/^(?! )[\x20-\x7e]{1,128}(?<! )$/, '1 to 128 ASCII characters, such as tenant-type').register(attributeDocs, {
    kind: 'text',
    description: 'Display name, 1 to 128 ASCII characters; by convention tenant-type. Cannot change.',
  }),
  tenantName: text(/^(?!\s)[^\p{C}\p{Zl}\p{Zp}]{1,128}(?<!\s)$/u, '1 to 128 printable characters, without blanks at either end').register(
    attributeDocs,
    {
      kind: 'text',
      description: 'The tenant’s name for people, 1 to 128 printable characters. It is in every record. Cannot change.',
    },
  ),
  baseUrl: z.string({ error: mustBe('the address of the vendor’s service, https://host') }).register(attributeDocs, {
    kind: 'text',
    description: 'Address of the vendor’s service, https://host. Anything after the host is ignored.',
  }),
  apiKeySecrets: z
    .array(z.string({ error: mustBe('the name of a secret, a text') }), { error: secretsError })
    .check(z.minLength(1, { error: secretsError }), z.maxLength(secretsMax, { error: secretsError }))
    .register(attributeDocs, {
      kind: 'list of texts',
      description:
        'Names of 1 to 20 secrets in Secrets Manager, under the stack’s prefix and the tenant: tributary/acme/cas. A secret holds an API key as its text, or in a JSON object: then write name#jsonKey. Several keys form a pool.',
    }),
  contentTypes: z.optional(z.unknown()).register(attributeDocs, {
    kind: 'list of texts',
    description: 'The content that is collected, by the vendor’s names.',
    shownDefault: 'the vendor’s',
  }),
  eventTypes: z.optional(z.unknown()).register(attributeDocs, {
    kind: 'list of texts',
    description: 'The kinds of event that are collected, by the vendor’s names.',
    shownDefault: 'the vendor’s',
  }),
  logFilters: z._default(logFiltersSchema, []).register(attributeDocs, {
    kind: 'list of log filters',
    description: 'Filters that keep events out of the lake.',
  }),
  disableTlsVerification: z._default(flag(), false).register(attributeDocs, {
    kind: 'boolean',
    description: 'Accept any certificate, on this connector’s connections only. A last resort: tlsCaPem is better.',
  }),
  tlsCaPem: z.exactOptional(certificatesSchema).register(attributeDocs, {
    kind: 'text',
    description:
      'Certificates of your own CA, in PEM form, trusted in addition to the public CAs. Not together with disableTlsVerification.',
  }),
  enabled: z._default(flag(), true).register(attributeDocs, {
    kind: 'boolean',
    description:
      'Whether the connector collects. When it is true again, the events of the pause are read, as far as the vendor still keeps them.',
  }),
  intervalMinutes: z._default(whole('a whole number of minutes', 1, 60), 5).register(attributeDocs, {
    kind: 'number',
    description: 'How often it collects, in minutes: 1 to 60.',
  }),
  requestsPerMinute: z._default(whole('a whole number', 1, 6_000), 20).register(attributeDocs, {
    kind: 'number',
    description: 'Requests a minute that the vendor allows each API key: 1 to 6000. When connectors share a key, the lowest value counts.',
  }),
  requestsPerDay: z.exactOptional(whole('a whole number', 1)).register(attributeDocs, {
    kind: 'number',
    description: 'Requests in any 24 hours that the vendor allows each API key, if it has such a limit.',
  }),
  rateGroup: z.exactOptional(text(identifier, '1 to 64 letters (A to Z), digits, dots, hyphens or underscores')).register(attributeDocs, {
    kind: 'text',
    description:
      'Name of a group of connectors whose keys the vendor counts as one customer: they share one limit. 1 to 64 letters, digits, dots, hyphens or underscores.',
  }),
  initialBackfillMinutes: z._default(whole('a whole number of minutes', 0), 10).register(attributeDocs, {
    kind: 'number',
    description: `How far back the first read begins, in minutes: 0 up to ${retentionMarginMinutes} less than the vendor keeps events (72 hours: 4310).`,
  }),
  lateArrivalMinutes: z.exactOptional(whole('a whole number of minutes', 0, 1_440)).register(attributeDocs, {
    kind: 'number',
    description: 'How late an event may appear at the vendor and still be read without delay, in minutes: 0 to 1440.',
    shownDefault: 'the vendor’s',
  }),
  sharedKey: z._default(flag(), false).register(attributeDocs, {
    kind: 'boolean',
    description: 'Allows connectors of any tenant to use the same API keys, if they allow it too. sharedWith is narrower.',
  }),
  sharedWith: z
    ._default(
      z
        .array(text(/^([a-z0-9-]{1,40}|~[^\p{C}\p{Zl}\p{Zp}]{1,128})$/u, tenantRule), { error: tenantsRule })
        .check(z.maxLength(tenantsMax, { error: tenantsRule })),
      [],
    )
    .register(attributeDocs, {
      kind: 'list of texts',
      description: `Tenants whose connectors may use the same API keys, if they allow it too. At most ${tenantsMax}. A connector whose id names no tenant has the tenant ~tenantName.`,
    }),
  identityIgnoredFields: z
    ._default(
      z
        .array(text(/^[^\p{C}\p{Z}.]{1,60}(\.[^\p{C}\p{Z}.]{1,60}){0,4}$/u, fieldRule), { error: fieldsRule })
        .check(z.maxLength(fieldsMax, { error: fieldsRule })),
      [],
    )
    .register(attributeDocs, {
      kind: 'list of texts',
      description:
        'Fields of the vendor’s items, such as message.score, that differ each time an event is shown. They do not make an event another one. At most 20 paths.',
    }),
  note: z.exactOptional(text(noteRule, 'at most 1000 printable characters')).register(attributeDocs, {
    kind: 'text',
    description: 'A note for whoever works on the connector next, at most 1000 printable characters.',
  }),
  managedBy: z.exactOptional(z.literal('file', { error: mustBe('"file", or leave it out') })).register(attributeDocs, {
    kind: 'text',
    description: 'file: a file of connectors owns this item, and its next apply writes over every other edit.',
  }),
} satisfies Record<keyof Connector, z.ZodMiniType>

const connectorSchema = z.object(attributes)

/** The names of all attributes that an item may have. */
export const attributeNames: readonly string[] = Object.keys(attributes)

const vendorAttributes: readonly (keyof VendorAttributes)[] = ['contentTypes', 'eventTypes']

/** One row of the attribute table in the docs. */
export interface ConnectorAttribute {
  readonly name: string
  /** The kind of value, for the docs: `list of texts`. */
  readonly type: string
  /** The default as an item would have it, in JSON; absent if there is none. */
  readonly default?: string
  readonly required: boolean
  readonly doc: string
}

/** All attributes of a connector, for the docs, with the defaults of `vendor` if it is given. */
export function connectorAttributes(vendor?: Vendor): readonly ConnectorAttribute[] {
  const own = vendor?.attributes.safeParse({})
  const ofVendor: Readonly<Record<string, unknown>> =
    own?.success === true ? { ...own.data, lateArrivalMinutes: vendor?.lateArrivalMinutes(own.data) } : {}
  const missing = new Set(connectorSchema.safeParse({}).error?.issues.map(({ path }) => path[0]))
  return Object.entries(attributes).map(([name, schema]) => {
    const meta = attributeDocs.get(schema)
    const byDefault = ofVendor[name] ?? schema.safeParse(undefined).data
    const shown = byDefault === undefined ? meta?.shownDefault : JSON.stringify(byDefault)
    return {
      name,
      type: String(meta?.kind),
      ...(shown === undefined ? {} : { default: String(shown) }),
      required: missing.has(name),
      doc: meta?.description ?? '',
    }
  })
}

export type ParsedConnector =
  | { readonly ok: true; readonly connector: Connector }
  | { readonly ok: false; readonly problems: readonly Problem[] }

/**
 * Checks an untrusted item and fills in the defaults. Fails with all problems of the item, and reports at most 50. `accepted`: the last
 * accepted version of a connector with this id, deleted or not. It may have an id and secrets that a new connector may not have.
 */
export function parseConnector(item: unknown, policy: ConnectorPolicy, accepted?: Connector): ParsedConnector {
  if (!isItem(item)) {
    return { ok: false, problems: [{ path: 'item', message: mustBe('an object with the attributes of a connector')({ input: item }) }] }
  }
  const tooLarge = sizeProblem(item)
  if (tooLarge !== undefined) return { ok: false, problems: [tooLarge] }
  const parsed = connectorSchema.safeParse(item)
  const vendor = readVendor(item, policy)
  const own = vendor.ok ? readVendorAttributes(item, vendor.value) : unread
  const tenant = typeof item['connectorId'] === 'string' ? tenantOfId(item['connectorId']) : undefined
  const baseUrl = vendor.ok ? readBaseUrl(item, vendor.value, policy, tenant) : unread
  const names = attributes.apiKeySecrets.safeParse(item['apiKeySecrets'])
  const secrets = names.success ? readSecretNames(names.data, { prefix: policy.secretPrefix, tenant, accepted }) : unread
  const problems = [
    // `readVendor` reports the type, and knows the vendors.
    ...(parsed.success ? [] : problemsOf(parsed.error).filter(({ path }) => path !== 'type')),
    ...[vendor, own, baseUrl, secrets].flatMap((part) => (part.ok ? [] : part.failure)),
    ...idProblems(item, accepted),
    ...(vendor.ok ? backfillProblems(item, vendor.value) : []),
    ...tlsProblems(item, policy),
    ...unknownAttributes(item),
  ]
  if (parsed.success && vendor.ok && own.ok && baseUrl.ok && secrets.ok && problems.length === 0) {
    const lateArrivalMinutes = vendor.value.lateArrivalMinutes(own.value)
    return {
      ok: true,
      connector: { lateArrivalMinutes, ...parsed.data, ...own.value, baseUrl: baseUrl.value, apiKeySecrets: secrets.value },
    }
  }
  return { ok: false, problems: bounded(problems) }
}

type Item = Readonly<Record<string, unknown>>

function isItem(value: unknown): value is Item {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** A checked part of an item, or its problems beyond those that the schema finds. */
type Part<T> = Result<T, readonly Problem[]>

const unread: Part<never> = failed([])

function readVendor({ type }: Item, { vendors }: ConnectorPolicy): Part<Vendor> {
  const vendor = typeof type === 'string' ? vendors.get(type) : undefined
  return vendor === undefined ? failed([{ path: 'type', message: mustBeOneOf([...vendors.keys()])({ input: type }) }]) : ok(vendor)
}

function readVendorAttributes(item: Item, vendor: Vendor): Part<VendorAttributes> {
  const given = Object.fromEntries(vendorAttributes.flatMap((name) => (item[name] === undefined ? [] : [[name, item[name]]])))
  const own = vendor.attributes.safeParse(given)
  if (own.success) return ok(own.data)
  return failed(own.error.issues.map(({ path, message }) => ({ path: pathText(path), message: shortened(message, valueAt(given, path)) })))
}

/** Shortens the value in a vendor's message, which may repeat it in full. */
function shortened(message: string, value: unknown): string {
  const json = JSON.stringify(value)
  const short = json === undefined ? message : message.replaceAll(json, () => quote(value))
  return short.endsWith('.') ? short : `${short}.`
}

function valueAt(value: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>((inner, step) => (typeof inner === 'object' && inner !== null ? Reflect.get(inner, step) : undefined), value)
}

function readBaseUrl({ baseUrl }: Item, vendor: Vendor, { allowedHosts }: ConnectorPolicy, tenant: string | undefined): Part<string> {
  if (typeof baseUrl !== 'string') return unread
  const refuse = (message: string) => failed([{ path: 'baseUrl', message }])
  const hosts = vendor.hosts.join(', ')
  // The text before an @ may be a password, even in a text that is not an address. So nothing of it is repeated.
  if (baseUrl.includes('@')) return refuse('It has an @, as for a user name and password, which are never sent. Give https://host alone.')
  const url = URL.parse(vendor.baseUrlOf(baseUrl))
  if (url === null || !['https:', 'http:'].includes(url.protocol)) {
    return refuse(`It is ${quote(baseUrl)}, which is not a web address. Give https:// and one of: ${hosts}.`)
  }
  if (isAllowedHost(url, allowedHosts, tenant)) return ok(url.origin)
  if (!vendor.hosts.includes(url.hostname)) {
    return refuse(`Its host is ${quote(url.hostname)}. Give one of the vendor’s: ${hosts}; or ask the operator to allow this host.`)
  }
  if (url.protocol !== 'https:' || url.port !== '') {
    return refuse(`It is ${quote(url.origin)}. Only https on port 443 is allowed: give https://${url.hostname}.`)
  }
  return ok(url.origin)
}

/** Releases before 0.4.0 accepted ids that name no tenant. Such a connector goes on, and can be edited. */
function idProblems({ connectorId }: Item, accepted: Connector | undefined): Problem[] {
  const isRight = typeof connectorId !== 'string' || !identifier.test(connectorId) || tenantOfId(connectorId) !== undefined
  return isRight || accepted !== undefined ? [] : [{ path: 'connectorId', message: mustBe(idRule)({ input: connectorId }) }]
}

function backfillProblems({ initialBackfillMinutes }: Item, vendor: Vendor): Problem[] {
  const parsed = attributes.initialBackfillMinutes.safeParse(initialBackfillMinutes)
  const max = Math.floor(vendor.retentionMs / minute) - retentionMarginMinutes
  if (!parsed.success || parsed.data <= max) return []
  const allowed = mustBe(`a whole number of minutes from 0 to ${max}, since the vendor keeps events no longer`)
  return [{ path: 'initialBackfillMinutes', message: allowed({ input: parsed.data }) }]
}

function tlsProblems({ tlsCaPem, disableTlsVerification }: Item, { tlsVerificationOptional }: ConnectorPolicy): Problem[] {
  if (disableTlsVerification === true && !tlsVerificationOptional) {
    const message =
      'It is true, but the operator of this deployment does not allow that. Give tlsCaPem, the CA that signed the certificate, instead.'
    return [{ path: 'disableTlsVerification', message }]
  }
  if (tlsCaPem === undefined || disableTlsVerification !== true) return []
  const message = 'It has no effect together with disableTlsVerification. Keep tlsCaPem and remove disableTlsVerification.'
  return [{ path: 'tlsCaPem', message }]
}

function unknownAttributes(item: Item): Problem[] {
  return Object.keys(item)
    .filter((name) => !attributeNames.includes(name))
    .map((name) => ({ path: pathText([name]), message: unknownName(name, 'a connector', attributeNames) }))
}

function bounded(problems: readonly Problem[]): readonly Problem[] {
  const more = problems.length - problemsMax
  if (more <= 0) return problems
  return [...problems.slice(0, problemsMax), { path: 'item', message: `There are ${more} more problems. Correct these first.` }]
}
