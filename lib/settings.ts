import { existsSync, readFileSync } from 'node:fs'
import { z } from 'zod'
import { mustBe, mustBeOneOf, pathText, quote, unknownName } from '../functions/domain/connector/problems.ts'

/** Reads the settings of a stack from a file and the command line. Each mistake becomes one sentence. */

/** Retentions that CloudWatch accepts for a log (days). https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutRetentionPolicy.html */
const logRetentions = [
  1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1_096, 1_827, 2_192, 2_557, 2_922, 3_288, 3_653,
] as const

function text(pattern: RegExp, allowed: string) {
  const error = mustBe(allowed)
  return z.string({ error }).regex(pattern, { error })
}

function whole(what: string, min: number, max: number) {
  const error = mustBe(`${what}, a whole number from ${min} to ${max}`)
  return z.int({ error }).min(min, { error }).max(max, { error })
}

function flag() {
  return z.boolean({ error: mustBe('true or false') })
}

function list<T extends z.ZodType>(entry: T, what: string) {
  return z.array(entry, { error: mustBe(`a list of ${what}`) })
}

function oneOf<const T extends readonly string[]>(values: T) {
  return z.enum(values, { error: mustBeOneOf(values) })
}

function arn(service: string, resource: string, example: string) {
  return text(new RegExp(`^arn:aws[a-z-]*:${service}:[a-z0-9-]+:\\d{12}:${resource}$`), `an ARN such as ${example}`)
}

const vpc = z.strictObject(
  {
    subnetIds: list(
      text(/^subnet-([0-9a-f]{8}|[0-9a-f]{17})$/, 'the id of a subnet, such as subnet-0123456789abcdef0'),
      'one or more ids of subnets',
    ).min(1, {
      error: mustBe('one or more ids of subnets'),
    }),
    securityGroupIds: list(
      text(/^sg-([0-9a-f]{8}|[0-9a-f]{17})$/, 'the id of a security group, such as sg-0123456789abcdef0'),
      'one to five ids',
    )
      .min(1, {
        error: mustBe('one to five ids of security groups'),
      })
      .max(5, { error: mustBe('one to five ids of security groups') }),
  },
  { error: mustBe('an object with subnetIds and securityGroupIds') },
)

/** Each setting by its name. The schema is made from it, and a test compares the table in `docs/settings.md` with it. */
const noProxyRule = 'HOST or HOST:PORT, such as proxy-free.example.com'
const hostRule = 'HOST or HOST:PORT, such as proxy.example.com:8443, and @tenant after it if it is for one tenant'
const tenantRule =
  'the tenant of a connector’s id: 1 to 40 lower-case letters, digits or hyphens. all is the provider’s, and digits alone are no name of an alias'
/** The most aliases: two for each tenant, beside all else that CloudFormation allows in a stack (500 resources). */
const tenantsWithOperatorsMax = 150

