import * as z from 'zod/mini'
import type { Refusal } from '../../functions/domain/operate/operation.ts'
import { failed, ok, type Result } from '../../functions/domain/result.ts'
import type { AskOperator } from '../../functions/widget/ask-operator.ts'
import type { ChangePorts } from '../../functions/widget/change-views.ts'

/** An answer of the function `operate`. It is of this program, so only its outcome is looked at. */
const answerSchema = z.discriminatedUnion('ok', [
  z.looseObject({ ok: z.literal(true) }),
  z.object({
    ok: z.literal(false),
    code: z.custom<Refusal['code']>((code) => typeof code === 'string'),
    message: z.string(),
    problems: z.array(z.object({ path: z.string(), message: z.string() })),
  }),
])

/** Calls of the pages to the function `operate`, as a dashboard makes them: no change without a ticket. */
export function pageOperator(operate: (event: Readonly<Record<string, unknown>>) => Promise<unknown>): ChangePorts {
  async function call<T>(event: Readonly<Record<string, unknown>>): Promise<Result<T, Refusal>> {
    const answer = answerSchema.parse(await operate({ ...event, widgetContext: {} }))
    if (!answer.ok) return failed(answer)
    const { ok: _, ...value } = answer
    return ok(value as T)
  }
  const ask: AskOperator = (question) => call({ ...question })
  return { ask, review: (change) => call({ review: change }), submit: (change, ticket) => call({ submit: change, ticket }) }
}
