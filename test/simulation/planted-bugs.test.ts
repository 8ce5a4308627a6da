import { afterEach, describe, expect, it, vi } from 'vitest'
import { failure } from '../../functions/domain/failures.ts'
import { hour, minute, second } from '../../functions/domain/time.ts'
import type { Scenario } from '../../simulation/scenario.ts'
import { connectorItem, secretNameOfGlobex, start, type World } from '../../simulation/world.ts'

afterEach(() => {
  vi.doUnmock('../../functions/domain/stream/plan.ts')
  vi.doUnmock('../../functions/domain/stream/ledger.ts')
  vi.doUnmock('../../functions/domain/stream/proof.ts')
  vi.doUnmock('../../functions/flows/collect/stream-lease.ts')
  vi.doUnmock('../../functions/flows/collect/deliver-page.ts')
  vi.doUnmock('../../functions/domain/token-bucket.ts')
  vi.doUnmock('../../functions/domain/record/key-redaction.ts')
})

/** The claims that a run with the bug breaks. The modules are loaded anew, so that they see the bug. */
async function brokenBy(scenario: (modules: Modules) => Scenario, prepare: (world: World) => void = () => {}): Promise<readonly string[]> {
  vi.resetModules()
  const modules = await load()
  const { invariants } = await modules.runScenario(scenario(modules), { prepare, onEffect: () => {} })
  return invariants.flatMap(({ claim, problems }) => (problems.length === 0 ? [] : [claim]))
}

type Modules = Awaited<ReturnType<typeof load>>

async function load() {
  const { runScenario } = await import('../../simulation/run-scenario.ts')
  const { drawScenario } = await import('../../simulation/scenario.ts')
  return { runScenario, drawScenario }
}

/** Replaces functions of one module. */
function plant<T extends object>(path: string, bug: (real: T) => Partial<T>): void {
  vi.doMock(path, async (original) => {
    const real = await original<T>()
    return { ...real, ...bug(real) }
  })
}

const vendorOnly = ({ drawScenario }: Modules): Scenario => drawScenario('vendor', 5)
/** Busy enough for ranges of several pages, with late events, and bounds that include neither end. */
const busy = (modules: Modules): Scenario => {
  const { world, ...scenario } = vendorOnly(modules)
  const vendor = {
    ...world.vendor,
    eventsPerHour: 400,
    lateShare: 1,
    lateMaxMs: 10 * minute,
    bounds: 'exclusive',
    wholeSeconds: true,
  } as const
  return { ...scenario, world: { ...world, vendor } }
}
const killed = ({ drawScenario }: Modules): Scenario => {
  const { world, ...scenario } = drawScenario('kills', 3)
  return { ...scenario, world: { ...world, faults: { crash: 0.03 } } }
}
const refusing = (modules: Modules): Scenario => {
  const { world, ...scenario } = vendorOnly(modules)
  return { ...scenario, world: { ...world, sinkFaultRate: 0.3, seed: 5 } }
}
/** Frozen processes, and twice as many runs of one connector as there should be. */
const doubled = (modules: Modules): Scenario => {
  const { world, ...scenario } = busy(modules)
  return { ...scenario, world: { ...world, stateMs: 40, seed: 5 } }
}
const sendsTwice = (world: World) => {
  const portsOf = world.ports.bind(world)
  world.ports = (process) => {
    const ports = portsOf(process)
    const { queue } = ports
    const send: typeof queue.send = async (connectorId, delaySeconds, claim) => {
      await queue.send(connectorId, delaySeconds, claim)
      // As if the queue had delivered the message twice, and nobody had looked at its claim.
      if (claim !== undefined) void queue.send(connectorId, delaySeconds + 1)
    }
    return { ...ports, queue: { send } }
  }
}

/** Four connectors have one key, and a backlog for which they need all its requests. */
const saturated = (modules: Modules): Scenario => {
  const scenario = modules.drawScenario('kills', 2)
  const items = [0, 1, 2, 3].map((n) => ({
    ...scenario.items[0],
    connectorId: `acme.${n}`,
    name: `acme.${n}`,
    initialBackfillMinutes: 400,
  }))
  return { ...scenario, items, world: { ...scenario.world, faults: {} }, faultyMs: hour, calmMs: 4 * hour }
}
/** In the first hour some writes of the limiter take minutes, so their tokens come late. */
const tokensComeLate = (world: World) => {
  const write = world.state.writeTokens.bind(world.state)
  let writes = 0
  world.state.writeTokens = async (bucket, next) => {
    const isWritten = await write(bucket, next)
    writes += 1
    if (writes % 7 === 0 && world.clock.now() < start + hour) {
      world.happened('freeze after a call')
      await world.clock.sleepUntil(world.clock.now() + 3 * minute)
    }
    return isWritten
  }
}
/** Two connectors of two tenants with one key. Only the second allows it. */
const oneSided = (modules: Modules): Scenario => {
  const scenario = quiet(modules)
  const globex = { connectorId: 'globex.cas', name: 'globex-cas', tenantName: 'Globex', apiKeySecrets: [secretNameOfGlobex] }
  const items = scenario.items.flatMap((item) => [item, { ...item, ...globex, sharedKey: true }])
  return { ...scenario, items }
}
/** No fault, and few events. */
const quiet = (modules: Modules): Scenario => {
  const scenario = vendorOnly(modules)
  const items = scenario.items.map((item) => ({ ...item, intervalMinutes: 60 }))
  return { ...scenario, items, world: { ...scenario.world, vendor: { eventsPerHour: 60 } }, faultyMs: 0, calmMs: 6 * hour }
}
/** The item asks for an interval of a minute while a run is under way, after everything is read. */
const editedMeanwhile = (world: World) => {
  const item = connectorItem({ eventTypes: ['dlp', 'securityrisk'], initialBackfillMinutes: 60, intervalMinutes: 1 })
  const write = world.state.writeSeen.bind(world.state)
  let isEdited = false
  world.state.writeSeen = async (...page) => {
    if (!isEdited && world.clock.now() > start + 2 * hour) {
      isEdited = true
      await world.change('acme.cas', item)
      await world.clock.sleepUntil(world.clock.now() + 20 * second)
    }
    return write(...page)
  }
}

