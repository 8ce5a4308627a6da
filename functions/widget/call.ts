import * as z from 'zod/mini'
import '../domain/schema-messages.ts'
import { shownStates } from '../domain/status/shown-state.ts'

const connectorId = z.string().check(z.minLength(1), z.maxLength(64))
const text = z.catch(z.string().check(z.maxLength(128)), '')

/** An instant in UTC, such as `2026-11-24T12:00`; undefined if it is none. */
const time = z.pipe(
  text,
  z.transform((given) => {
    const at = Date.parse(/[zZ]|[+-]\d\d:\d\d$/.test(given) ? given : `${given}Z`)
    return Number.isNaN(at) ? undefined : at
  }),
)

/** A call of a page is untrusted: whatever does not fit is the first page. */
export const callSchema = z.catch(
  z.discriminatedUnion('view', [
    z.object({
      view: z.literal('overview'),
      find: text,
      state: z.catch(z.enum(['', ...shownStates]), ''),
      from: z.catch(z.coerce.number().check(z.int(), z.minimum(1)), 1),
    }),
    z.object({ view: z.literal('vendor'), type: text }),
    z.object({
      view: z.literal('events'),
      from: time,
      to: time,
      tenant: text,
      connectorId: text,
      service: text,
      eventType: text,
      text,
    }),
    z.object({ view: z.literal('event'), id: text }),
    z.object({ view: z.literal('details'), connectorId }),
    /** The forms of the changes that have values. */
    z.object({ view: z.literal('reread-form'), connectorId }),
    z.object({ view: z.literal('acknowledge-form'), connectorId }),
    z.object({
      view: z.literal('review'),
      connectorId,
      action: z.enum(['pause', 'resume', 'collect', 'delete', 'reread', 'acknowledge']),
      from: time,
      to: time,
      stream: text,
      redeliver: text,
      note: z.catch(z.string().check(z.maxLength(1_000)), ''),
    }),
    z.object({
      view: z.literal('submit'),
      ticket: z.string(),
      change: z.looseObject({ action: z.string(), connectorId }),
    }),
  ]),
  { view: 'overview' as const, find: '', state: '' as const, from: 1 },
)

export type ViewCall = z.output<typeof callSchema>
