import { subscribe } from 'node:diagnostics_channel'
import type { ClientRequest } from 'node:http'

/**
 * Load this file into a process before its program (`node --import`). It sends readings of memory, CPU time and requests to the
 * parent process and needs no change of the program. Requests are counted where Node itself makes them.
 */
export interface Reading {
  /** Epoch ms. */
  readonly at: number
  readonly rssBytes: number
  readonly heapUsedBytes: number
  /** User and system time of all threads since the start (µs). */
  readonly cpuMicros: number
  /** The number of requests by the operation in `X-Amz-Target`; requests without this header count as `vendor`. */
  readonly calls: Readonly<Record<string, number>>
}

const everyMs = 100

const calls: Record<string, number> = {}
// Not `start`: Node publishes that twice for a request that is sent when its connection is ready.
subscribe('http.client.request.created', (message) => {
  const { request } = message as { readonly request: ClientRequest }
  const operation = String(request.getHeader('x-amz-target') ?? 'vendor')
  calls[operation] = (calls[operation] ?? 0) + 1
})

setInterval(() => {
  const { user, system } = process.cpuUsage()
  const { rss: rssBytes, heapUsed: heapUsedBytes } = process.memoryUsage()
  const reading: Reading = { at: Date.now(), rssBytes, heapUsedBytes, cpuMicros: user + system, calls }
  process.send?.(reading)
}, everyMs).unref()
