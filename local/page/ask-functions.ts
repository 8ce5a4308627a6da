import * as z from 'zod/mini'
import type { Refusal } from '../../functions/domain/operate/operation.ts'
import { failed, ok, type Result } from '../../functions/domain/result.ts'
import { inLocalWords } from '../local-words.ts'

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

/** Sends the calls of the page to the function `operate`: it makes no change without a ticket. */
export function askFunctions(operate: (event: Readonly<Record<string, unknown>>) => Promise<unknown>) {
  return async (page: Readonly<Record<string, unknown>>): Promise<Result<object, Refusal>> => {
    const { ok: isOk, ...answer } = answerSchema.parse(await operate({ page }))
    const said = inLocalWords(answer)
    return isOk ? ok(said) : failed(said as Refusal)
  }
}
