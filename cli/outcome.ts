import type { Problem } from '../functions/domain/connector/problems.ts'

/** The exit codes, for the help and the docs. */
export const exitCodes = {
  done: { code: 0, doc: 'Done, or nothing to do.' },
  failed: { code: 1, doc: 'Something was refused or failed. The message says what to do.' },
  wouldChange: { code: 2, doc: 'plan: apply would change something.' },
  mistake: { code: 3, doc: 'The command, an option or a file is wrong. Nothing was asked for.' },
  ended: { code: 130, doc: 'Ended with Ctrl-C.' },
} as const

/** The end of a command. */
export interface Outcome {
  readonly exit: 'done' | 'failed' | 'wouldChange'
  /** For `--json`. */
  readonly result: Readonly<Record<string, unknown>>
  /** For people: lines. */
  readonly text: string
}

/** A mistake of the person who wrote the command: an option, an argument or a file. Its message says the next step. */
export class Mistake extends Error {}

/** The operator refused, or could not be reached. */
export class Refused extends Error {
  readonly code: string
  readonly problems: readonly Problem[]

  constructor({
    code,
    message,
    problems = [],
  }: { readonly code: string; readonly message: string; readonly problems?: readonly Problem[] }) {
    super(message)
    this.code = code
    this.problems = problems
  }
}

/** `1 connector`, `2 connectors`. */
export function countText(count: number, thing: string): string {
  return `${count} ${thing}${count === 1 ? '' : 's'}`
}

/** The problems of an item, a line each. */
export function problemLines(problems: readonly Problem[]): readonly string[] {
  return problems.map(({ path, message }) => `  ${path}: ${message}`)
}
