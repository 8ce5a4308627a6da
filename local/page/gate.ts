import { createHash, timingSafeEqual } from 'node:crypto'
import type { IncomingHttpHeaders } from 'node:http'

/** A request to the page, as far as it decides whether the request is let in. */
export interface PageRequest {
  readonly method: string
  readonly path: string
  readonly headers: IncomingHttpHeaders
}

export interface PageRefusal {
  readonly status: number
  readonly message: string
}

/** A call is smaller (bytes). */
export const bodyBytesMax = 64 * 1024

/** The parts of the page without data, which anybody on this machine may load. */
const open: readonly string[] = ['/', '/page.js']

/**
 * Why a request is not let in; undefined if it is. A page of another site can make a browser ask this address, under a name of its own
 * (`Host`) or from its own address (`Origin`), and another user of this machine can ask it directly. Neither knows the token.
 */
export function refusalOf({ method, path, headers }: PageRequest, address: string, token: string): PageRefusal | undefined {
  if (headers.host !== new URL(address).host) return { status: 403, message: `This page is at ${address} alone.` }
  if (open.includes(path)) return method === 'GET' ? undefined : { status: 405, message: 'Only GET is answered here.' }
  if (path !== '/view') return { status: 404, message: `There is nothing at ${path}.` }
  if (method !== 'POST') return { status: 405, message: 'Only POST is answered here.' }
  if (headers.origin !== address) return { status: 403, message: 'Another page may not ask this one.' }
  if (!isSame(headers.authorization ?? '', `Bearer ${token}`)) {
    return { status: 401, message: 'The token is missing or of an earlier start. Open the file page.html of the data folder again.' }
  }
  if (headers['content-type'] !== 'application/json') return { status: 415, message: 'Only JSON is read here.' }
  // A request without a length may be endless.
  const length = Number(headers['content-length'] ?? Number.POSITIVE_INFINITY)
  return length <= bodyBytesMax ? undefined : { status: 413, message: `A call has at most ${bodyBytesMax} bytes.` }
}

/** Takes as long whatever the texts have in common. */
function isSame(one: string, other: string): boolean {
  const [a, b] = [one, other].map((text) => createHash('sha256').update(text).digest())
  return a !== undefined && b !== undefined && timingSafeEqual(a, b)
}
