import type { Refusal } from '../domain/operate/operation.ts'
import { ok, type Result } from '../domain/result.ts'
import type { AskOperator } from './ask-operator.ts'
import type { ChangePorts } from './change-views.ts'

/**
 * The ports of the views over one function that answers the calls of a page: a question, `{ review: change }` or `{ submit: change, ticket }`.
 * It is of this program, so its answers have the types of `AnswerOf`.
 */
export function pageOperator(answer: (call: Readonly<Record<string, unknown>>) => Promise<Result<object, Refusal>>): ChangePorts {
  async function call<T>(request: Readonly<Record<string, unknown>>): Promise<Result<T, Refusal>> {
    const answered = await answer(request)
    return answered.ok ? ok(answered.value as T) : answered
  }
  const ask: AskOperator = (question) => call({ ...question })
  return { ask, review: (change) => call({ review: change }), submit: (change, ticket) => call({ submit: change, ticket }) }
}
