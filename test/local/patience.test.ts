import { describe, expect, it } from 'vitest'
import { minute, second } from '../../functions/domain/time.ts'
import { vendors } from '../../functions/vendors/index.ts'
import { findMissing, type Missing } from '../../local/report/missing.ts'
import { endedBefore, type Judged, onceEndText, Patience, waitTexts } from '../../local/report/patience.ts'
import { readRuns } from '../../local/report/runs.ts'
import { connectorItem, start, World } from '../../simulation/world.ts'

/** Looks every second, as --once does, until it would end. Returns when that is (ms after the start), and what is missing then. */
async function once(
  world: World,
  patienceMs: number,
): Promise<{ readonly afterMs: number; readonly end: Judged; readonly waits: ReadonlySet<string> }> {
  await world.put(connectorItem({ eventTypes: ['dlp', 'ransomware'] }))
  const patience = new Patience(patienceMs, start)
  const waits = new Set<string>()
  for (;;) {
    const judged = patience.judge(findMissing(await readRuns(world.state, ['acme.cas']), vendors, start), world.clock.now())
    for (const { text } of waitTexts(judged)) waits.add(text)
    if (judged.waiting.length === 0) return { afterMs: world.clock.now() - start, end: judged, waits }
    await world.run(second)
  }
}

function worldWhere(respond: Parameters<World['vendorResponds']>[0]): World {
  const world = new World()
  world.vendorResponds(respond)
  return world
}

/** The vendor does not respond at all for so long. */
function silentFor(forMs: number): World {
  const origin = String(connectorItem()['baseUrl'])
  return new World({ originTroubles: [{ origin, kind: 'request to a dead origin', from: start, to: start + forMs }] })
}

const until = start + 3 * minute

describe('--once', () => {
  it.each([
    ['does not respond', () => silentFor(3 * minute)],
    ['responds with 500', () => worldWhere((_, now) => (now < until ? { status: 500 } : undefined))],
    ['responds with 503', () => worldWhere((_, now) => (now < until ? { status: 503 } : undefined))],
  ])('goes on through three minutes in which the vendor %s, and misses nothing', async (_, worldOf) => {
    const { afterMs, end, waits } = await once(worldOf(), 15 * minute)
    expect(end.givenUp).toEqual([])
    expect(afterMs).toBeGreaterThan(3 * minute)
    expect(afterMs).toBeLessThan(12 * minute)
    expect([...waits][0]).toMatch(/^Waiting for acme\.cas until 12:1[56]:\d\d UTC at most; next try at 12:0[01]:\d\d\. /)
  })

  it('goes on after one redirect', async () => {
    let count = 0
    const world = worldWhere(() => (count++ === 0 ? { status: 302 } : undefined))
    expect((await once(world, 15 * minute)).end.givenUp).toEqual([])
  })

  it('ends when a redirect lasts, before its patience ends, and says what to do', async () => {
    const { afterMs, end } = await once(
      worldWhere(() => ({ status: 302 })),
      60 * minute,
    )
    expect(afterMs).toBeLessThan(10 * minute)
    expect(end.givenUp[0]).toMatchObject({ isPermanent: true, reason: expect.stringContaining('Set baseUrl to the real address') })
  })

  it('ends at once when the vendor rejects the key', async () => {
    const { afterMs, end } = await once(
      worldWhere(() => ({ status: 401 })),
      60 * minute,
    )
    expect(afterMs).toBeLessThan(30 * second)
    expect(end.givenUp[0]?.reason).toContain('then give a new one. Store it on the page')
  })

  it.each([1, 15])('ends after %i min of an outage, and says what is missing, why and what to do', async (minutes) => {
    const { afterMs, end } = await once(silentFor(60 * minute), minutes * minute)
    // It begins to fail with the time-out of the first request, and ends before a try that comes too late.
    expect(afterMs).toBeLessThanOrEqual(minutes * minute + 40 * second)
    expect(afterMs).toBeGreaterThan(Math.max(0, minutes * minute - 5 * minute))
    expect(end.givenUp[0]?.reason).toMatch(/ --patience \((60 s|15 min)\)\. Start again to go on where this start ended\.$/)
    expect(end.givenUp[0]?.reason).toContain('The vendor did not respond in time.')
  })
})

describe('the patience', () => {
  const going = (reason: string): Missing => ({ connectorId: 'a', reason, isPermanent: false })

  it('does not end while something goes on, however long that takes', () => {
    const patience = new Patience(minute, 0)
    for (let at = 0; at < 60 * minute; at += 30 * second) expect(patience.judge([going(`read to ${at}`)], at).givenUp).toEqual([])
  })

  it('ends when nothing goes on', () => {
    const patience = new Patience(minute, 0)
    expect(patience.judge([going('is queued')], 0).waiting).toHaveLength(1)
    expect(patience.judge([going('is queued')], 59 * second).waiting).toHaveLength(1)
    expect(patience.judge([going('is queued')], minute).givenUp).toHaveLength(1)
  })

  it('ends early when the next try comes after it, as with a long Retry-After', () => {
    const failing = { detail: 'd', since: 0, nextTryAt: 2 * minute }
    expect(new Patience(minute, 0).judge([{ ...going('x'), failing }], 0).givenUp).toMatchObject([
      { reason: 'x The next try, at 00:02:00 UTC, would come after --patience (60 s). Start again to go on where this start ended.' },
    ])
    expect(new Patience(minute, 0).judge([{ ...going('x'), failing: { ...failing, nextTryAt: minute } }], minute).givenUp).toMatchObject([
      { reason: 'x It did not pass within --patience (60 s). Start again to go on where this start ended.' },
    ])
  })
})

describe('the end of --once', () => {
  const found = (reason: string, isPermanent = false): Missing => ({ connectorId: 'a', reason, isPermanent })

  it('says one truth: that waiting does not help, that the patience has ended, or each for a part', () => {
    const ends = [[found('x', true)], [found('x')], [found('x'), found('y', true)]].map((each) => onceEndText(each, 15 * minute))
    const says = ' Each line below that begins with "Missing:" says what is missing, why, and what to do.'
    expect(ends).toEqual([
      `Not everything could be collected, and waiting longer does not help.${says}`,
      `Not everything could be collected: the rest did not come within --patience (15 min).${says}`,
      `Not everything could be collected: a part did not come within --patience (15 min), and for the rest waiting longer does not help.${says}`,
    ])
  })

  it('does not say that waiting does not help when a redirect of the whole connector outlasts the patience', async () => {
    const { end } = await once(
      worldWhere(() => ({ status: 302 })),
      minute,
    )
    const text = onceEndText(end.givenUp, minute)
    const isLate = end.givenUp.some(({ reason }) => reason.includes('--patience'))
    expect(text.includes('--patience')).toBe(isLate)
    expect(text.includes('does not help')).toBe(end.givenUp.some(({ isPermanent }) => isPermanent))
  })

  it('promises no further try', async () => {
    const { end } = await once(silentFor(60 * minute), minute)
    expect(end.givenUp[0]?.reason).toContain('The next start tries again.')
    expect(end.givenUp[0]?.reason).not.toContain('Tributary tries again')
  })

  it('by Ctrl-C says of all that is missing why, and how to go on', () => {
    const waiting = [{ ...found('teams/dlp has not been read yet: Overloaded. Tributary tries again.'), until: 0 }]
    expect(endedBefore({ waiting, givenUp: [found('y')] }).map(({ reason }) => reason)).toEqual([
      'y',
      'teams/dlp has not been read yet: Overloaded. The next start tries again. This start ended before; start again to go on.',
    ])
  })
})
