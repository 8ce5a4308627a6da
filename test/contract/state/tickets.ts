import { describe, expect, it } from 'vitest'
import { minute } from '../../../functions/domain/time.ts'
import type { Given } from './given.ts'

export function ticketContract(given: Given): void {
  const ticket = () => ({ hash: 'h1', boundTo: 'pause acme.cas', until: given.now + 10 * minute })
  const own = { hash: 'h1', boundTo: 'pause acme.cas' }

  describe('a ticket', () => {
    it('is good once', async () => {
      await given.state.putTicket(ticket())
      expect(await given.state.redeemTicket(own, given.now)).toBe(true)
      expect(await given.state.redeemTicket(own, given.now)).toBe(false)
    })

    it('is not used up by a call for something else, and one that was never made is good for nothing', async () => {
      await given.state.putTicket(ticket())
      expect(await given.state.redeemTicket({ ...own, boundTo: 'delete acme.cas' }, given.now)).toBe(false)
      expect(await given.state.redeemTicket({ ...own, hash: 'h2' }, given.now)).toBe(false)
      expect(await given.state.redeemTicket(own, given.now)).toBe(true)
    })

    it('is good up to the millisecond before its end', async () => {
      const { until } = ticket()
      await given.state.putTicket(ticket())
      expect(await given.state.redeemTicket(own, until)).toBe(false)
      expect(await given.state.redeemTicket(own, until - 1)).toBe(true)
    })

    it('is good for nothing once it has expired, whatever time the caller names', async () => {
      await given.state.putTicket(ticket())
      given.now += 11 * minute
      expect(await given.state.redeemTicket(own, given.now - 10 * minute)).toBe(false)
    })

    it('is taken by one of many that use it at once', async () => {
      await given.state.putTicket(ticket())
      const taken = await Promise.all(Array.from({ length: 8 }, () => given.state.redeemTicket(own, given.now)))
      expect(taken.filter(Boolean)).toEqual([true])
    })
  })
}
