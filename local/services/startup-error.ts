/** Something outside the program keeps it from starting. The message is a sentence for the person who started it; no stack trace helps them. */
export class StartupError extends Error {
  override readonly name = 'StartupError'
}
