import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type FailureCode, failure, failureCodes } from '../../functions/domain/failures.ts'
import { isDecided, type Probe } from '../../functions/domain/operate/test/connector-test.ts'
import { nextProbe, type ProbePlan, stepsOf } from '../../functions/domain/operate/test/probing.ts'

type Outcome = FailureCode | 'answered'

function planOf(streams: number, keys: number): ProbePlan {
  return {
    connector: { baseUrl: 'https://api.example.com', contentTypes: ['files'] },
    streams: Array.from({ length: streams }, (_, i) => `files/${i}`),
    contentTypeOf: () => 'files',
    keys: Array.from({ length: keys }, (_, i) => ({ name: `key-${i}`, field: `apiKeySecrets[${i}]` })),
  }
}

/** Asks until nothing is left to ask. A request that may use any key uses the first. */
function askAll(plan: ProbePlan, outcomeOf: (stream: string, key: string, request: number) => Outcome): readonly Probe[] {
  const probes: Probe[] = []
  for (;;) {
    const next = nextProbe(plan, probes)
    if (next === undefined) return probes
    const key = next.key ?? plan.keys[0]!.name
    const outcome = outcomeOf(next.stream, key, probes.length)
    probes.push({ stream: next.stream, key, events: 0, ...(outcome === 'answered' ? {} : { failure: failure(outcome, 'No') }) })
    if (probes.length > 1_000) throw new Error('The requests do not come to an end')
  }
}

const anyOutcome = fc.constantFrom<Outcome>('answered', ...failureCodes)

describe('the requests of a Test', () => {
  it('come to an end, whatever the vendor answers: at most twice for each key and once more for each stream, and all steps are decided', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 60 }),
        fc.integer({ min: 1, max: 5 }),
        fc.infiniteStream(anyOutcome),
        (streams, keys, outcomes) => {
          const plan = planOf(streams, keys)
          const probes = askAll(plan, () => outcomes.next().value)
          expect(probes.length).toBeLessThanOrEqual(2 * keys + 2 * streams)
          for (const step of Object.values(stepsOf(plan, probes))) expect(isDecided(step)).toBe(true)
        },
      ),
    )
  })

  it('are one for each stream where all answer, also with several keys', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 60 }), fc.integer({ min: 1, max: 5 }), (streams, keys) => {
        const plan = planOf(streams, keys)
        const probes = askAll(plan, () => 'answered')
        expect(probes).toHaveLength(Math.max(streams, keys))
        expect(new Set(probes.map(({ stream }) => stream)).size).toBe(streams)
        expect(stepsOf(plan, probes)).toMatchObject({ address: { kind: 'passed' }, keys: { kind: 'passed' }, streams: { kind: 'passed' } })
      }),
    )
  })

  it('tell a rejected key from a stream that its owner may not see', () => {
    const plan = planOf(4, 2)
    const one = askAll(plan, (stream, key) => (key === 'key-1' || stream === 'files/3' ? 'unauthorized' : 'answered'))
    expect(stepsOf(plan, one)).toMatchObject({
      keys: { kind: 'failed', faults: [{ field: 'apiKeySecrets[1]', failure: { code: 'unauthorized' } }] },
      streams: { kind: 'failed', words: '3 of 4 streams answer.', faults: [{ field: 'contentTypes[0]' }] },
    })
  })

  it('end after two in a row without a response, and say how many streams were not asked', () => {
    const plan = planOf(40, 1)
    const probes = askAll(plan, (_, __, request) => (request < 5 ? 'answered' : 'timed-out'))
    expect(probes).toHaveLength(7)
    expect(stepsOf(plan, probes).streams).toMatchObject({ kind: 'failed', words: expect.stringContaining('33 of them were not asked') })
  })

  it('go on after one that failed', () => {
    const plan = planOf(40, 1)
    const probes = askAll(plan, (_, __, request) => (request === 20 ? 'timed-out' : 'answered'))
    expect(stepsOf(plan, probes).streams).toMatchObject({ kind: 'failed', words: '39 of 40 streams answer.' })
  })
})
