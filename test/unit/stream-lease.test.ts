import { beforeEach, describe, expect, it } from 'vitest'
import type { StateTable } from '../../functions/adapters/state-table/state-table.ts'
import { newStream } from '../../functions/domain/stream/ledger.ts'
import { seenClass } from '../../functions/domain/stream/seen-ids.ts'
import type { Range, StreamState } from '../../functions/domain/stream/stream.ts'
import { hour, minute, second } from '../../functions/domain/time.ts'
import { heldByAnother, streamLease } from '../../functions/flows/collect/stream-lease.ts'
import { VirtualClock } from '../../simulation/fakes/clock.ts'
import { memoryState } from '../../simulation/fakes/state.ts'

/** A run that dies keeps its stream from the other runs for this long. */
const leaseMs = 2 * minute
/** One request and its delivery may take this long. */
const spareMs = 45 * second

const holder = 'process:1'
const range: Range = { kind: 'tail', from: 0, to: hour, page: 0, items: 0 }

let clock: VirtualClock
let state: StateTable
let begun: StreamState

beforeEach(() => {
  clock = new VirtualClock()
  state = memoryState(clock)
  begun = newStream(clock.now() - hour, clock.now())
})

function open(stream = begun) {
  return streamLease({ clock, state }, { connectorId: 'a', streamId: 'x', holder }, stream)
}

async function stored(): Promise<StreamState | undefined> {
  return (await state.readRun('a')).streams.get('x')
}

describe('the lease of a stream', () => {
  it('is written with its holder and its end when it is taken', async () => {
    const lease = open()
    expect(await lease.take(range)).toBe(true)
    expect(lease.isHeld).toBe(true)
    expect((await stored())?.lease).toEqual({ holder, until: clock.now() + leaseMs })
  })

  it('is not held before it is taken', () => {
    expect(open().isHeld).toBe(false)
  })

  it('records the width class of the range when it is taken', async () => {
    await open().take(range)
    expect((await stored())?.seenClasses).toEqual({ [seenClass(range)]: clock.now() })
  })

  it('is won by one of two runs that take it at the same time', async () => {
    expect(await Promise.all([open().take(range), open().take(range)])).toEqual([true, false])
  })

  it('is renewed before a wait that leaves no time for a request after it', async () => {
    const lease = open()
    await lease.take(range)
    const before = lease.stream.version
    expect(await lease.outlast(clock.now() + leaseMs - spareMs, range)).toBe(true)
    expect(lease.stream.version).toBe(before)
    expect(await lease.outlast(clock.now() + leaseMs - spareMs + 1, range)).toBe(true)
    expect(lease.stream.version).toBe(before + 1)
  })

  it('refuses every write after another run has written the stream', async () => {
    const lease = open()
    await lease.take(range)
    await state.writeStream('a', 'x', { ...lease.stream, version: lease.stream.version + 1 })
    expect(await lease.checkpoint(lease.stream, range)).toBe(false)
    expect(await lease.release(lease.stream)).toBe(false)
  })

  it('stays with the stream at a checkpoint', async () => {
    const lease = open()
    expect(await lease.checkpoint({ ...begun, lastReadAt: 7 }, range)).toBe(true)
    expect(await stored()).toMatchObject({ lastReadAt: 7, lease: { holder } })
  })

  it('is given back when the stream is released', async () => {
    const lease = open()
    await lease.take(range)
    expect(await lease.release({ ...lease.stream, lastReadAt: 7 })).toBe(true)
    expect(await stored()).toMatchObject({ lastReadAt: 7 })
    expect(await stored()).not.toHaveProperty('lease')
  })
})

describe('a stream', () => {
  const leased = (by: string, until: number): StreamState => ({ ...begun, lease: { holder: by, until } })

  it('is held by another run until the lease of that run ends', () => {
    const until = clock.now() + minute
    expect(heldByAnother(leased('process:2', until), holder, clock.now())).toBe(until)
    expect(heldByAnother(leased('process:2', until), holder, until)).toBeUndefined()
  })

  it('is not held by another run if the lease is its own, or if there is none', () => {
    expect(heldByAnother(leased(holder, clock.now() + minute), holder, clock.now())).toBeUndefined()
    expect(heldByAnother(begun, holder, clock.now())).toBeUndefined()
  })
})
