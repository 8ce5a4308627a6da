import { expect, it, test } from 'vitest'
import type { LakeRecord } from '../../functions/domain/record/record.ts'
import { iso, minute } from '../../functions/domain/time.ts'
import { vendors } from '../../functions/vendors/index.ts'
import { findMissing } from '../../local/report/missing.ts'
import { readRuns } from '../../local/report/runs.ts'
import { summarise } from '../../local/report/summary.ts'
import { connectorItem, start, World } from '../../simulation/world.ts'

const detectionTime = iso(start - minute)

/** A connector whose vendor answers each request with this body. Returns the world and the records that reached its lake. */
async function answeredWith(body: string, status = 200, headers: Readonly<Record<string, string>> = {}) {
  const world = new World()
  world.model.respond = () => ({ status, headers, body, delayMs: 0 })
  const records: LakeRecord[] = []
  const deliver = world.lake.deliver.bind(world.lake)
  world.lake.deliver = (batch) => {
    records.push(...batch)
    return deliver(batch)
  }
  await world.put(connectorItem())
  await world.run(12 * minute)
  expect(world.record.crashes).toEqual([])
  return { world, records }
}

it.each([
  ['the link to the next page', 200, (key: string) => ({ security_events: [], next_link: `/v1/siem/security_events?page_id=${key}` })],
  ['the trace id and the message', 401, (key: string) => ({ code: 1, traceId: key, msg: `The token ${key} has expired` })],
])(
  'a key that the vendor sends back in %s, also for a request with another key, is in no state, log or notification',
  async (_, status, echo) => {
    const keys = ['onekeyofletters', 'anotherofletters']
    const asked = new Set<string | undefined>()
    const world = new World()
    world.model.respond = ({ authorization }) => {
      asked.add(authorization)
      return { status, headers: {}, body: JSON.stringify(echo('anotherofletters')), delayMs: 0 }
    }
    const apiKeySecrets = ['tributary/acme/one', 'tributary/acme/two']
    for (const [index, name] of apiKeySecrets.entries()) world.secrets.values.set(name, keys[index] ?? '')
    await world.put(connectorItem({ apiKeySecrets }))
    await world.run(5 * minute)
    expect(asked.size).toBe(2)
    const texts = JSON.stringify([
      await world.status('acme.cas'),
      await world.stream('acme.cas', 'sharepoint/dlp'),
      world.bus.notifications,
      world.record.log,
    ])
    expect(texts).not.toContain('anotherofletters')
  },
)

const pageOf = (items: readonly string[]) => `{"next_link":"","security_events":[${items.join(',')}]}`

test('three events whose numeric ids differ beyond 2^53 and that are equal otherwise are three records, each with its own digits', async () => {
  const ids = ['9007199254918487', '9007199254918488', '9007199254918489']
  const items = ids.map((id) => `{"log_item_id":${id},"message":{"detection_time":"${detectionTime}","file_name":"a.txt"}}`)
  const { records } = await answeredWith(pageOf(items))
  expect(records.map(({ raw }) => raw)).toEqual(items)
  expect(records.map(({ event_id }) => event_id)).toEqual(ids)
  expect(new Set(records.map(({ id }) => id)).size).toBe(3)
})

test('the raw of a record is the text of its item, to the letter', async () => {
  const odd = '"size":12345678901234567890,"ratio":0.1000000000000000055,"big":1e400,"rule":"one","rule":"two"'
  const item = `{"log_item_id":"n","message":{"detection_time":"${detectionTime}",${odd}}}`
  const { records } = await answeredWith(pageOf([item]))
  expect(records.map(({ raw }) => raw)).toEqual([item])
})

const page = pageOf([
  `{"log_item_id":"a","message":{"affected_user":"user@example.com","detection_time":"${detectionTime}","file_name":"PRIVATE"}}`,
])

it.each([
  ['an XSSI prefix', `)]}',\n${page}`],
  ['a record separator', `\u001e${page}`],
  ['UTF-16 read as another charset', Buffer.from(page, 'utf16le').toString('latin1')],
])('no user and no file of a body with %s is in the log, the status, a notification or the summary', async (_, body) => {
  for (const status of [200, 500]) {
    const { world, records } = await answeredWith(body, status, { 'content-type': 'application/json' })
    const state = await world.status('acme.cas')
    expect(state.state).toBe('failing')
    expect(records).toEqual([])
    expect(world.bus.notifications.length).toBeGreaterThan(0)
    const runs = await readRuns(world.state, ['acme.cas'])
    const summary = [summarise(runs, vendors, world.clock.now()), findMissing(runs, vendors, start)]
    const said = JSON.stringify([world.record.log, state, world.bus.notifications, summary]).replaceAll('\\u0000', '')
    expect(said).not.toMatch(/user@|PRIVATE/)
  }
})

test('a request that is refused as one too many under status 200 closes the key for a window, and is a throttle in the counts', async () => {
  const at: number[] = []
  const world = new World()
  const body = '{"code":-4290001,"msg":"Maximum allowed requests exceeded","traceId":"t"}'
  world.model.respond = (_, now) => {
    at.push(now)
    return { status: 200, headers: {}, body, delayMs: 0 }
  }
  await world.put(connectorItem())
  await world.run(10 * minute)
  const apart = at.slice(1).map((each, i) => each - (at[i] ?? 0))
  expect(apart.length).toBeGreaterThan(2)
  expect(Math.min(...apart)).toBeGreaterThanOrEqual(minute)
  expect((await world.stream('acme.cas', 'sharepoint/dlp')).counts).toMatchObject({ requests: at.length, throttled: at.length })
})
