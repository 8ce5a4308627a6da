import { describe, expect, it } from 'vitest'
import { minute, second } from '../../functions/domain/time.ts'
import type { OriginTrouble } from '../../simulation/wire.ts'
import { connectorItem, secretNameOf, start, World } from '../../simulation/world.ts'

const origin = 'https://api-eu.tmcas.trendmicro.com'
const vendor = 'trendmicro-cas'
const diesAt = start + 10 * minute
const comesBackAt = start + 40 * minute

interface Asked {
  readonly at: number
  readonly by: string
}

/** Connectors at an origin that is dead from minute 10 to 40, and every request that they make, when it ends. */
async function outageOf(count: number, { until = comesBackAt, sharedKey = false } = {}) {
  const requests: Asked[] = []
  const trouble: OriginTrouble = { origin, kind: 'request to a dead origin', from: diesAt, to: until }
  const world = new World({
    vendor: { eventsPerHour: 0 },
    furtherKeys: count,
    wholeDispatch: false,
    originTroubles: [trouble],
    onEffect: ({ at, text }) => {
      const by = /^source\.fetch\(.*?(simulated-key-0123456789abcdef-\d+)/.exec(text)?.[1]
      if (text.startsWith('source.fetch')) requests.push({ at, by: by ?? text })
    },
  })
  for (let i = 1; i <= count; i++) {
    const connectorId = `globex.${i}`
    const apiKeySecrets = [secretNameOf(sharedKey ? 1 : i, 'globex')]
    await world.put(connectorItem({ connectorId, name: connectorId, tenantName: 'Globex', baseUrl: origin, apiKeySecrets }))
    await world.run(second)
  }
  return { world, requests }
}

/** From five minutes into the outage to its end. */
const whileDown = ({ at }: Asked) => at >= diesAt + 6 * minute && at < comesBackAt

describe('an origin that is down', () => {
  it('is asked once a minute for all of its connectors, and by turns', async () => {
    const { world, requests } = await outageOf(40)
    await world.run(comesBackAt - world.clock.now())
    const probes = requests.filter(whileDown)
    const minutes = (comesBackAt - diesAt - 6 * minute) / minute
    expect(probes.length).toBeLessThanOrEqual(minutes)
    expect(probes.length).toBeGreaterThanOrEqual(0.75 * minutes)
    expect(new Set(probes.map(({ by }) => by)).size).toBeGreaterThan(5)
    for (let i = 1; i <= 40; i++) {
      const { state, cause, reason } = await world.status(`globex.${i}`)
      expect([state, cause]).toEqual(['failing', 'timed-out'])
      expect(reason).toContain(`No request to ${origin} had a response lately`)
    }
    expect(await world.state.outages()).toHaveLength(1)
  })

  it.each([2, 10])('is asked once a minute by %i connectors that share a key, by turns', async (count) => {
    const until = diesAt + 66 * minute
    const { world } = await outageOf(count, { until, sharedKey: true })
    await world.run(until - world.clock.now())
    const probes = world.record.log.filter(({ event, at }) => event === 'page-failed' && Number(at) >= until - 60 * minute)
    const byConnector = Map.groupBy(probes, ({ connectorId }) => connectorId)
    expect(byConnector.size).toBe(count)
    expect(probes.length).toBeGreaterThanOrEqual(58)
    expect(probes.length).toBeLessThanOrEqual(60)
  })

  it('has its connectors back within an interval when it responds, spread over it', async () => {
    const { world, requests } = await outageOf(40)
    await world.run(comesBackAt + 7 * minute - world.clock.now())
    expect(await world.state.readOrigin(vendor, origin)).not.toHaveProperty('down')
    for (let i = 1; i <= 40; i++) expect(await world.status(`globex.${i}`)).toMatchObject({ state: 'ok' })
    const back = requests.filter(({ at }) => at >= comesBackAt)
    const byTenSeconds = Map.groupBy(back, ({ at }) => Math.floor(at / (10 * second)))
    const together = [...byTenSeconds.values()].map((asked) => new Set(asked.map(({ by }) => by)).size)
    expect(Math.max(...together)).toBeLessThanOrEqual(8)
  })

  it('is asked each minute by a connector that is alone, and has it back within a minute', async () => {
    const { world, requests } = await outageOf(1)
    await world.run(comesBackAt - world.clock.now())
    const probes = requests.filter(whileDown)
    expect(probes.length).toBeGreaterThanOrEqual(22)
    expect(probes.length).toBeLessThanOrEqual(25)
    await world.run(2 * minute)
    expect(await world.status('globex.1')).toMatchObject({ state: 'ok' })
  })

  it('is asked by another when the run that claimed the probe dies', async () => {
    const { world, requests } = await outageOf(40)
    await world.run(diesAt + 8 * minute - world.clock.now())
    const health = await world.state.readOrigin(vendor, origin)
    const claimed = world.clock.now()
    // As a run does that claims the probe, and dies.
    const down = { ...health!.down!, probeFrom: claimed + 45 * second, probe: { by: 'dead', at: claimed } }
    expect(await world.state.writeOrigin(vendor, origin, { ...health!, version: health!.version + 1, down })).toBe(true)
    await world.run(2 * minute)
    // A request is seen when it has failed, after 30 s.
    const [sentAt] = requests.map(({ at }) => at - 30 * second).filter((at) => at > claimed)
    expect(sentAt).toBeGreaterThanOrEqual(claimed + 45 * second)
    expect(sentAt).toBeLessThanOrEqual(claimed + 75 * second)
  })
})
