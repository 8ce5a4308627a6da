import { once } from 'node:events'
import { createServer as createTcpServer } from 'node:net'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { second } from '../../functions/domain/time.ts'
import { tokenUseWithinMs } from '../../functions/domain/token-bucket.ts'
import { apiKey, connectorId, fetchFrom, listening, source, type, vendor } from './http-servers.ts'

const start = 1_000_000
const sendBy = start + tokenUseWithinMs

/** A clock that stands still until the process is frozen. */
function freezable() {
  let at = start
  return {
    clock: { now: () => at, sleepUntil: async () => {} },
    freeze: (ms: number) => {
      at += ms
    },
  }
}

afterEach(() => {
  vi.useRealTimers()
})

describe('a request', () => {
  it('is sent until the permit ends', async () => {
    const { clock, freeze } = freezable()
    const { baseUrl, seen } = await vendor()
    freeze(tokenUseWithinMs - 2 * second)
    expect(await fetchFrom(baseUrl, { clock, sendBy })).toMatchObject({ ok: true })
    expect(seen).toHaveLength(1)
  })

  it.each(['a new', 'an open'])('is not sent over %s connection by a process that was frozen since its permit', async (connection) => {
    const { clock, freeze } = freezable()
    const { baseUrl, host, seen } = await vendor()
    const frozen = source([host], { clock })
    const ask = () => frozen.fetch({ url: `${baseUrl}/` }, apiKey, { connectorId, type, baseUrl, disableTlsVerification: false }, sendBy)
    if (connection === 'an open') await ask()
    const before = seen.length
    // The pool keeps a connection for 15 s.
    freeze(tokenUseWithinMs + 1)
    expect(await ask()).toBe('too-late')
    expect(seen).toHaveLength(before)
  })

  it('is not sent by a process that was frozen while it connected', async () => {
    const { clock, freeze } = freezable()
    const server = createTcpServer()
    const host = await listening(server)
    const received: unknown[] = []
    server.on('connection', (socket) => socket.on('data', (data) => received.push(data)))
    const asked = fetchFrom(`http://${host}`, { clock, sendBy, timeoutMs: second })
    freeze(tokenUseWithinMs + 1)
    expect(await asked).toBe('too-late')
    expect(received).toEqual([])
  })

  it('fails as unreachable if the host lets it wait for the connection until its last instant', async () => {
    const { host, connected } = await silentHost()
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'Date'] })
    const asked = fetchFrom(`https://${host}`, { sendBy: Date.now() + tokenUseWithinMs })
    await connected
    await vi.advanceTimersByTimeAsync(tokenUseWithinMs)
    expect(await asked).toMatchObject({ ok: false, failure: { code: 'unreachable', detail: expect.stringContaining('within 10 s') } })
  })

  it.each([
    ['its permit had nearly ended when it began', second, 0],
    ['the process was frozen meanwhile', tokenUseWithinMs, 5 * second],
  ])('is too late, and no fault of the host, if %s', async (_, leftMs, frozenMs) => {
    const { host, connected } = await silentHost()
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'Date'] })
    const asked = fetchFrom(`https://${host}`, { sendBy: Date.now() + leftMs })
    await connected
    vi.setSystemTime(Date.now() + frozenMs)
    await vi.advanceTimersByTimeAsync(leftMs)
    expect(await asked).toBe('too-late')
  })
})

/** A host that takes the connection and never says a word, so TLS is never ready. */
async function silentHost() {
  const server = createTcpServer()
  const connected = once(server, 'connection')
  return { host: await listening(server), connected }
}
