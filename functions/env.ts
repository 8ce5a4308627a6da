import * as z from 'zod/mini'
import './domain/schema-messages.ts'

/** Comma separated. */
const texts = z.pipe(
  z._default(z.string(), ''),
  z.transform((list) =>
    list
      .split(',')
      .map((text) => text.trim())
      .filter((text) => text !== ''),
  ),
)

const proxy = z.pipe(
  z._default(
    z.string().check(z.refine((text) => text === '' || URL.parse(text)?.protocol === 'http:', { error: 'must be http://HOST:PORT' })),
    '',
  ),
  z.transform((text) => URL.parse(text) ?? undefined),
)

const base = z.object({ STATE_TABLE: z.string().check(z.minLength(1)) })

/** For every function that changes or measures the state of connectors. */
const observed = z.extend(base, {
  /** The name of the event bus: it gets one event for each change of a connector's state. */
  EVENT_BUS: z.string().check(z.minLength(1)),
  METRICS_NAMESPACE: z._default(z.string().check(z.minLength(1)), 'Tributary'),
})

const vendorAccess = z.extend(observed, {
  /** Hosts (`HOST` or `HOST:PORT`) that a base URL may name beside those of the vendor. http, other ports and private addresses are allowed for these only. */
  ALLOWED_HOSTS: texts,
  /** Rate groups that connectors of all tenants share. Every other group belongs to one tenant; ids without a tenant share one of the same name. */
  SHARED_RATE_GROUPS: texts,
  /** Whether the key of a secret goes only to the origin that the secret was first accepted with. */
  SECRETS_BOUND_TO_ORIGIN: z._default(z.stringbool(), true),
  /** False: certificates are verified even if a connector says `disableTlsVerification`. */
  TLS_VERIFICATION_OPTIONAL: z._default(z.stringbool(), true),
})

const acceptance = z.extend(vendorAccess, {
  QUEUE_URL: z.url(),
  /** Every secret that a connector names must begin with it. */
  SECRET_PREFIX: z.string().check(z.minLength(1)),
})

/** For the functions that ask vendors and deliver to the lake. */
const delivery = {
  /** The proxy of requests to vendors: `http://[USER:PASSWORD@]HOST[:PORT]`. */
  HTTPS_PROXY: proxy,
  /** Hosts that are reached without the proxy, comma separated. */
  NO_PROXY: texts,
  DELIVERY_STREAM: z.string().check(z.minLength(1)),
  /** The largest response, decompressed, that the function's memory holds (bytes). A range with a larger page is read again, narrower. */
  RESPONSE_BYTES_MAX: z._default(z.coerce.number().check(z.int(), z.positive()), 12 * 1024 * 1024),
}

/** The environment variables of each function. Each function parses its own once, at cold start. */
export const environments = {
  collect: z.extend(vendorAccess, delivery),
  connectorChanged: acceptance,
  dispatch: z.extend(acceptance, {
    CONNECTORS_TABLE: z.string().check(z.minLength(1)),
    /** Runs at the same time, at most (count). So many connectors are claimed with each tick at least. */
    COLLECT_CONCURRENCY: z._default(z.coerce.number().check(z.int(), z.positive()), 10),
  }),
  operate: z.extend(acceptance, {
    ...delivery,
    CONNECTORS_TABLE: z.string().check(z.minLength(1)),
    /** The name of this function, which goes on by calling itself. Absent: it goes on in its own process. */
    OPERATE_FUNCTION: z.optional(z.string().check(z.minLength(1))),
  }),
  statusWidget: base,
} as const

/** The rules of the deployment by which `connector-changed`, `dispatch` and `operate` check items. */
export function acceptPolicy(env: z.output<typeof acceptance>) {
  return {
    secretPrefix: env.SECRET_PREFIX,
    allowedHosts: env.ALLOWED_HOSTS,
    tlsVerificationOptional: env.TLS_VERIFICATION_OPTIONAL,
  }
}

/** Throws an error that names every missing or wrong variable, without its value. */
export function parseEnvironment<S extends z.ZodMiniType>(schema: S, env: Readonly<Record<string, string | undefined>>): z.output<S> {
  const parsed = schema.safeParse(env)
  if (parsed.success) return parsed.data
  const mistakes = parsed.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`)
  throw new Error(`The function's environment is wrong. ${mistakes.join('; ')}`)
}
