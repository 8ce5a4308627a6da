import { type DynamoDBClient, ScanCommand } from '@aws-sdk/client-dynamodb'
import { unmarshall } from '@aws-sdk/util-dynamodb'
import { describe, expect, it } from 'vitest'
import { stateTable } from '../../functions/adapters/state-table/state-table.ts'
import { failure } from '../../functions/domain/failures.ts'
import { failed } from '../../functions/domain/result.ts'
import { minute } from '../../functions/domain/time.ts'
import { acceptConnector } from '../../functions/flows/accept-connector.ts'
import { collectConnector } from '../../functions/flows/collect/collect-connector.ts'
import type { ConnectorItem } from '../../functions/flows/item-digest.ts'
import { reconcileConnectors } from '../../functions/flows/reconcile-connectors.ts'
import { retireConnector } from '../../functions/flows/retire-connector.ts'
import { MemoryDynamoDb } from '../../simulation/fakes/dynamodb.ts'
import { connectorItem, policy, secretName, World } from '../../simulation/world.ts'

/** Which call of a service fails, and whether it has its effect all the same. */
interface Fault {
  readonly call: number
  readonly hasEffect: boolean
}

/** A deployment whose calls of DynamoDB and of the queue can fail one by one. Its clock stands still unless it is advanced. */
class Deployment {
  readonly world = new World({ ticking: false })
  readonly items = new Map<string, ConnectorItem>()
  calls = 0
  fault: Fault | undefined
  private readonly dynamodb = new MemoryDynamoDb()

  private readonly effect = async <T>(send: () => Promise<T>): Promise<T> => {
    const isFaulty = this.fault?.call === this.calls++
    const result = !isFaulty || this.fault?.hasEffect === true ? await send() : undefined
    if (isFaulty) throw Object.assign(new Error('Injected'), { name: 'TimeoutError' })
    return result as T
  }

  readonly ports = {
    ...this.world.ports(0),
    state: stateTable({
      client: {
        send: (command: Parameters<MemoryDynamoDb['send']>[0]) => this.effect(() => this.dynamodb.send(command)),
      } as unknown as DynamoDBClient,
      table: 'state',
      now: () => this.world.clock.now(),
    }),
    queue: { send: () => this.effect(async () => {}) },
  }

  /** A record of the table's stream. */
  async record(connectorId: string): Promise<void> {
    const item = this.items.get(connectorId)
    await (item === undefined ? retireConnector(this.ports, connectorId) : acceptConnector(this.ports, policy, connectorId, item))
  }

  write(item: ConnectorItem): Promise<void> {
    this.items.set(String(item['connectorId']), item)
    return this.record(String(item['connectorId']))
  }

  remove(connectorId: string): Promise<void> {
    this.items.delete(connectorId)
    return this.record(connectorId)
  }

  compare(): Promise<void> {
    return reconcileConnectors(this.ports, policy, each([...this.items.values()]))
  }

  run(connectorId: string): Promise<void> {
    return this.finish(collectConnector(this.ports, connectorId, this.world.clock.now() + 5 * minute))
  }

  finish(work: Promise<void>): Promise<void> {
    return this.world.clock.finish(work, this.world.clock.now() + 10 * minute)
  }

  /** Everything that is stored, by key, apart from what counts the writes and from notifications that are not sent. */
  async stored(): Promise<Readonly<Record<string, unknown>>> {
    const { Items = [] } = (await this.dynamodb.send(new ScanCommand({ TableName: 'state' }))) as {
      Items?: Parameters<typeof unmarshall>[0][]
    }
    const kept = Items.map((item) => unmarshall(item)).map(({ pk, sk, writeId: _, revision: __, status, ...item }) => {
      const { changes: ___, ...shown } = status ?? {}
      return [`${pk} ${sk}`, status === undefined ? item : { ...item, status: shown }] as const
    })
    return Object.fromEntries(kept.sort(([a], [b]) => (a < b ? -1 : 1)))
  }
}

