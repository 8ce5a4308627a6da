import { z } from 'zod'

/** `HOST` or `HOST:PORT`, comma separated. */
const allowedHosts = z
  .string()
  .default('')
  .transform((text) => text.split(',').filter((host) => host !== ''))

const base = z.object({ STATE_TABLE: z.string().min(1) })

/** The environment of each function, parsed once, at cold start. */
export const environments = {
  collect: base.extend({
    DELIVERY_STREAM: z.string().min(1),
    /** Hosts beside the vendor's own that a base URL may name; http and private addresses are allowed for exactly these. */
    ALLOWED_HOSTS: allowedHosts,
  }),
  connectorChanged: base.extend({
    QUEUE_URL: z.url(),
    /** Every secret that a connector names lies under it. */
    SECRET_PREFIX: z.string().min(1),
    ALLOWED_HOSTS: allowedHosts,
  }),
  dispatch: base.extend({
    CONNECTORS_TABLE: z.string().min(1),
    QUEUE_URL: z.url(),
    SECRET_PREFIX: z.string().min(1),
    ALLOWED_HOSTS: allowedHosts,
    METRICS_NAMESPACE: z.string().min(1).default('Tributary'),
  }),
} as const

/** Throws an error that names every variable that is missing or wrong, without its value. */
export function parseEnvironment<S extends z.ZodType>(schema: S, env: Readonly<Record<string, string | undefined>>): z.output<S> {
  const parsed = schema.safeParse(env)
  if (parsed.success) return parsed.data
  const mistakes = parsed.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`)
  throw new Error(`The function's environment is wrong. ${mistakes.join('; ')}`)
}
