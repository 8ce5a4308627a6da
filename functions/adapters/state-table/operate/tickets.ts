import type { TicketStore } from '../../../domain/ports.ts'
import { isAbsent, isLive } from '../expressions.ts'
import { ticketKey } from '../item-keys.ts'
import { mustWrite, type Store } from '../store.ts'

/** Tickets. They stay as used ones until they expire. */
export function ticketItems(store: Store): TicketStore {
  return {
    async putTicket({ hash, boundTo, until }) {
      const key = ticketKey(hash)
      await mustWrite(key, store.put(key, { boundTo, until }, { condition: { holds: isAbsent }, expiresAt: until }))
    },

    /**
     *     call A                              call B, with the same ticket
     *     unused → used
     *                                         unused → used: refused
     */
    redeemTicket({ hash, boundTo }, at) {
      const good = `${isLive} AND #boundTo = :boundTo AND #until > :at AND attribute_not_exists(#used)`
      return store.update(ticketKey(hash), { set: { used: true } }, { holds: good, values: { boundTo, at } })
    },
  }
}
