import type { Instant } from '../functions/domain/time.ts'

interface Choice {
  readonly value: string
  readonly name?: string
  readonly checked?: boolean
}

/** Questions to the person at the terminal. Each throws `Mistake` if nobody is there. */
export interface Questions {
  confirm(message: string): Promise<boolean>
  text(message: string, options?: { readonly byDefault?: string; problem?(text: string): Promise<string | undefined> }): Promise<string>
  /** The answer is not shown. */
  secret(message: string): Promise<string>
  oneOf(message: string, choices: readonly Choice[]): Promise<string>
  someOf(message: string, choices: readonly Choice[]): Promise<readonly string[]>
  /** Opens the person's editor. */
  edit(message: string, text: string): Promise<string>
}

/** The outside of the command: the terminal, files, time and chance. */
export interface Terminal {
  /** Whether a person is there to answer. */
  readonly isInteractive: boolean
  out(text: string): void
  /** Progress and questions, beside the result. */
  note(text: string): void
  readonly ask: Questions
  readStdin(): Promise<string>
  /** Throws `Mistake`, with the reason. */
  readFile(path: string): string
  /** Returns whether a browser was started. The address is visible to other users of the machine. */
  openBrowser(address: string): Promise<boolean>
  now(): Instant
  sleep(ms: number): Promise<void>
  /** A text that no other request has. */
  newId(): string
}
