import { parseArgs } from 'node:util'
import { hour, minute, second } from '../functions/domain/time.ts'
import { dataDefault } from './services/data-folder.ts'
import { StartupError } from './services/startup-error.ts'

export interface Options {
  readonly help: boolean
  readonly once: boolean
  /** How long `once` waits for a failure that may pass (ms). */
  readonly patienceMs: number
  /** How long to run (ms); absent: until Ctrl-C. */
  readonly forMs?: number
  readonly connectors?: string
  readonly secrets?: string
  /** No demonstration: the connectors are made on the page or with the command. */
  readonly own: boolean
  /** `HOST` or `HOST:PORT`. */
  readonly allowHosts: readonly string[]
  /** A file without connectors retires those of the last start. */
  readonly allowEmpty: boolean
  readonly data: string
  /** The port of the page; absent: the usual one. */
  readonly port?: number
  /** Shows the streams of this connector. */
  readonly streams?: string
  readonly json: boolean
}

export const usage = `Usage: npm start -- [options]

Without options it runs the demonstration, against a simulator of the vendor, until you press Ctrl-C. Connectors of your own are made on the page, with the command "npx --no tributary", or in a file.

  --once                    collect until every stream is complete up to now, then print the summary
  --patience MINUTES        how long --once waits for a failure that may pass, such as an outage of the vendor: 1 to 1440 (default 15)
  --for DURATION            run for this time (90s, 10m, 2h), then print the summary; exit code 1 if a connector or a stream has a problem
  --own                     no demonstration: collect the connectors that you make on the page or with the command
  --connectors FILE         no demonstration: collect the connectors of this file as well, a JSON array of items, which the file then owns
  --secrets FILE            read API keys from this file, a JSON object from secret name to key that only you can read; others are in DATA/keys.json
  --allow-host HOST[:PORT]  allow this host in base URLs beside the vendor's own, also with http or a private address; may be repeated
  --allow-empty             accept a file without connectors although there are some, so that all of them are retired
  --data DIR                keep state and lake in this folder (default .tributary)
  --port PORT               the port of the page on this machine, 1 to 65535 (default 4680, or any other if that is used); none with --once
  --streams CONNECTOR_ID    show the streams of this connector: from when to when each is proven complete and read
  --json                    print the summary as one JSON object on stdout, and everything else on stderr
  --help                    print this text

docs/one-machine.md describes the table, the states and the JSON. Requests to vendors go through the proxy that HTTPS_PROXY names (http://HOST:PORT), except to the hosts of NO_PROXY.
`

/**
 * The proxy that the environment names, with the names in capitals or not; empty if there is none. Throws a `StartupError` if it is no
 * proxy, without its address, which may have a password.
 */
export function proxyOf(env: Readonly<Record<string, string | undefined>>): { readonly HTTPS_PROXY: string; readonly NO_PROXY: string } {
  const given = env['HTTPS_PROXY'] ?? env['https_proxy'] ?? ''
  const HTTPS_PROXY = given === '' || given.includes('://') ? given : `http://${given}`
  if (HTTPS_PROXY !== '' && URL.parse(HTTPS_PROXY)?.protocol !== 'http:') {
    throw new StartupError('HTTPS_PROXY: give http://HOST:PORT. A proxy that is itself reached over https or SOCKS is not supported.')
  }
  return { HTTPS_PROXY, NO_PROXY: env['NO_PROXY'] ?? env['no_proxy'] ?? '' }
}

/** A day of waiting is enough (minutes). */
const patienceMax = 24 * 60
const patienceDefault = 15

const unitMs = { s: second, m: minute, h: hour } as const

/** Throws a `StartupError` that names the option, the value and the allowed values. */
export function parseOptions(args: readonly string[]): Options {
  const { values } = parseFlags(args)
  const forMs = values.for === undefined ? undefined : parseDuration(values.for)
  if (values.once && forMs !== undefined)
    throw new StartupError('--once and --for exclude each other, because --once ends by itself. Leave one of them out.')
  if (values.patience !== undefined && !values.once) throw new StartupError('--patience says how long --once waits. Give --once as well.')
  if (values.once && values.port !== undefined) throw new StartupError('--port: there is no page with --once. Leave one of them out.')
  const allowHosts = values['allow-host'] ?? []
  for (const host of allowHosts) {
    if (!/^(\[[0-9a-f:]+\]|[a-z0-9.-]+)(:\d{1,5})?$/i.test(host)) {
      throw new StartupError(`--allow-host ${host}: give HOST or HOST:PORT, such as localhost:8080.`)
    }
  }
  return {
    help: values.help ?? false,
    once: values.once ?? false,
    patienceMs: parsePatience(values.patience),
    ...(forMs === undefined ? {} : { forMs }),
    ...(values.connectors === undefined ? {} : { connectors: values.connectors }),
    ...(values.secrets === undefined ? {} : { secrets: values.secrets }),
    own: values.own ?? false,
    allowHosts,
    allowEmpty: values['allow-empty'] ?? false,
    data: values.data ?? dataDefault,
    ...(values.port === undefined ? {} : { port: parsePort(values.port) }),
    ...(values.streams === undefined ? {} : { streams: values.streams }),
    json: values.json ?? false,
  }
}

function parseFlags(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        help: { type: 'boolean', short: 'h' },
        once: { type: 'boolean' },
        patience: { type: 'string' },
        for: { type: 'string' },
        own: { type: 'boolean' },
        connectors: { type: 'string' },
        secrets: { type: 'string' },
        'allow-host': { type: 'string', multiple: true },
        'allow-empty': { type: 'boolean' },
        data: { type: 'string' },
        port: { type: 'string' },
        streams: { type: 'string' },
        json: { type: 'boolean' },
      },
    })
  } catch (error) {
    // The later sentences are advice for programs that take file names.
    const [firstSentence = ''] = (error instanceof Error ? error.message : String(error)).split(/\. |\.?\n/)
    throw new StartupError(`${firstSentence.replace(/\.$/, '')}. "npm start -- --help" lists the options.`)
  }
}

function parseDuration(text: string): number {
  const [, count, unit] = /^(\d+)(s|m|h)$/.exec(text) ?? []
  const ms = Number(count) * (unit === 's' || unit === 'm' || unit === 'h' ? unitMs[unit] : Number.NaN)
  if (!(ms > 0)) throw new StartupError(`--for ${text}: this is not a duration. Give a number and a unit, such as 90s, 10m or 2h.`)
  return ms
}

function parsePort(text: string): number {
  const port = /^\d{1,5}$/.test(text) ? Number(text) : 0
  if (port < 1 || port > 65_535) throw new StartupError(`--port ${text}: give a port from 1 to 65535, such as 4680.`)
  return port
}

function parsePatience(text = String(patienceDefault)): number {
  const minutes = /^\d+$/.test(text) ? Number(text) : 0
  if (minutes < 1 || minutes > patienceMax) {
    throw new StartupError(`--patience ${text}: give whole minutes from 1 to ${patienceMax}, such as 15.`)
  }
  return minutes * minute
}
