import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'

const program = fileURLToPath(new URL('../../tributary.js', import.meta.url))

export interface Ended {
  readonly code: unknown
  readonly out: string
  readonly err: string
}

/** Runs the command to its end, without a terminal. */
export function tributary(args: readonly string[], input = '', env = process.env): Promise<Ended> {
  return new Promise((resolve) => {
    const child = execFile(process.execPath, [program, ...args], { env }, (error, out, err) =>
      resolve({ code: error?.code ?? 0, out, err }),
    )
    child.stdin?.end(input)
  })
}
