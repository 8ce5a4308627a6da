import { describe, expect, it } from 'vitest'
import { hour, minute } from '../../functions/domain/time.ts'
import { eventTypeNames } from '../../local/simulator/catalogue.ts'
import { audit } from '../../simulation/audit.ts'
import { connectorItem, World } from '../../simulation/world.ts'

describe('streams without events', () => {
  it('are written every half an hour, and show how far they were read after each run', async () => {
    const writes: string[] = []
    const world = new World({ vendor: { eventsPerHour: 0 }, onEffect: ({ text }) => writes.push(text) })
    await world.put(connectorItem({ eventTypes: eventTypeNames }))
    await world.run(2 * hour)
    writes.length = 0
    const before = await world.state.readRun('acme.cas')
    await world.run(3 * hour)
    expect(writes.filter((text) => text.startsWith('state.writeStream'))).toHaveLength(6 * eventTypeNames.length)
    const { streams } = await world.state.readRun('acme.cas')
    for (const [id, { lastReadAt, readThrough, counts }] of streams) {
      expect(world.clock.now() - lastReadAt!).toBeLessThan(6 * minute)
      expect(world.clock.now() - readThrough).toBeLessThan(6 * minute)
      expect(counts.requests - before.streams.get(id)!.counts.requests).toBe(36)
    }
  })

  it('are written no more often once the retention limit moves the beginning of what is proven', async () => {
    const writes: string[] = []
    const world = new World({ vendor: { eventsPerHour: 0 }, onEffect: ({ text }) => writes.push(text) })
    await world.put(connectorItem({ eventTypes: ['dlp'] }))
    await world.run(75 * hour)
    writes.length = 0
    await world.run(3 * hour)
    expect(writes.filter((text) => text.startsWith('state.writeStream'))).toHaveLength(6)
  })

  it('lose no late event if the status with their empty reads is lost after each run', async () => {
    const world = new World({ vendor: { eventsPerHour: 20 } })
    await world.put(connectorItem({ eventTypes: eventTypeNames }))
    for (let minutes = 0; minutes < 6 * 60; minutes += 5) {
      await world.run(5 * minute)
      await world.state.updateStatus('acme.cas', (stored) => {
        if (stored === undefined) return undefined
        const { emptyReads: _, ...status } = stored
        return status
      })
    }
    await world.run(hour)
    const { missing, twice, expected } = await audit(world)
    expect([missing, twice]).toEqual([[], []])
    expect(expected).toBeGreaterThan(50)
  })
})