async function* each<T>(values: readonly T[]): AsyncIterable<T> {
  yield* values
}

const id = 'acme.cas'
const second = 'tributary/acme/simulated-second'
const other = connectorItem({ connectorId: 'acme.other', name: 'acme.other', requestsPerMinute: 10 })
const item = connectorItem({ rateGroup: 'group' })

const steps: Readonly<
  Record<string, { readonly before: (it: Deployment) => Promise<void>; readonly step: (it: Deployment) => Promise<void> }>
> = {
  'a new connector': { before: (it) => it.write(other), step: (it) => it.write(item) },
  'an edit with another key, another group and a lower limit': {
    before: (it) => runsWith(it, item),
    step: (it) => it.write({ ...item, apiKeySecrets: [second], rateGroup: 'next', requestsPerMinute: 5 }),
  },
  'a pause': { before: (it) => runsWith(it, item), step: (it) => it.write({ ...item, enabled: false }) },
  'the end of a pause': { before: (it) => it.write({ ...item, enabled: false }), step: (it) => it.write(item) },
  'a deletion': { before: (it) => runsWith(it, item), step: (it) => it.remove(id) },
  'a return': {
    before: async (it) => {
      await runsWith(it, item)
      await it.remove(id)
    },
    step: (it) => it.write(item),
  },
  'an item that was refused and is put right': {
    before: async (it) => {
      await it.write({ ...item, eventTypes: ['wrong'] })
    },
    step: (it) => it.write(item),
  },
}

async function runsWith(it: Deployment, each: ConnectorItem): Promise<void> {
  await it.write(other)
  await it.write(each)
  await it.run(id)
}

async function prepared(before: (it: Deployment) => Promise<void>): Promise<Deployment> {
  const it = new Deployment()
  await before(it)
  it.calls = 0
  return it
}

const healedBy: Readonly<Record<string, (it: Deployment) => Promise<void>>> = {
  'the same record again': (it) => it.record(id),
  'the hourly comparison': (it) => it.compare(),
}

describe.each(Object.entries(steps))('%s', (_, { before, step }) => {
  it.each(Object.entries(healedBy))('that breaks off at any one of its calls is completed by %s', async (__, heal) => {
    const whole = await prepared(before)
    await step(whole)
    const expected = await whole.stored()
    expect(whole.calls).toBeGreaterThan(5)
    for (let call = 0; call < whole.calls; call++) {
      for (const hasEffect of [false, true]) {
        const broken = await prepared(before)
        broken.fault = { call, hasEffect }
        await step(broken).catch(() => {})
        broken.fault = undefined
        await heal(broken)
        expect(await broken.stored(), `call ${call}${hasEffect ? ' with its effect' : ''}`).toEqual(expected)
      }
    }
  })
})