const missing = 'Every event that a ledger calls covered is in the lake'
const twice = 'No event is in the lake twice, except for one page at each fault of a process or a service'
const once = 'No event is delivered again after its checkpoint, except for one page at each freeze'
const balanced = 'Every item is accounted for at each minute: fetched = delivered + filtered + already seen'
const limit = 'The vendor never sees more requests of a key in any 60 s than it allows'
const sharing = 'No key is used by two tenants, unless both allow it'
const inTime = 'Live events are in the lake in time, from an hour after the last fault on'
const keyless = 'No record holds a key of its connector, and each from which one was removed is counted'
const covered = 'Every stream is covered past the last fault'

describe('without a bug', () => {
  it.each([
    ['a busy vendor', busy, undefined],
    ['processes that are killed', killed, undefined],
    ['a lake that refuses', refusing, undefined],
    ['messages that come twice', doubled, sendsTwice],
    ['tokens that come late', saturated, tokensComeLate],
    ['a key that one of two tenants does not share', oneSided, undefined],
    ['an edit while a run is under way', quiet, editedMeanwhile],
  ] as const)('every claim holds with %s', async (_, scenario, prepare) => {
    expect(await brokenBy(scenario, prepare)).toEqual([])
  })
})

describe('the simulation catches', () => {
  it('a lease that is not looked at, and a write that does not check the version', async () => {
    plant<typeof import('../../functions/flows/collect/stream-lease.ts')>('../../functions/flows/collect/stream-lease.ts', () => ({
      heldByAnother: () => undefined,
    }))
    const broken = await brokenBy(doubled, (world) => {
      sendsTwice(world)
      const write = world.state.writeStream.bind(world.state)
      world.state.writeStream = async (connectorId, stream, next) => {
        const stored = (await world.state.readRun(connectorId)).streams.get(stream)?.version ?? 0
        return write(connectorId, stream, { ...next, version: stored + 1 })
      }
    })
    expect(broken).toContain(twice)
  })

  it('seen ids that are not read', async () => {
    const broken = await brokenBy(busy, (world) => {
      world.state.readSeen = async () => {}
    })
    expect(broken).toContain(twice)
  })

  it('seen ids that are written after the checkpoint', async () => {
    const broken = await brokenBy(killed, (world) => {
      const { writeSeen, writeStream } = world.state
      const later: Parameters<typeof writeSeen>[] = []
      world.state.writeSeen = async (...page) => void later.push(page)
      world.state.writeStream = async (...given) => {
        const isWritten = await writeStream(...given)
        for (const page of later.splice(0)) await writeSeen(...page)
        return isWritten
      }
    })
    expect(broken).toContain(once)
  })

  it('a checkpoint although nothing was delivered', async () => {
    const broken = await brokenBy(busy, (world) => {
      world.sink.deliver = async () => ({ ok: true, value: undefined })
    })
    expect(broken).toContain(missing)
  })

  it('a partly refused delivery that is taken as delivered', async () => {
    const broken = await brokenBy(busy, (world) => {
      const deliver = world.sink.deliver.bind(world.sink)
      world.sink.deliver = (given) => {
        const records = [...given]
        return deliver(records.slice(0, Math.ceil(records.length * 0.9)))
      }
    })
    expect(broken).toContain(missing)
  })

  it('an acknowledgement that is not remembered, so that a refused page is sent as a whole each time', async () => {
    let tries = 0
    const broken = await brokenBy(busy, (world) => {
      const deliver = world.sink.deliver.bind(world.sink)
      world.sink.deliver = async (records) => {
        tries += 1
        await deliver(records)
        return tries % 2 === 0 ? { ok: true, value: undefined } : { ok: false, failure: failure('sink-throttled', 'Slow down') }
      }
    })
    expect(broken).toContain(twice)
  })

  it('a range that is not asked for with a millisecond more at both ends', async () => {
    plant<typeof import('../../functions/domain/stream/plan.ts')>('../../functions/domain/stream/plan.ts', () => ({
      askedRange: (range) => range,
    }))
    expect(await brokenBy(busy)).toContain(missing)
  })

  it('a provisional range that counts as proof', async () => {
    plant<typeof import('../../functions/domain/stream/ledger.ts')>('../../functions/domain/stream/ledger.ts', (real) => ({
      completeRange: (stream, range, answers, policy) =>
        real.completeRange(stream, range.kind === 'provisional' ? { ...range, kind: 'final' } : range, answers, { ...policy, lateMs: 0 }),
    }))
    expect(await brokenBy(busy)).toContain(missing)
  })

  it('a watermark that leaves no time for late events', async () => {
    plant<typeof import('../../functions/domain/stream/ledger.ts')>('../../functions/domain/stream/ledger.ts', (real) => ({
      completeRange: (stream, range, answers, policy) => real.completeRange(stream, range, answers, { ...policy, lateMs: 0 }),
      expire: (stream, now, policy, pause) => real.expire(stream, now, { ...policy, lateMs: 0 }, pause),
    }))
    expect(await brokenBy(busy)).toContain(missing)
  })

  it('a range that is complete after its first page', async () => {
    const broken = await brokenBy(busy, (world) => {
      const usual = world.model.respond.bind(world.model)
      world.model.respond = (request, now) => {
        const response = usual(request, now)
        return { ...response, body: response.body.replace(/"next_link":"[^"]+"/, '"next_link":""') }
      }
    })
    expect(broken).toContain(missing)
  })

  it('items that are fetched and not counted', async () => {
    plant<typeof import('../../functions/flows/collect/deliver-page.ts')>('../../functions/flows/collect/deliver-page.ts', (real) => ({
      deliverPage: async (...given) => {
        const page = await real.deliverPage(...given)
        return { ...page, delivered: { ...page.delivered, counts: { ...page.delivered.counts, alreadySeen: 0 } } }
      },
    }))
    expect(await brokenBy(busy)).toContain(balanced)
  })

  it('a key that stays in its events', async () => {
    plant<typeof import('../../functions/domain/record/key-redaction.ts')>('../../functions/domain/record/key-redaction.ts', () => ({
      withoutKeys: (item) => item,
    }))
    expect(await brokenBy(vendorOnly)).toContain(keyless)
  })

  it('a key that stays in an event where JSON escapes it', async () => {
    plant<typeof import('../../functions/domain/record/key-redaction.ts')>('../../functions/domain/record/key-redaction.ts', (real) => ({
      withoutKeys: (item, apiKeys) => (item.raw.includes('\\u') ? item : real.withoutKeys(item, apiKeys)),
    }))
    expect(await brokenBy(vendorOnly)).toContain(keyless)
  })

  it('events without their key that are not counted', async () => {
    plant<typeof import('../../functions/flows/collect/deliver-page.ts')>('../../functions/flows/collect/deliver-page.ts', (real) => ({
      deliverPage: async (...given) => {
        const page = await real.deliverPage(...given)
        return { ...page, delivered: { ...page.delivered, counts: { ...page.delivered.counts, redacted: 0 } } }
      },
    }))
    expect(await brokenBy(vendorOnly)).toContain(keyless)
  })

  it('a limit of the key that is not kept', async () => {
    const broken = await brokenBy((modules) => {
      const { items, ...scenario } = busy(modules)
      return { ...scenario, items: items.map((item) => ({ ...item, requestsPerMinute: 6_000, initialBackfillMinutes: 4_000 })) }
    })
    expect(broken).toContain(limit)
  })

  it('a token that is used however late', async () => {
    plant<typeof import('../../functions/domain/token-bucket.ts')>('../../functions/domain/token-bucket.ts', () => ({
      tokenUseWithinMs: Number.POSITIVE_INFINITY,
    }))
    expect(await brokenBy(saturated, tokensComeLate)).toContain(limit)
  })

  it('a key that two tenants share although only one of them allows it', async () => {
    plant<typeof import('../../functions/domain/connector/key-register.ts')>('../../functions/domain/connector/key-register.ts', () => ({
      claimKey: () => ({ kind: 'held' }),
    }))
    const broken = await brokenBy(oneSided)
    expect(broken).toContain(sharing)
  })

  it("a run's end that moves an earlier due time away", async () => {
    const broken = await brokenBy(quiet, (world) => {
      editedMeanwhile(world)
      const { setDue } = world.state
      world.state.setDue = async (connectorId, _, next) =>
        setDue(connectorId, (await world.state.readRun(connectorId)).due?.nextDueAt, next)
    })
    expect(broken).toContain(inTime)
  })

  it('a due time that is lost', async () => {
    const broken = await brokenBy(busy, (world) => {
      const { setDue } = world.state
      const stopsAt = world.clock.now() + hour
      world.state.setDue = (connectorId, seen, next) =>
        world.clock.now() < stopsAt ? setDue(connectorId, seen, next) : world.state.removeDue(connectorId).then(() => true)
    })
    expect(broken).toContain(covered)
  })
})
