import { join } from 'node:path'
import { expect, test } from 'vitest'
import { temporaryFolder } from '../local-services.ts'
import { connectorItem, ownConnectors, run, start, summaryOf } from './program.ts'
import { server, vendor } from './vendors.ts'

const key = { 'tributary/acme/key': 'acme-key' }
const limits = { requestsPerMinute: 6_000, eventTypes: ['dlp'] }

test('--once goes on although the vendor resets two connections, tells what it waits for once each time, and misses nothing', async () => {
  const { url, model } = await vendor()
  let resets = 2
  const between = await server((request, response) => {
    if (resets > 0) {
      resets -= 1
      request.socket.destroy()
      return
    }
    void fetch(`${url}${request.url}`, { headers: { authorization: String(request.headers.authorization) } }).then(async (answer) => {
      response.writeHead(answer.status, { 'content-type': 'application/json' }).end(await answer.text())
    })
  })
  const dir = temporaryFolder()
  const item = connectorItem('acme.mine', between.url, limits)
  const said = await run([...ownConnectors(dir, [item], key, [between.host]), '--data', join(dir, 'data'), '--once', '--json'])
  expect(said.code).toBe(0)
  expect(said.err.match(/^Waiting for acme\.mine until \d\d:\d\d:\d\d UTC at most; next try at /gm)?.length).toBeLessThanOrEqual(2)
  expect(said.err).toMatch(/^Waiting for acme\.mine until /m)
  expect(said.err).toContain('Nothing that fails is waited for any more.')
  const [stream] = summaryOf(said).connectors[0]?.streams ?? []
  expect(stream?.delivered).toBe(model.account.shown.size)
  expect(stream?.delivered).toBeGreaterThan(0)
})

test('--for has exit code 1 and names each connector that has a problem at the end', async () => {
  const { url, host } = await vendor({ keys: [{ key: 'acme-key' }] })
  const dir = temporaryFolder()
  const items = [
    connectorItem('acme.good', url, limits),
    connectorItem('acme.bad', url, { ...limits, apiKeySecrets: ['tributary/acme/nowhere'] }),
    connectorItem('acme.refused', url, { ...limits, intervalMinutes: 0 }),
    connectorItem('acme cas', url, limits),
  ]
  const args = [...ownConnectors(dir, items, key, [host]), '--data', join(dir, 'data')]
  const said = await run([...args, '--for', '6s', '--json'])
  expect(said.code).toBe(1)
  expect(said.err).toContain(
    'Exit code 1, because 3 connectors have a problem: item 4 (refused), acme.bad (failing), acme.refused (refused). The summary says why, and what to do.',
  )
})

test('--streams of an unknown connector ends with the ids that there are, once the items are accepted', async () => {
  const { url, host } = await vendor()
  const dir = temporaryFolder()
  const args = [...ownConnectors(dir, [connectorItem('acme.mine', url, limits)], key, [host]), '--data', join(dir, 'data')]
  const said = await run([...args, '--streams', 'nope.x'])
  expect(said.code).toBe(1)
  expect(said.err).toBe('There is no connector nope.x. The connectors are acme.mine.\n')
})

test('the first Ctrl-C says how long the end may take, and that a second one ends at once, which says so', async () => {
  let asked = () => {}
  const isAsked = new Promise<void>((resolve) => {
    asked = resolve
  })
  const silent = await server(() => asked())
  const dir = temporaryFolder()
  const item = connectorItem('acme.mine', silent.url, limits)
  const program = start([...ownConnectors(dir, [item], key, [silent.host]), '--data', join(dir, 'data')])
  await isAsked
  program.signal('SIGINT')
  await program.says('Ending: runs in progress stop at the next safe point, within 35 s at most. A second Ctrl-C ends at once.')
  program.signal('SIGINT')
  expect(await program.ended).not.toBe(0)
  expect(program.err()).toContain('Ended at once. The next start goes on where this one ended.')
})

test('a forgotten -- is noticed before anything starts, with the right command', async () => {
  for (const script of ['local/main.ts', 'local/lake.ts', 'local/simulator/main.ts', 'simulation/main.ts', 'bench/main.ts']) {
    const program = start([], script, { npm_config_json: 'true', npm_config_port: '0' })
    expect(await program.ended, script).toBe(1)
    expect(program.err()).toMatch(
      /^npm took (--json as an option|--port as an option|--port and --json as options) of its own, so nothing was started\. Write -- before the options: npm (start|run \S+) -- --(json|port 0|port 0 --json)$/m,
    )
    expect(program.err()).not.toContain('    at ')
    expect(program.out()).toBe('')
  }
})
