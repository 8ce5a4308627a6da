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

const formStep = z.enum(['general', 'configuration', 'review'])
/** The most characters of one text of a form, and the most texts. An item is smaller (characters, count). */
const formTextMax = 100_000
const formTextsMax = 100

/** A step of the form. The fields of the step that was left stand beside these, each with a name of its own. */
const formStepShape = {
  step: z.catch(formStep, 'general'),
  left: z.exactOptional(formStep),
  /** The texts that the person has changed on the steps before. */
  values: z.catch(
    z
      .record(z.string().check(z.maxLength(formTextsMax)), z.string().check(z.maxLength(formTextMax)))
      .check(z.refine((values) => Object.keys(values).length <= formTextsMax)),
    {},
  ),
  form: z.exactOptional(z.literal(true)),
  /** The ticket of the review: it is good for storing the values, or for testing them. */
  ticket: z.exactOptional(z.string()),
  act: z.exactOptional(z.enum(['store', 'test'])),
}

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
    z.looseObject({ view: z.literal('create'), ...formStepShape }),
    z.looseObject({
      view: z.literal('edit'),
      connectorId,
      /** The version of the item that the person has seen. */
      version: z.exactOptional(text),
      /** The attribute that is to be mended. */
      field: z.exactOptional(text),
      ...formStepShape,
    }),
    /** `back`: the form that a Test of values that are not saved was begun from. */
    z.object({ view: z.literal('test'), connectorId, back: z.catch(z.optional(z.record(z.string(), z.unknown())), undefined) }),
    z.object({
      view: z.literal('review'),
      connectorId,
      action: z.enum(['pause', 'resume', 'collect', 'delete', 'reread', 'acknowledge', 'test', 'dismiss']),
      from: time,
      to: time,
      stream: text,
      redeliver: text,
      note: z.catch(z.string().check(z.maxLength(1_000)), ''),
    }),
    z.object({
      view: z.literal('submit'),
      ticket: z.string(),
      change: z.looseObject({ action: z.string(), connectorId: z.exactOptional(connectorId) }),
    }),
  ]),
  { view: 'overview' as const, find: '', state: '' as const, from: 1 },
)

export type ViewCall = z.output<typeof callSchema>
export type FormCall = Extract<ViewCall, { readonly view: 'create' | 'edit' }>
