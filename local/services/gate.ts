import { createHash, timingSafeEqual } from 'node:crypto'
import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import { loopback } from './listen.ts'

interface Refusal {
  readonly status: number
  readonly type: string
  readonly message: string
}

/**
 * Puts a gate before every listener for requests that the server has by now. It lets through who knows the id of the access key, which
 * is new at each start and stored in the data folder. Nobody signs or checks signatures here: another user of this machine cannot read
 * the id. A browser is refused in any case, whether it says from which page it comes (`Origin`) or reached this port by a name that a
 * page's owner made point here (`Host`). `path`: the requests must name it too, so whoever sees the id in the requests to another service
 * cannot come in here.
 */
export function guard(server: Server, accessKeyId: string, path = ''): void {
  const listeners = server.listeners('request')
  server.removeAllListeners('request')
  server.on('request', (request: IncomingMessage, response: ServerResponse) => {
    const refusal = refusalOf(request, accessKeyId, path)
    if (refusal === undefined) {
      for (const listener of listeners) Reflect.apply(listener, server, [request, response])
      return
    }
    request.resume()
    response.writeHead(refusal.status, { 'content-type': 'application/x-amz-json-1.0', connection: 'close' })
    response.end(JSON.stringify({ __type: refusal.type, message: refusal.message }))
  })
}

function refusalOf({ headers, socket, url = '' }: IncomingMessage, accessKeyId: string, path: string): Refusal | undefined {
  const hosts = [loopback, 'localhost', '[::1]'].map((host) => `${host}:${socket.localPort}`)
  if (headers.origin !== undefined || !hosts.includes(headers.host?.toLowerCase() ?? '')) {
    return { status: 403, type: 'AccessDeniedException', message: `Only programs on this machine may ask, at ${hosts[0]}.` }
  }
  const given = /\bCredential=([^/,\s]*)\//.exec(headers.authorization ?? '')?.[1] ?? ''
  const isPathRight = path === '' || isSame(url.split('/')[1] ?? '', path)
  if (isSame(given, accessKeyId) && isPathRight) return undefined
  return { status: 400, type: 'UnrecognizedClientException', message: 'The security token included in the request is invalid.' }
}

/** Takes as long whatever the texts have in common. */
function isSame(one: string, other: string): boolean {
  const [a, b] = [one, other].map((text) => createHash('sha256').update(text).digest())
  return a !== undefined && b !== undefined && timingSafeEqual(a, b)
}
