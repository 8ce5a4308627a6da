/** The program cannot start because of something outside it. The message is a sentence for the person who started it and needs no stack trace. */
export class StartupError extends Error {
  override readonly name = 'StartupError'
}
