import { parseArgs } from 'node:util'
import { hour, minute, second } from '../functions/domain/time.ts'
import { StartupError } from './services/startup-error.ts'

export interface Options {
  readonly help: boolean
  readonly once: boolean
  /** How long to run (ms); absent: until Ctrl-C. */
  readonly forMs?: number
  readonly connectors?: string
  readonly secrets?: string
  /** `HOST` or `HOST:PORT`. */
  readonly allowHosts: readonly string[]
  readonly data: string
  readonly json: boolean
}

export const usage = `Usage: npm start -- [options]

Without options: the demonstration, with a simulator of the vendor, until Ctrl-C.

  --once                    collect until every stream is covered up to now, then print the summary
  --for DURATION            run that long (90s, 10m, 2h), then print the summary
  --connectors FILE         collect these connectors instead of the demonstration's: a JSON array of items
  --secrets FILE            the API keys: a JSON object of secret name and key, readable by you alone
  --allow-host HOST[:PORT]  allow this base URL beside the vendor's own, also http and private addresses; may be repeated
  --data DIR                where state and lake lie (default .tributary)
  --json                    print the summary as one JSON object on stdout, everything else on stderr
  --help                    this text
`

const unitMs = { s: second, m: minute, h: hour } as const

/** Throws a `StartupError` that names the option, what was given and what is allowed. */
export function parseOptions(args: readonly string[]): Options {
  const { values } = parse(args)
  const forMs = values.for === undefined ? undefined : duration(values.for)
  if (values.once && forMs !== undefined)
    throw new StartupError('--once and --for exclude each other: --once ends by itself. Leave one of them out.')
  if (values.connectors !== undefined && values.secrets === undefined) {
    throw new StartupError('--connectors needs --secrets FILE: a JSON object of secret name and API key.')
  }
  if (values.connectors === undefined && values.secrets !== undefined) {
    throw new StartupError('--secrets goes with --connectors FILE: the demonstration has its own keys.')
  }
  const allowHosts = values['allow-host'] ?? []
  for (const host of allowHosts) {
    if (!/^(\[[0-9a-f:]+\]|[a-z0-9.-]+)(:\d{1,5})?$/i.test(host)) {
      throw new StartupError(`--allow-host ${host}: this is no HOST or HOST:PORT, such as localhost:8080.`)
    }
  }
  return {
    help: values.help ?? false,
    once: values.once ?? false,
    ...(forMs === undefined ? {} : { forMs }),
    ...(values.connectors === undefined ? {} : { connectors: values.connectors }),
    ...(values.secrets === undefined ? {} : { secrets: values.secrets }),
    allowHosts,
    data: values.data ?? '.tributary',
    json: values.json ?? false,
  }
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        help: { type: 'boolean', short: 'h' },
        once: { type: 'boolean' },
        for: { type: 'string' },
        connectors: { type: 'string' },
        secrets: { type: 'string' },
        'allow-host': { type: 'string', multiple: true },
        data: { type: 'string' },
        json: { type: 'boolean' },
      },
    })
  } catch (error) {
    // What follows the first sentence is advice for programs that take file names.
    const [said = ''] = (error instanceof Error ? error.message : String(error)).split(/\. |\.?\n/)
    throw new StartupError(`${said.replace(/\.$/, '')}. "npm start -- --help" lists the options.`)
  }
}

function duration(text: string): number {
  const [, count, unit] = /^(\d+)(s|m|h)$/.exec(text) ?? []
  const ms = Number(count) * (unit === 's' || unit === 'm' || unit === 'h' ? unitMs[unit] : Number.NaN)
  if (!(ms > 0)) throw new StartupError(`--for ${text}: this is no duration. Give a number and a unit: 90s, 10m or 2h.`)
  return ms
}
