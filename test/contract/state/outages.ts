import { describe, expect, it } from 'vitest'
import type { Outage } from '../../../functions/domain/status/outage.ts'
import { hour } from '../../../functions/domain/time.ts'
import type { Given } from './given.ts'
import { start } from './values.ts'

export function outageContract(given: Given): void {
  describe('an outage', () => {
    const outage: Outage = {
      vendor: 'trendmicro-cas',
      origin: 'https://api.example.com',
      since: start,
      cause: 'vendor-error',
      reason: 'It answers 500.',
      sent: false,
    }

    it('of an origin begins once, however many connectors see it', async () => {
      const began = await Promise.all(Array.from({ length: 5 }, (_, i) => given.state.beginOutage({ ...outage, since: start + i })))
      expect(began.filter((first) => first)).toHaveLength(1)
      expect(await given.state.outages()).toHaveLength(1)
    })

    it('is listed with those of other origins and vendors, sent or not', async () => {
      await given.state.beginOutage(outage)
      await given.state.beginOutage({ ...outage, origin: 'https://api-eu.example.com' })
      await given.state.beginOutage({ ...outage, vendor: 'other' })
      await given.state.outageSent(outage)
      expect((await given.state.outages()).map(({ vendor, origin, sent }) => [vendor, origin, sent])).toEqual([
        ['other', outage.origin, false],
        ['trendmicro-cas', 'https://api-eu.example.com', false],
        ['trendmicro-cas', outage.origin, true],
      ])
      expect((await given.state.outages()).at(-1)).toEqual({ ...outage, sent: true })
    })

    it('may begin again after its end, and is not marked as sent by the notification of the one before', async () => {
      await given.state.beginOutage(outage)
      await given.state.endOutage(outage)
      expect(await given.state.outages()).toEqual([])
      await given.state.outageSent(outage)
      expect(await given.state.outages()).toEqual([])
      expect(await given.state.beginOutage({ ...outage, since: start + 1 })).toBe(true)
      await given.state.outageSent(outage)
      expect(await given.state.outages()).toEqual([{ ...outage, since: start + 1 }])
    })
  })
  describe('the health of an origin', () => {
    const [vendor, origin] = ['trendmicro-cas', 'https://api.example.com']
    const failure = { code: 'timed-out', detail: 'No response within 30 s' } as const
    const silence = { since: start, lastAt: start + 1, failure, keys: [{ key: 'k', failures: 2 }] }
    const down = { since: start, probeFrom: start + 9, probe: { by: 'run', at: start + 2 }, next: { connectorId: 'a', askedAt: start } }

    it('comes back as it was written', async () => {
      expect(await given.state.readOrigin(vendor, origin)).toBeUndefined()
      const health = { version: 1, silence, down, responded: { key: 'other', at: start - 1 } }
      expect(await given.state.writeOrigin(vendor, origin, health)).toBe(true)
      expect(await given.state.readOrigin(vendor, origin)).toEqual(health)
      expect(await given.state.readOrigin('other', origin)).toBeUndefined()
      expect(await given.state.outages()).toEqual([])
    })

    it('is written by one of the runs that saw the same version: so one of them claims the probe', async () => {
      await given.state.writeOrigin(vendor, origin, { version: 1, silence })
      const claims = await Promise.all(
        Array.from({ length: 8 }, (_, i) =>
          given.state.writeOrigin(vendor, origin, { version: 2, down: { ...down, probe: { by: `run ${i}`, at: start } } }),
        ),
      )
      expect(claims.filter((won) => won)).toHaveLength(1)
    })

    it('is forgotten a day after it was last written', async () => {
      await given.state.writeOrigin(vendor, origin, { version: 1, silence })
      given.now = start + 25 * hour
      expect(await given.state.readOrigin(vendor, origin)).toBeUndefined()
      expect(await given.state.writeOrigin(vendor, origin, { version: 1, silence })).toBe(true)
    })
  })
}
