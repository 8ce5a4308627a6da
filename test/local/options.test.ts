import { describe, expect, it, test } from 'vitest'
import { minute } from '../../functions/domain/time.ts'
import { refuseSwallowedOptions } from '../../local/npm-options.ts'
import { parseOptions, proxyOf, usage } from '../../local/options.ts'
import { StartupError } from '../../local/services/startup-error.ts'

/** Returns the message for wrong options. */
function refusal(...args: string[]): string {
  try {
    parseOptions(args)
  } catch (error) {
    if (error instanceof StartupError) return error.message
    throw error
  }
  throw new Error(`${args.join(' ')} was accepted`)
}

test('npm start without options is the demonstration, until Ctrl-C, in .tributary', () => {
  expect(parseOptions([])).toEqual({
    help: false,
    once: false,
    patienceMs: 15 * minute,
    own: false,
    allowHosts: [],
    allowEmpty: false,
    data: '.tributary',
    json: false,
  })
})

test('every option is understood', () => {
  const args =
    '--once --patience 90 --streams acme.cas --connectors c.json --secrets s.json --own --allow-host localhost:8080 --allow-host [::1] --allow-empty --data /tmp/d --json'.split(
      ' ',
    )
  expect(parseOptions(args)).toEqual({
    help: false,
    once: true,
    patienceMs: 90 * minute,
    streams: 'acme.cas',
    connectors: 'c.json',
    secrets: 's.json',
    own: true,
    allowHosts: ['localhost:8080', '[::1]'],
    allowEmpty: true,
    data: '/tmp/d',
    json: true,
  })
})

describe('the proxy of the environment', () => {
  it.each([
    [{}, { HTTPS_PROXY: '', NO_PROXY: '' }],
    [
      { HTTPS_PROXY: 'http://a:b@proxy:3128', NO_PROXY: 'x,y' },
      { HTTPS_PROXY: 'http://a:b@proxy:3128', NO_PROXY: 'x,y' },
    ],
    [
      { https_proxy: 'proxy.example.com:3128', no_proxy: 'x' },
      { HTTPS_PROXY: 'http://proxy.example.com:3128', NO_PROXY: 'x' },
    ],
  ])('%j is %j', (env, proxy) => {
    expect(proxyOf(env)).toEqual(proxy)
  })

  it.each(['https://a:secret@proxy:3128', 'socks5://proxy', 'http://a:secret@[proxy'])('is refused without its address: %s', (text) => {
    const message = 'HTTPS_PROXY: give http://HOST:PORT. A proxy that is itself reached over https or SOCKS is not supported.'
    expect(() => proxyOf({ HTTPS_PROXY: text })).toThrow(new StartupError(message))
  })
})

describe('a duration', () => {
  it.each([
    ['90s', 90_000],
    ['10m', 600_000],
    ['2h', 7_200_000],
  ])('%s is read as a number and a unit', (text, ms) => {
    expect(parseOptions(['--for', text]).forMs).toBe(ms)
  })

  it.each(['90', '1d', '0s', '-5s', '1.5m', '', '5 s', '2H'])('"%s" is refused, and the message shows how to write one', (text) => {
    expect(refusal(`--for=${text}`)).toBe(`--for ${text}: this is not a duration. Give a number and a unit, such as 90s, 10m or 2h.`)
  })
})

describe('a mistake in the options is refused in one line', () => {
  it.each([
    [['--onse'], /^Unknown option '--onse'\. "npm start -- --help" lists the options\.$/],
    [['file.json'], /^Unexpected argument 'file\.json'\. "npm start -- --help"/],
    [['--for'], /^Option '--for <value>' argument missing\. "npm start -- --help"/],
    [['--once=yes'], /^Option '--once' does not take an argument\. "npm start -- --help"/],
    [['--once', '--for', '5s'], /^--once and --for exclude each other/],
    [['--patience', '5'], /^--patience says how long --once waits\. Give --once as well\.$/],
    [['--port', '0'], /^--port 0: give a port from 1 to 65535, such as 4680\.$/],
    [['--port', '65536'], /^--port 65536: give/],
    [['--port', '80x'], /^--port 80x: give/],
    [['--once', '--port', '4680'], /^--port: there is no page with --once\. Leave one of them out\.$/],
    [['--once', '--patience', '0'], /^--patience 0: give whole minutes from 1 to 1440, such as 15\.$/],
    [['--once', '--patience=1.5'], /^--patience 1\.5: give/],
    [['--once', '--patience=1441'], /^--patience 1441: give/],
    [['--once', '--patience=10m'], /^--patience 10m: give/],
    [['--allow-host', 'http://localhost:1'], /^--allow-host http:\/\/localhost:1: give HOST or HOST:PORT, such as localhost:8080\.$/],
    [['--allow-host', ''], /^--allow-host : give HOST/],
  ])('%j', (args, said) => {
    expect(refusal(...args)).toMatch(said)
    expect(refusal(...args)).not.toContain('\n')
  })
})

describe('a forgotten --', () => {
  /** The environment and the arguments that npm 11 passes on. */
  const said = (env: Readonly<Record<string, string>>, args: readonly string[] = []) => {
    try {
      refuseSwallowedOptions('npm start', usage, { args, env })
      return ''
    } catch (error) {
      return error instanceof StartupError ? error.message : String(error)
    }
  }

  it.each([
    ['npm start --once', { npm_config_once: 'true' }, [], 'npm start -- --once'],
    ['npm start --data d --json', { npm_config_data: 'true', npm_config_json: 'true' }, ['d'], 'npm start -- --data d --json'],
    ['npm start --for=5s', { npm_config_for: '5s' }, [], 'npm start -- --for 5s'],
    ['npm start --allow-host a:1', { npm_config_allow_host: 'true' }, ['a:1'], 'npm start -- --allow-host a:1'],
    [
      'npm start --connectors c --secrets s',
      { npm_config_connectors: 'true', npm_config_secrets: 'true' },
      ['c', 's'],
      'npm start -- --connectors FILE --secrets FILE',
    ],
  ])('of %s is noticed, and the message has the right command', (_, env, args, command) => {
    expect(said(env, args)).toMatch(/^npm took --.* of its own, so nothing was started\. Write -- before the options: /)
    expect(said(env, args).endsWith(command)).toBe(true)
  })

  it.each([
    [{}, ['--once']],
    [{ npm_config_help: 'true', npm_config_key: 'k', npm_config_yes: '', npm_config_json: '', npm_config_once: 'false' }, []],
  ])('is not seen where there is none: %j %j', (env, args) => {
    expect(said(env, args)).toBe('')
  })
})
