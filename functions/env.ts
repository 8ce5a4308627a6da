import * as z from 'zod'

/** `HOST` or `HOST:PORT`, comma separated. */
const allowedHosts = z
  .string()
  .default('')
  .transform((text) => text.split(',').filter((host) => host !== ''))

const base = z.object({ STATE_TABLE: z.string().min(1) })

/** What every function has that may change a connector's state, or measures it. */
const observed = base.extend({
  /** Each change of a connector's state is one event on it. */
  EVENT_BUS: z.string().min(1),
  METRICS_NAMESPACE: z.string().min(1).default('Tributary'),
})

const vendorAccess = observed.extend({
  /** Hosts beside the vendor's own that a base URL may name; http and private addresses are allowed for exactly these. */
  ALLOWED_HOSTS: allowedHosts,
  /** Whether `disableTlsVerification` of a connector counts at all. */
  TLS_VERIFICATION_OPTIONAL: z.stringbool().default(true),
})

const acceptance = vendorAccess.extend({
  QUEUE_URL: z.url(),
  /** Every secret that a connector names lies under it. */
  SECRET_PREFIX: z.string().min(1),
})

/** The environment of each function, parsed once, at cold start. */
export const environments = {
  collect: vendorAccess.extend({
    DELIVERY_STREAM: z.string().min(1),
    /** The largest answer that the function's memory holds, as decompressed (bytes). A range whose pages are larger is read narrower. */
    RESPONSE_BYTES_MAX: z.coerce
      .number()
      .int()
      .positive()
      .default(12 * 1024 * 1024),
  }),
  connectorChanged: acceptance,
  dispatch: acceptance.extend({ CONNECTORS_TABLE: z.string().min(1) }),
  statusWidget: base,
} as const

/** What `connector-changed` and `dispatch` hold items against. */
export function acceptPolicy(env: z.output<typeof acceptance>) {
  return {
    secretPrefix: env.SECRET_PREFIX,
    allowedHosts: env.ALLOWED_HOSTS,
    tlsVerificationOptional: env.TLS_VERIFICATION_OPTIONAL,
  }
}

/** Throws an error that names every variable that is missing or wrong, without its value. */
export function parseEnvironment<S extends z.ZodType>(schema: S, env: Readonly<Record<string, string | undefined>>): z.output<S> {
  const parsed = schema.safeParse(env)
  if (parsed.success) return parsed.data
  const mistakes = parsed.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`)
  throw new Error(`The function's environment is wrong. ${mistakes.join('; ')}`)
}