export const settingsShape = {
  namePrefix: text(/^[a-z][a-z0-9-]{0,28}[a-z0-9]$/, '2 to 30 lower-case letters, digits or hyphens, a letter first')
    .default('tributary')
    .meta({ description: 'Name of the stack. All names in the stack begin with it, so several stacks can share an account.' }),
  alarmEmails: list(z.email({ error: mustBe('a mail address') }), 'mail addresses')
    .refine((mails) => new Set(mails).size === mails.length, { error: mustBe('mail addresses, each of them once') })
    .default([])
    .meta({ description: 'Mail addresses that receive alarms and notifications. Each gets a mail that asks for confirmation.' }),
  alarmTopicArn: arn('sns', '[A-Za-z0-9_-]{1,256}', 'arn:aws:sns:REGION:ACCOUNT:NAME')
    .optional()
    .meta({ description: 'An SNS topic of your own that receives alarms and notifications. Without it the stack makes a topic.' }),
  lagAlarmMinutes: whole('minutes', 30, 4_320).default(120).meta({
    description:
      'Lag of a tenth of the connectors that raises an alarm (minutes). Choose more than lateArrivalMinutes and two intervals together.',
  }),
  logRetentionDays: z
    .literal(logRetentions, { error: mustBe(`days, one of: ${logRetentions.join(', ')}`) })
    .default(30)
    .meta({ description: 'How long the logs of the functions are kept (days).' }),
  lakeRetentionDays: whole('days', 1, 36_500).default(400).meta({ description: 'How long records are kept in the lake (days).' }),
  allowedHosts: list(text(/^(\[[0-9a-f:]+\]|[a-z0-9.-]+)(:\d{1,5})?(@[a-z0-9-]{1,40})?$/, hostRule), hostRule)
    .default([])
    .meta({
      description:
        'Hosts that a base URL may name in addition to the vendor’s own, as HOST or HOST:PORT; with @tenant after it for the connectors of that tenant only. They may use http and private addresses as well.',
    }),
  sharedRateGroups: list(text(/^[A-Za-z0-9._-]{1,64}$/, 'the name of a rate group'), 'names of rate groups')
    .default([])
    .meta({
      description:
        'Names of rateGroup that connectors of all tenants share, for keys that the vendor counts as one customer. Every other group belongs to one tenant, except that connectors whose ids name no tenant share a group of the same name.',
    }),
  tenantsWithOperators: list(text(/^(?!all$)(?!\d+$)[a-z0-9-]{1,40}$/, tenantRule), `tenants. ${tenantRule}`)
    .max(tenantsWithOperatorsMax, { error: mustBe(`${tenantsWithOperatorsMax} tenants at most`) })
    .refine((tenants) => new Set(tenants).size === tenants.length, { error: mustBe('tenants, each of them once') })
    .default([])
    .meta({
      description:
        'Tenants with operators of their own. Each gets an alias of the functions operate and status-widget, by which IAM lets them reach the connectors of that tenant only. The alias all is the provider’s.',
    }),
  tlsVerificationOptional: flag()
    .default(false)
    .meta({ description: 'Whether a connector may set disableTlsVerification. A CA of your own in tlsCaPem does not need this setting.' }),
  collectConcurrency: whole('runs at the same time', 2, 1_000)
    .default(8)
    .meta({ description: 'Number of connectors that may run at the same time. The default fits the quota of a new account, 10.' }),
  collectMemoryMb: whole('MB', 256, 10_240).default(320).meta({
    description:
      'Memory of a run (MB). It limits the size of a page: 2.6 MB at 320, 5.8 MB at 512. If a page is larger, a narrower range is read.',
  }),
  architecture: oneOf(['arm64', 'x86_64']).default('arm64').meta({ description: 'Processor of the functions: arm64 or x86_64.' }),
  reservedConcurrency: whole('concurrent runs that the account sets aside', 2, 10_000).optional().meta({
    description:
      'Concurrency that the account reserves for runs, at least collectConcurrency. The quota of a new account is too small to reserve any.',
  }),
  removalPolicy: oneOf(['retain', 'destroy']).default('retain').meta({
    description: 'Whether the tables and the lake stay when the stack is destroyed. destroy is for a trial: it deletes all events.',
  }),
  kmsKeyArn: arn('kms', 'key/(mrk-[0-9a-f]{32}|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12})', 'arn:aws:kms:REGION:ACCOUNT:key/ID')
    .optional()
    .meta({
      description:
        'ARN of a KMS key of your own for tables, queues, environments of functions, delivery stream, bus, topic, logs and lake. The synth prints the policy that the key needs.',
    }),
  secretPrefix: text(/^[A-Za-z0-9/_+=.@-]{1,200}\/$/, 'the beginning of names of secrets, ending with /')
    .optional()
    .meta({ description: 'Connectors may use only secrets whose names begin with it.', shownDefault: 'namePrefix + /' }),
  httpsProxy: text(/^http:\/\/(\[[0-9a-f:]+\]|[a-z0-9.-]+)(:\d{1,5})?\/?$/, 'http://HOST:PORT of a proxy, without a user name')
    .optional()
    .meta({
      description:
        'A proxy that requests to vendors go through: http://HOST:PORT, without user name and password. It sees the host of a vendor and nothing of a request. Calls of AWS do not use it.',
    }),
  noProxy: list(text(/^(\*|(\*?\.)?[a-z0-9.-]+(:\d{1,5})?)$/, noProxyRule), noProxyRule)
    .default([])
    .meta({ description: 'Hosts that are reached without the proxy: HOST with its subdomains, or HOST:PORT.' }),
  vpc: vpc.optional().meta({
    description: 'Subnets and security groups of the functions. From there the functions must reach the vendor and the services of AWS.',
  }),
  accessLogBucket: text(/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/, 'the name of a bucket')
    .optional()
    .meta({
      description:
        'Name of a bucket of your own that gets the access logs of the lake, under namePrefix + /. It must be in the same account and region.',
    }),
  athenaScanLimitGb: whole('GB', 1, 100_000)
    .default(100)
    .meta({ description: 'Amount that one query may read (GB). Athena bills the amount that it reads.' }),
} as const

