import * as z from 'zod/mini'
import type { OutageStore } from '../../domain/ports.ts'
import type { Outage } from '../../domain/status/outage.ts'
import { isAbsent, isLive } from './expressions.ts'
import { outageKey, outagesPk } from './item-keys.ts'
import { outageSchema } from './schemas.ts'
import type { Store } from './store.ts'

/** The open outages of the vendors' origins. They have one partition, because there are few of them, and usually none. */
export function outageItems(store: Store): OutageStore {
  return {
    /**
     *     run of connector A                 run of connector B
     *     writes the outage of the origin
     *                                        writes it: refused, so it notifies nobody
     */
    beginOutage: (outage) => store.put(outageKey(outage), z.encode(outageSchema, outage), { condition: { holds: isAbsent } }),

    async outages() {
      const open: Outage[] = []
      for await (const item of store.query({ where: '#pk = :pk', values: { pk: outagesPk } })) {
        const outage = store.listed(item, outageSchema)
        if (outage !== undefined) open.push(outage)
      }
      return open
    },

    /** An outage that has ended meanwhile stays ended: nothing is written. */
    async outageSent(outage) {
      const same = `${isLive} AND #since = :since`
      await store.update(outageKey(outage), { set: { told: true } }, { holds: same, values: { since: outage.since } })
    },

    endOutage: (outage) => store.remove(outageKey(outage)),
  }
}
