import * as z from 'zod/mini'
import type { Refusal } from '../../functions/domain/operate/operation.ts'
import { failed, ok, type Result } from '../../functions/domain/result.ts'
import { localWords } from '../local-words.ts'

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

/** An item is the person's own, and an edit of it must find it as it is. */
const asStored: readonly string[] = ['item', 'accepted']

/** The answer with the things of this machine in place of those of AWS. */
function inLocalWords<T>(value: T, name = ''): T {
  if (asStored.includes(name)) return value
  if (typeof value === 'string') return localWords(value) as T
  if (Array.isArray(value)) return value.map((one) => inLocalWords(one)) as T
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([inner, one]) => [inner, inLocalWords(one, inner)])) as T
}

/** Sends the calls of the page to the function `operate`: it makes no change without a ticket. */
export function askFunctions(operate: (event: Readonly<Record<string, unknown>>) => Promise<unknown>) {
  return async (page: Readonly<Record<string, unknown>>): Promise<Result<object, Refusal>> => {
    const { ok: isOk, ...answer } = answerSchema.parse(await operate({ page }))
    const said = inLocalWords(answer)
    return isOk ? ok(said) : failed(said as Refusal)
  }
}
