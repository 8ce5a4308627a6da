import * as z from 'zod/mini'
import { originKeptMs } from '../../domain/origin.ts'
import type { OriginStore, OutageStore } from '../../domain/ports.ts'
import type { Outage } from '../../domain/status/outage.ts'
import type { Instant } from '../../domain/time.ts'
import { isAbsent, isLive } from './expressions.ts'
import { originKey, outageKey, outagesPk } from './item-keys.ts'
import { originSchema, outageSchema } from './schemas.ts'
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

/** The health of each origin as its connectors saw it lately. `now`: the time of this process. */
export function originItems(store: Store, now: () => Instant): OriginStore {
  return {
    readOrigin: (vendor, origin) => store.get(originKey(vendor, origin), originSchema),

    /**
     *     run of connector A                 run of connector B
     *     the probe is due: 7 → 8, claimed
     *                                        7 → 8: refused, so it does not ask
     */
    writeOrigin(vendor, origin, next) {
      const sameVersion = `${isLive} AND #version = :before`
      const condition = { holds: next.version === 1 ? isAbsent : sameVersion, values: { before: next.version - 1 } }
      const expiresAt = now() + originKeptMs
      return store.put(originKey(vendor, origin), z.encode(originSchema, next), { condition, expiresAt })
    },
  }
}
