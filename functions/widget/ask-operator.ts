import type { AnswerOf } from '../domain/operate/answers.ts'
import type { Question, Refusal } from '../domain/operate/operation.ts'
import type { Result } from '../domain/result.ts'

/** Answers a question of the person who looks at the page. */
export type AskOperator = <A extends Question['action']>(
  question: Extract<Question, { readonly action: A }>,
) => Promise<Result<AnswerOf[A], Refusal>>