const schema = z
  .strictObject(settingsShape)
  .refine(({ reservedConcurrency, collectConcurrency }) => !(Number(reservedConcurrency) < collectConcurrency), {
    path: ['reservedConcurrency'],
    error: ({ input }) => {
      const { reservedConcurrency, collectConcurrency } = input as { reservedConcurrency: number; collectConcurrency: number }
      return `It is ${reservedConcurrency}, less than collectConcurrency, ${collectConcurrency}. Give at least that, or leave it out.`
    },
  })
  .transform((settings) => ({ ...settings, secretPrefix: settings.secretPrefix ?? `${settings.namePrefix}/` }))

export type Settings = z.output<typeof schema>
type Name = keyof typeof settingsShape

const names = Object.keys(settingsShape) as readonly Name[]

/** Read unless the command line names another file. Without a file the defaults hold. */
const fileDefault = 'settings.json'
/** Names another file: `-c settings=FILE`. */
const fileOption = 'settings'

/** Names in the context that belong to the CDK and its command line. */
const cdkNames = /^(aws:|@aws-cdk|cli-telemetry$|acknowledged-issue-numbers$)/

/** Its message has one line for each mistake. */
export class SettingsError extends Error {}

/**
 * Reads the settings file: `settings.json`, or the file of `-c settings=FILE`. `-c NAME=VALUE` overrides one setting; an empty value means
 * the default. `context` is the whole context of the CDK, with names of its own. Throws a `SettingsError`.
 */
export function readSettings(context: Readonly<Record<string, unknown>>): {
  readonly settings: Settings
  /** Settings that the command line gave, for this deploy only. */
  readonly overridden: readonly string[]
} {
  const own = Object.entries(context).filter(([name]) => !cdkNames.test(name))
  const overrides = new Map(own.filter(([name]) => name !== fileOption).map(([name, value]) => [name, fromCommandLine(name, value)]))
  const file = context[fileOption] === undefined ? undefined : String(context[fileOption])
  const inFile = fromFile(file ?? fileDefault, file === undefined)

  const parsed = schema.safeParse({ ...inFile, ...Object.fromEntries(overrides) })
  if (parsed.success) return { settings: parsed.data, overridden: [...overrides.keys()] }
  const where = (name: PropertyKey | undefined) => (overrides.has(String(name)) ? '-c ' : `${file ?? fileDefault}: `)
  const mistakes = parsed.error.issues.flatMap((issue) =>
    issue.code === 'unrecognized_keys'
      ? issue.keys.map((name) => `${where(issue.path[0] ?? name)}${unknownIn(issue.path, name)}`)
      : [`${where(issue.path[0])}${pathText(issue.path)}: ${issue.message}`],
  )
  throw new SettingsError([...new Set(mistakes)].join('\n'))
}

function unknownIn(path: readonly PropertyKey[], name: string): string {
  if (path.length === 0) return unknownName(name, 'the settings', names)
  return `${pathText(path)}: ${unknownName(name, pathText(path), Object.keys(vpc.shape))}`
}

function fromFile(path: string, optional: boolean): Readonly<Record<string, unknown>> {
  if (!existsSync(path)) {
    if (optional) return {}
    throw new SettingsError(`${path}: There is no such file. Copy settings.example.json to it, or leave the option out.`)
  }
  let content: unknown
  try {
    content = JSON.parse(readFileSync(path, 'utf8'))
  } catch (error) {
    throw new SettingsError(`${path}: It cannot be read as JSON. ${error instanceof Error ? error.message : error}.`)
  }
  if (typeof content === 'object' && content !== null && !Array.isArray(content)) return { ...content }
  throw new SettingsError(`${path}: It is ${quote(content)}. Give a JSON object as in settings.example.json.`)
}

/** Tries the text as it is, then as JSON, then as a list with commas. The setting takes the first that fits. */
function fromCommandLine(name: string, value: unknown): unknown {
  if (value === '') return undefined
  if (typeof value !== 'string' || !isName(name)) return value
  const readings = [value, json(value), value.split(',')].filter((reading) => reading !== undefined)
  return readings.find((reading) => settingsShape[name].safeParse(reading).success) ?? value
}

function isName(name: string): name is Name {
  return Object.hasOwn(settingsShape, name)
}

function json(value: string): unknown {
  try {
    return JSON.parse(value)
  } catch {
    return undefined
  }
}
