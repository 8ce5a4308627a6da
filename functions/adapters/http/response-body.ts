import type { IncomingMessage } from 'node:http'
import { pipeline, type Readable } from 'node:stream'
import { createGunzip } from 'node:zlib'

export interface Body {
  /** All that was read before the end, decompressed. */
  readonly bytes: Buffer
  /** `encoding`: the body is compressed in a way that was not asked for, so nothing was read. */
  readonly end: 'whole' | 'too-large' | 'cut' | 'encoding'
}

/** Reads a body, decompressed, up to `bytesMax`. Never rejects, because the status of a response counts even if its body is cut off. */
export async function readBody(response: IncomingMessage, bytesMax: number): Promise<Body> {
  response.on('error', () => {})
  const chunks: Buffer[] = []
  const bodyWith = (end: Body['end']): Body => ({ bytes: Buffer.concat(chunks), end })
  const stream = decoded(response)
  if (stream === undefined) {
    response.destroy()
    return bodyWith('encoding')
  }
  let size = 0
  try {
    // Leaving the loop early destroys the stream, and the connection with it.
    for await (const chunk of stream as AsyncIterable<Buffer>) {
      size += chunk.length
      if (size > bytesMax) return bodyWith('too-large')
      chunks.push(chunk)
    }
    return bodyWith(response.complete ? 'whole' : 'cut')
  } catch {
    return bodyWith('cut')
  }
}

function decoded(response: IncomingMessage): Readable | undefined {
  const encoding = response.headers['content-encoding']?.trim().toLowerCase() ?? ''
  if (encoding === '' || encoding === 'identity') return response
  if (encoding !== 'gzip' && encoding !== 'x-gzip') return undefined
  return pipeline(response, createGunzip(), () => {})
}
