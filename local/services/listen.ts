import type { AddressInfo, Server } from 'node:net'
import { errorCode } from './files.ts'
import { StartupError } from './startup-error.ts'

/** Only this machine can reach it. */
export const loopback = '127.0.0.1'

/** Listens on `port` of this machine, 0 for a free one, and answers which it was. Throws `StartupError` when it is taken. */
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
      return new StartupError(`Port ${port}, meant for ${purpose}, is taken by another program. End that program or choose another port.`)
    case 'EACCES':
      return new StartupError(`Port ${port}, meant for ${purpose}, needs a privilege that you do not have. Choose one above 1023.`)
    default:
      return thrown
  }
}
