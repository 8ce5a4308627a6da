import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { afterEach, expect, test } from 'vitest'
import { readCommandLine } from '../../local/simulator/flags.ts'
import { parseOptions } from '../../local/simulator/options.ts'
import { type RunningSimulator, startSimulator } from '../../local/simulator/server.ts'
import { noon, type Page } from './simulator-client.ts'

const running: RunningSimulator[] = []
afterEach(async () => {
  for (const simulator of running.splice(0)) await simulator.close()
})

async function start(...options: Parameters<typeof startSimulator>): Promise<RunningSimulator> {
  const simulator = await startSimulator(...options)
  running.push(simulator)
  return simulator
}

function get(url: string): Promise<Response> {
  return fetch(url, { headers: { authorization: 'Bearer key-one' }, redirect: 'manual' })
}

test('the API responds at its address, and its links lead back to the requested host', async () => {
  const { url, model } = await start({ eventsPerHour: 3_600 })
  const asked = url.replace('127.0.0.1', 'localhost')
  const response = await get(`${asked}/v1/siem/security_events?service=box&event=dlp&limit=10`)
  const page = (await response.json()) as Page
  expect(response.headers.get('date')).toMatch(/GMT$/)
  expect(page.next_link.startsWith(`${asked}/v1/`)).toBe(true)
  const next = (await (await get(page.next_link)).json()) as Page
  expect(model.account.shown.size).toBe(10 + next.security_events.length)
})

test('a delayed response comes no earlier than the model says', async () => {
  const { url } = await start({ delayMs: { min: 80, max: 80 } })
  const before = performance.now()
  await get(`${url}/v1/siem/security_events?service=box&event=dlp`)
  expect(performance.now() - before).toBeGreaterThanOrEqual(75)
})

test('a truncated response breaks off', async () => {
  const { url } = await start({ eventsPerHour: 3_600, truncateRate: 1 })
  await expect(get(`${url}/v1/siem/security_events?service=box&event=dlp`).then((response) => response.text())).rejects.toThrow()
})

test('another process can request the account and the events', async () => {
  const { url } = await start({ eventsPerHour: 0, bursts: [{ at: Date.now() - 60_000, count: 4, stream: 'box/dlp' }] })
  await get(`${url}/v1/siem/security_events?service=box&event=dlp&limit=3`)
  expect(await (await fetch(`${url}/simulator/account`)).json()).toMatchObject({
    requests: 1,
    refused: 0,
    eventsShown: 3,
    keys: [{ maxRequestsInAnyMinute: 1 }],
  })
  const lines = (await (await fetch(`${url}/simulator/events?from=${Date.now() - 120_000}&to=${new Date().toISOString()}`)).text())
    .trimEnd()
    .split('\n')
  expect(lines.map((line) => JSON.parse(line).shown)).toEqual([true, true, true, false])
  expect((await fetch(`${url}/simulator/events`)).status).toBe(400)
  expect((await fetch(`${url}/simulator/nothing`)).status).toBe(404)
})

test('the error for a used port is a sentence', async () => {
  const { url } = await start()
  const port = Number(new URL(url).port)
  await expect(startSimulator({}, { port })).rejects.toThrow(`Port ${port} of 127.0.0.1 is used by another program.`)
})

test('the simulator closes although a response is still delayed', async () => {
  const simulator = await startSimulator({ delayMs: { min: 60_000, max: 60_000 } })
  const response = get(`${simulator.url}/v1/siem/security_events?service=box&event=dlp`).catch(() => 'closed')
  while (simulator.model.account.totals().requests === 0) await new Promise(setImmediate)
  await simulator.close()
  expect(await response).toBe('closed')
})

test('the command line reads every kind of value', () => {
  const args =
    '--port 0 --key a:acme --key b --stream-rate box/dlp=7 --burst 3000@+30s=box/dlp --burst 2@2026-11-24T11:00:00Z --links no-scheme,other-path --page-id-life 45s'
  const more = '--dead-page-id-status 404 --refused-count --delay 1s..2.5s --clock-skew=-500ms --backlog 10m --forbidden gmail --seed 7'
  const { options, port } = readCommandLine(`${args} ${more}`.split(' '), noon)
  expect(port).toBe(0)
  expect(parseOptions(options)).toEqual({
    ...parseOptions({}),
    keys: [
      { key: 'a', customer: 'acme' },
      { key: 'b', customer: 'customer' },
    ],
    streamEventsPerHour: { 'box/dlp': 7 },
    bursts: [
      { at: noon + 30_000, count: 3_000, stream: 'box/dlp' },
      { at: Date.parse('2026-11-24T11:00:00Z'), count: 2 },
    ],
    links: ['no-scheme', 'other-path'],
    pageIdLifeMs: 45_000,
    deadPageIdStatus: 404,
    refusedCount: true,
    delayMs: { min: 1_000, max: 2_500 },
    clockSkewMs: -500,
    backlogMs: 600_000,
    forbiddenStreams: ['gmail'],
    seed: 7,
  })
})

test.each([
  [['--page-id-life', '45'], '--page-id-life 45: this is not a duration'],
  [['--seed', 'x'], '--seed x: this is not a number'],
  [['--seed', '1', '--seed', '2'], '--seed was given 2 times'],
  [['--port', '70000'], '--port 70000'],
  [['--burst', 'many'], '--burst many: give a burst as'],
  [['--no-such'], '--no-such'],
])('a command line with %j is refused with its mistake', (args, message) => {
  expect(() => readCommandLine(args, noon)).toThrow(message)
})

test('the help lists the options, and a mistake is refused in a sentence without a stack trace', async () => {
  const run = (...args: string[]) =>
    promisify(execFile)(process.execPath, ['--import', './node-version.js', 'local/simulator/main.ts', ...args])
  const { stdout } = await run('--help')
  for (const flag of ['--key', '--window', '--page-id-life', '--late-max', '--account', '--port']) expect(stdout).toContain(flag)
  const mistake = await run('--bounds', 'closed').catch((error: { code: number; stderr: string }) => error)
  expect(mistake).toMatchObject({ code: 1, stderr: expect.stringContaining('bounds: Invalid option') })
  expect('stderr' in mistake && mistake.stderr).not.toContain('    at ')
})