/** The state that a run must find or make, whatever the step left undone. */
async function shown(it: Deployment) {
  const { state } = it.ports
  const { accepted, due, status, heldKeys } = await state.readRun(id)
  const stored = await it.stored()
  return {
    version: [accepted?.acceptedAt, status?.acceptedAt, due?.acceptedAt, heldKeys?.acceptedAt],
    status: { state: status?.state, problems: status?.problems, trouble: status?.trouble },
    keys: Object.entries(stored).filter(([key]) => /(OWNER|USER#.*|KEYS)$/.test(key)),
    limits: Object.entries(stored).flatMap(([key, value]) => (key.endsWith('TOKENS') ? [[key, (value as { limit: number }).limit]] : [])),
  }
}

describe.each(Object.entries(steps).filter(([name]) => name !== 'a deletion'))('%s', (name, { before, step }) => {
  it('that breaks off after the acceptance is completed by the start of a run', async () => {
    const whole = await prepared(before)
    await step(whole)
    const { acceptedAt } = (await whole.ports.state.readAccepted(id))!
    const { calls } = whole
    await whole.run(id)
    const expected = await shown(whole)
    expect(expected.status.state).toBe(name === 'a pause' ? 'paused' : 'ok')
    let completed = 0
    for (let call = 0; call < calls; call++) {
      const broken = await prepared(before)
      broken.fault = { call, hasEffect: true }
      await step(broken).catch(() => {})
      broken.fault = undefined
      const accepted = await broken.ports.state.readAccepted(id)
      if (accepted?.acceptedAt !== acceptedAt || accepted.retiredAt !== undefined) continue
      await broken.run(id)
      expect(await shown(broken), `call ${call}`).toEqual(expected)
      completed += 1
    }
    expect(completed).toBeGreaterThan(3)
  })
})

describe('a connector that is as it should be', () => {
  it('is left alone by the comparison and by a second record, which write nothing', async () => {
    const it = new Deployment()
    await runsWith(it, item)
    await it.write(connectorItem({ connectorId: 'acme.paused', name: 'paused', enabled: false }))
    const before = await it.stored()
    const reads = it.calls
    it.world.secrets.read = () => Promise.reject(new Error('A secret was read'))
    await it.compare()
    // Each of the three listings has 8 shards, and the last comparison is read.
    expect(it.calls - reads).toBe(3 * 8 + 1)
    expect(await it.stored()).toEqual(before)
  })

  it('has its claims and its uses looked at by a run, which writes none of them', async () => {
    const it = new Deployment()
    await runsWith(it, item)
    const before = Object.entries(await it.stored()).filter(([key]) => /(OWNER|USER#.*|KEYS|ACCEPTED)$/.test(key))
    const written: string[] = []
    for (const name of ['writeClaims', 'writeHeldKeys', 'writeKeyUser', 'makeDue'] as const) {
      it.ports.state[name] = () => {
        written.push(name)
        return Promise.reject(new Error(`${name} was called`))
      }
    }
    await it.world.clock.advance(5 * minute)
    await it.run(id)
    expect(written).toEqual([])
    expect(Object.entries(await it.stored()).filter(([key]) => /(OWNER|USER#.*|KEYS|ACCEPTED)$/.test(key))).toEqual(before)
    expect((await it.ports.state.readStatus(id))?.state).toBe('ok')
  })
})

describe('a run of an earlier version', () => {
  it('writes neither the status nor the due time of the later one, and counts nowhere', async () => {
    const it = new Deployment()
    await runsWith(it, item)
    await it.world.clock.advance(5 * minute)
    const fetch = it.ports.source.fetch.bind(it.ports.source)
    let isEdited = false
    const source = {
      fetch: async (...request: Parameters<typeof fetch>) => {
        if (!isEdited) {
          isEdited = true
          await it.write({ ...item, requestsPerMinute: 3 })
        }
        return fetch(...request)
      },
    }
    await it.finish(collectConnector({ ...it.ports, source }, id, it.world.clock.now() + 5 * minute))
    const { accepted, status, due } = await it.ports.state.readRun(id)
    expect([status?.state, status?.acceptedAt, due?.acceptedAt]).toEqual(['starting', accepted?.acceptedAt, accepted?.acceptedAt])
    expect(due?.nextDueAt).toBe(accepted?.acceptedAt)
    const [bucket] = (await it.ports.state.readHeldKeys(id))!.keys
    const users = await it.ports.state.keyUsers(bucket!.fingerprint, it.world.clock.now())
    expect(users.find(({ connectorId }) => connectorId === id)?.requestsPerMinute).toBe(3)
  })
})

describe('an edit', () => {
  it('ends what it may have mended: the backoff, refused keys and problems', async () => {
    const it = new Deployment()
    it.world.secrets.values.delete(secretName)
    await it.write(item)
    await it.run(id)
    expect((await it.ports.state.readStatus(id))?.trouble).toBeDefined()
    await it.write({ ...item, rateGroup: 'BAD GROUP' })
    expect((await it.ports.state.readStatus(id))?.problems).toHaveLength(1)
    await it.write({ ...item, apiKeySecrets: [second] })
    const status = await it.ports.state.readStatus(id)
    expect(status).toMatchObject({ state: 'starting', problems: [], rejectedKeys: {} })
    expect(status?.trouble).toBeUndefined()
  })

  it('ends the waits of the streams as well, so that the first run after it reads each', async () => {
    const it = new Deployment()
    const { fetch } = it.ports.source
    const untrusted = failed(failure('tls-failed', 'No trusted connection: self-signed certificate'))
    it.ports.source.fetch = async (...request) => (request[2].disableTlsVerification ? fetch.apply(it.ports.source, request) : untrusted)
    const streams = async () => [...(await it.ports.state.readRun(id)).streams.values()]
    await it.write(connectorItem({ eventTypes: ['dlp', 'ransomware'] }))
    for (let i = 0; i < 4; i++) {
      await it.run(id)
      const { due } = await it.ports.state.readRun(id)
      await it.world.clock.advance(due!.nextDueAt - it.world.clock.now())
    }
    for (const { trouble } of await streams()) expect(trouble?.failure.code).toBe('tls-failed')
    expect((await it.ports.state.readStatus(id))?.state).toBe('failing')
    await it.write(connectorItem({ eventTypes: ['dlp', 'ransomware'], disableTlsVerification: true }))
    const editedAt = it.world.clock.now()
    await it.run(id)
    for (const { lastReadAt } of await streams()) expect(lastReadAt).toBeGreaterThanOrEqual(editedAt)
    expect(await it.ports.state.readStatus(id)).toMatchObject({ state: 'ok', reason: '' })
  })

  it('does not end a failure that lasts, which is told again soon', async () => {
    const it = new Deployment()
    it.ports.source.fetch = async () => failed(failure('tls-failed', 'No trusted connection'))
    const item = connectorItem({ eventTypes: ['dlp', 'ransomware'] })
    await it.write(item)
    await it.run(id)
    await it.world.clock.advance(minute)
    await it.write({ ...item, requestsPerMinute: 10 })
    await it.run(id)
    expect(await it.ports.state.readStatus(id)).toMatchObject({ state: 'failing', cause: 'tls-failed' })
  })
})

describe('the size and the id of an item', () => {
  const oversize: ConnectorItem = { ...item, name: 'x'.repeat(390 * 1024) }
  const longId: ConnectorItem = { ...item, connectorId: `acme.${'x'.repeat(2_033)}` }

  it.each<[string, ConnectorItem, readonly ConnectorItem[]]>([
    ['too large, and new', oversize, []],
    ['too large, as an edit of an accepted connector', oversize, [item]],
    ['of an id that no connector can have', longId, []],
  ])('are looked at first: nothing is made of an item that is %s', async (_, bad, before) => {
    const it = new Deployment()
    for (const each of before) await it.write(each)
    const digested: number[] = []
    const digest: typeof it.ports.digest = (text) => {
      digested.push(text.length)
      return it.ports.digest(text)
    }
    const ports = { ...it.ports, digest }
    await reconcileConnectors(ports, policy, each([bad]))
    await acceptConnector(ports, policy, String(bad['connectorId']), bad)
    expect(digested.filter((length) => length > 1_000)).toEqual([])
    expect(it.world.record.log.at(-1)).toMatchObject({ event: 'connector-refused', keepsAccepted: before.length > 0 })
    const message = expect.stringMatching(/^It has \d{6} bytes\. Give at most 204800/)
    if (bad === oversize) expect((await it.ports.state.readStatus(id))?.problems).toEqual([{ path: 'item', message }])
    else expect(Object.keys(await it.stored())).toEqual(['DISPATCH COMPARISON'])
  })
})
