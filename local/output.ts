import { errorCode } from './services/files.ts'

/**
 * Ends the program without a stack trace when its output goes nowhere: quietly, with `end`, when nobody reads any more, as in
 * `npm start | head -1`, and in a sentence with exit code 1 when it cannot be written, as on a full disk.
 */
export function endWithOutput(end: () => void): void {
  let isOver = false
  const onError = (error: Error) => {
    if (isOver) return
    isOver = true
    if (errorCode(error) === 'EPIPE') return end()
    process.stderr.write(`The output cannot be written: ${error.message}.\n`)
    process.exit(1)
  }
  for (const stream of [process.stdout, process.stderr]) stream.on('error', onError)
}
