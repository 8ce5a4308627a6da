import { subscribe } from 'node:diagnostics_channel'
import type { ClientRequest } from 'node:http'

/**
 * Loaded into a process before its program (`node --import`): tells the process that started it what this one costs, without
 * a line of the program changed. Requests are counted where Node itself sends them.
 */
export interface Reading {
  /** Epoch ms. */
  readonly at: number
  readonly rssBytes: number
  readonly heapUsedBytes: number
  /** User and system time since the start, all threads (µs). */
  readonly cpuMicros: number
  /** Requests by the operation that their `X-Amz-Target` names; `vendor` those without one. */
  readonly calls: Readonly<Record<string, number>>
}

const everyMs = 100

const calls: Record<string, number> = {}
subscribe('http.client.request.start', (message) => {
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
