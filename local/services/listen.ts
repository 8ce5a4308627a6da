import type { AddressInfo, Server } from 'node:net'
import { errorCode } from './files.ts'
import { StartupError } from './startup-error.ts'

/** Other machines cannot reach this address. */
export const loopback = '127.0.0.1'

/** Listens on `port` of this machine, or on any free port for 0, and returns the port. Throws `StartupError` when another program uses it. */
export function listen(server: Server, port: number, purpose: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const fail = (thrown: unknown) => reject(portError(thrown, port, purpose))
    server.once('error', fail)
    server.listen(port, loopback, () => {
      server.off('error', fail)
      resolve((server.address() as AddressInfo).port)
    })
  })
}

export function portError(thrown: unknown, port: number, purpose: string): unknown {
  switch (errorCode(thrown)) {
    case 'EADDRINUSE':
      return new StartupError(`Port ${port} for ${purpose} is used by another program. End that program or choose another port.`)
    case 'EACCES':
      return new StartupError(`Port ${port} for ${purpose} needs a permission that you do not have. Choose a port above 1023.`)
    default:
      return thrown
  }
}
