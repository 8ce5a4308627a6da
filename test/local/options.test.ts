import { describe, expect, it, test } from 'vitest'
import { parseOptions, proxyOf } from '../../local/options.ts'
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
  expect(parseOptions([])).toEqual({ help: false, once: false, allowHosts: [], allowEmpty: false, data: '.tributary', json: false })
})

test('every option is understood', () => {
  const args =
    '--once --connectors c.json --secrets s.json --allow-host localhost:8080 --allow-host [::1] --allow-empty --data /tmp/d --json'.split(
      ' ',
    )
  expect(parseOptions(args)).toEqual({
    help: false,
    once: true,
    connectors: 'c.json',
    secrets: 's.json',
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
    [['--connectors', 'c.json'], /^--connectors needs --secrets FILE/],
    [['--secrets', 's.json'], /^--secrets needs --connectors FILE/],
    [['--allow-host', 'http://localhost:1'], /^--allow-host http:\/\/localhost:1: give HOST or HOST:PORT, such as localhost:8080\.$/],
    [['--allow-host', ''], /^--allow-host : give HOST/],
  ])('%j', (args, said) => {
    expect(refusal(...args)).toMatch(said)
    expect(refusal(...args)).not.toContain('\n')
  })
})
