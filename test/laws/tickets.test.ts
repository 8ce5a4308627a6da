import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { digest } from '../../functions/adapters/digest.ts'
import type { Change } from '../../functions/domain/operate/operation.ts'
import { ticketMs } from '../../functions/domain/operate/ticket.ts'
import { issueTicket, redeemTicket, type TicketUse } from '../../functions/flows/operate/tickets.ts'
import { memoryState } from '../../simulation/fakes/state.ts'

const start = Date.UTC(2026, 10, 24)

function deployment() {
  const clock = { at: start, now: () => clock.at, sleepUntil: async () => {} }
  return { clock, ports: { clock, digest, state: memoryState(clock) } }
}

const anyTicket = fc.uint8Array({ minLength: 16, maxLength: 16 }).map((bytes) => Buffer.from(bytes).toString('hex'))
const anyText = fc.string({ minLength: 1, maxLength: 8 })
const anyChange: fc.Arbitrary<Change> = fc.oneof(
  fc.record({ action: fc.constantFrom('pause', 'resume', 'collect'), requestId: anyText, connectorId: anyText }),
  fc.record({ action: fc.constant('delete'), requestId: anyText, connectorId: anyText, version: anyText }),
  fc.record({ action: fc.constant('acknowledge'), requestId: anyText, connectorId: anyText, note: fc.string() }),
  fc.record({
    action: fc.constant('edit'),
    requestId: anyText,
    connectorId: anyText,
    version: anyText,
    item: fc.dictionary(anyText, fc.jsonValue()),
  }),
)
const anyUse: fc.Arbitrary<TicketUse> = fc.record({
  purpose: fc.constantFrom('page', 'go-on'),
  caller: fc.record({ tenant: fc.constantFrom('all', 'acme', 'globex') }),
  change: anyChange,
  version: fc.option(anyText, { nil: undefined }),
})

/** JSON that is the same for the same use, in whatever order its members are. */
const same = (use: TicketUse) => JSON.stringify(ordered({ ...use, version: use.version ?? '' }))
function ordered(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(ordered)
  if (typeof value !== 'object' || value === null) return value
  return Object.entries(value)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, inner]) => [name, ordered(inner)])
}

describe('a ticket', () => {
  it('is good once, for exactly what it was issued for, up to ten minutes', async () => {
    await fc.assert(
      fc.asyncProperty(anyTicket, anyUse, fc.integer({ min: 0, max: ticketMs - 1 }), async (ticket, use, later) => {
        const { clock, ports } = deployment()
        await issueTicket(ports, ticket, use)
        clock.at += later
        expect(await redeemTicket(ports, ticket, structuredClone(use))).toBe(true)
        expect(await redeemTicket(ports, ticket, use)).toBe(false)
      }),
    )
  })

  it('is good for nothing from ten minutes on', async () => {
    await fc.assert(
      fc.asyncProperty(anyTicket, anyUse, fc.nat(), async (ticket, use, more) => {
        const { clock, ports } = deployment()
        await issueTicket(ports, ticket, use)
        clock.at += ticketMs + more
        expect(await redeemTicket(ports, ticket, use)).toBe(false)
      }),
    )
  })

  it('is refused for another alias, change, version or purpose, and is still good for its own', async () => {
    await fc.assert(
      fc.asyncProperty(anyTicket, anyUse, anyUse, async (ticket, use, other) => {
        const mixtures: TicketUse[] = [
          other,
          { ...use, caller: other.caller },
          { ...use, change: other.change },
          { ...use, change: { ...use.change, connectorId: `${String(Reflect.get(use.change, 'connectorId'))}x` } as Change },
          { ...use, version: other.version },
          { ...use, purpose: other.purpose },
        ]
        const { ports } = deployment()
        await issueTicket(ports, ticket, use)
        for (const wrong of mixtures.filter((mixture) => same(mixture) !== same(use)))
          expect(await redeemTicket(ports, ticket, wrong)).toBe(false)
        expect(await redeemTicket(ports, ticket, use)).toBe(true)
      }),
    )
  })

  it('cannot be forged: another text is refused, and so is what is stored of it', async () => {
    await fc.assert(
      fc.asyncProperty(anyTicket, fc.oneof(anyTicket, fc.string(), fc.anything()), anyUse, async (ticket, forged, use) => {
        fc.pre(forged !== ticket)
        const { ports } = deployment()
        await issueTicket(ports, ticket, use)
        expect(await redeemTicket(ports, forged, use)).toBe(false)
        expect(await redeemTicket(ports, digest(`ticket ${ticket}`).slice(0, 32), use)).toBe(false)
      }),
    )
  })

  it('is used up by one of many calls at the same time', async () => {
    const { ports } = deployment()
    const use = {
      purpose: 'page',
      caller: { tenant: 'all' },
      change: { action: 'pause', requestId: '12345678', connectorId: 'a.b' },
    } as const
    await issueTicket(ports, 'ab'.repeat(16), use)
    const taken = await Promise.all(Array.from({ length: 20 }, () => redeemTicket(ports, 'ab'.repeat(16), use)))
    expect(taken.filter(Boolean)).toHaveLength(1)
  })
})
