import * as z from 'zod'
import type { OutageStore } from '../../domain/ports.ts'
import type { Outage } from '../../domain/status/outage.ts'
import { outageSchema } from './schemas.ts'
import { isAbsent, isLive, type Key, type Store } from './store.ts'

const pk = 'OUTAGES'

function outageKey({ vendor, origin }: Outage): Key {
  return { pk, sk: `${vendor}#${origin}` }
}

/** The open outages of the vendors' sites: few, and mostly none. */
export function outageItems(store: Store): OutageStore {
  return {
    /**
     *     run of connector A                 run of connector B
     *     puts the outage of the site
     *                                        puts it: refused, so it tells nobody
     */
    beginOutage: (outage) => store.put(outageKey(outage), z.encode(outageSchema, outage), { condition: { holds: isAbsent } }),

    async outages() {
      const open: Outage[] = []
      for await (const item of store.query({ where: '#pk = :pk', values: { pk } })) open.push(store.parse(item, outageSchema))
      return open
    },

    /** Of one that has ended meanwhile there is nothing to put down. */
    async outageSent(outage) {
      const same = `${isLive} AND #since = :since`
      await store.update(outageKey(outage), { set: { told: true } }, { holds: same, values: { since: outage.since } })
    },

    endOutage: (outage) => store.remove(outageKey(outage)),
  }
}
