import * as z from 'zod/mini'
import type { HistoryEntry, RequestOutcome } from '../../../domain/operate/operation.ts'
import type { HistoryStore } from '../../../domain/ports.ts'
import { day, type Instant, minute } from '../../../domain/time.ts'
import { isAbsent } from '../expressions.ts'
import { historyPk, historySk, requestKey } from '../item-keys.ts'
import { mustWrite, type Store } from '../store.ts'

/** An entry of the history stays so long (ms). The lake keeps it for good. */
const historyKeptMs = 90 * day
/** A change that has no outcome after this time (ms) has broken off: the function ends earlier, or goes on with its outcome known. */
const requestMsMax = minute
/** A change that is sent again so long after (ms) is a new one. */
const requestKeptMs = day

const text = z.string()
const attributes = z.exactOptional(z.record(z.string(), z.unknown()))

const entrySchema = z.object({
  connectorId: text,
  at: z.number(),
  // A later release may know more actions and outcomes. They are shown as they are.
  action: z.custom<HistoryEntry['action']>((value) => typeof value === 'string'),
  requestId: text,
  awsRequestId: text,
  tenantOfCaller: text,
  says: z.exactOptional(text),
  before: attributes,
  after: attributes,
  outcome: z.custom<HistoryEntry['outcome']>((value) => typeof value === 'string'),
  message: z.exactOptional(text),
  inLake: z.exactOptional(z.boolean()),
} satisfies Record<keyof HistoryEntry, z.ZodMiniType>)

const requestSchema = z.object({
  outcome: z.exactOptional(z.custom<RequestOutcome['outcome']>((value) => typeof value === 'string')),
  message: z.exactOptional(text),
})

/** The changes that people made, by connector, and the requests for them. Both expire. */
export function historyItems(store: Store, now: () => Instant): HistoryStore {
  return {
    async addHistory(entry) {
      const key = { pk: historyPk(entry.connectorId), sk: historySk(entry.at, entry.requestId) }
      await mustWrite(key, store.put(key, { ...entry }, { expiresAt: entry.at + historyKeptMs }))
    },

    async history(connectorId, before, max) {
      const entries: HistoryEntry[] = []
      const values = { pk: historyPk(connectorId), before: historySk(before) }
      for await (const item of store.query({ where: '#pk = :pk AND #sk < :before', values })) {
        const entry = store.listed(item, entrySchema)
        if (entry !== undefined) entries.push(entry)
      }
      return entries.slice(-max).reverse()
    },

    async beginRequest(requestId) {
      const [begunAt, expiresAt] = [now(), now() + requestKeptMs]
      if (await store.put(requestKey(requestId), { begunAt }, { condition: { holds: isAbsent }, expiresAt })) return undefined
      // The outcome is absent: a call that broke off left it so.
      const holds = 'attribute_not_exists(#outcome) AND #begunAt < :overdue'
      const condition = { holds, values: { overdue: begunAt - requestMsMax } }
      if (await store.put(requestKey(requestId), { begunAt }, { condition, expiresAt })) return undefined
      const { outcome, message = '' } = (await store.get(requestKey(requestId), requestSchema)) ?? {}
      return outcome === undefined ? 'running' : { outcome, message }
    },

    async endRequest(requestId, { outcome, message }) {
      const key = requestKey(requestId)
      await mustWrite(key, store.put(key, { outcome, message }, { expiresAt: now() + requestKeptMs }))
    },
  }
}
