import { describe, expect, it } from 'vitest'
import type { Outage } from '../../../functions/domain/status/outage.ts'
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
}
