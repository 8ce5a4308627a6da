import { describe, expect, it } from 'vitest'
import { failure } from '../../../functions/domain/failures.ts'
import { type ConnectorTest, newTest, withStep, written } from '../../../functions/domain/operate/test/connector-test.ts'
import { day } from '../../../functions/domain/time.ts'
import type { Given } from './given.ts'
import { start } from './values.ts'

const begun = newTest({ connectorId: 'a', isUnsaved: false }, undefined, start)

/** A Test with every optional attribute. */
const full: ConnectorTest = {
  ...newTest({ connectorId: 'a', says: 'Ann', vendor: 'v', item: { connectorId: 'a', list: ['x'] }, isUnsaved: true }, undefined, start),
  steps: withStep(
    withStep(withStep(withStep(begun.steps, 1, { kind: 'passed', words: 'Right.' }), 2, { kind: 'left-out', why: 'No.' }), 3, {
      kind: 'failed',
      words: 'Wrong.',
      faults: [
        {
          tried: 'it',
          field: 'baseUrl',
          failure: failure('proxy-failed', 'No', { status: 502, traceId: 't', retryAfterMs: 1 }),
          againAt: start,
        },
        { tried: 'it', message: 'A problem' },
      ],
    }),
    4,
    { kind: 'running', done: 1, of: 2, note: 'It waits.' },
  ),
  probes: [
    { stream: 'x/1', key: 'tributary/a#key', events: 2 },
    { stream: 'x/2', key: 'tributary/a', failure: failure('throttled', 'No'), againAt: start, events: 0 },
  ],
  holder: 'p:1',
  endedAt: start,
}

export function testContract(given: Given): void {
  describe('a Test', () => {
    it('is not there before it was written, and is read as it was written', async () => {
      expect(await given.state.readTest('a')).toBeUndefined()
      expect(await given.state.writeTest(full, undefined)).toBe(true)
      expect(await given.state.readTest('a')).toEqual(full)
      expect(await given.state.readTest('b')).toBeUndefined()
    })

    it('is begun once by many at a time', async () => {
      const tries = Array.from({ length: 8 }, (_, i) => given.state.writeTest({ ...begun, says: `${i}` }, undefined))
      expect((await Promise.all(tries)).filter((won) => won)).toHaveLength(1)
    })

    it('replaces the one that it was made from, and no other', async () => {
      const next = written(begun, { holder: 'p:1' }, start + 1)
      await given.state.writeTest(begun, undefined)
      expect(await given.state.writeTest(next, begun)).toBe(true)
      expect(await given.state.writeTest(written(begun, { holder: 'p:2' }, start + 2), begun)).toBe(false)
      // A new Test may come to the same version.
      const another = { ...begun, begunAt: start + day }
      expect(await given.state.writeTest(written(another, {}, start + day), { ...another, version: next.version })).toBe(false)
      expect(await given.state.readTest('a')).toEqual(next)
    })

    it('is removed if nobody has written meanwhile', async () => {
      const next = written(begun, {}, start + 1)
      await given.state.writeTest(begun, undefined)
      await given.state.writeTest(next, begun)
      await given.state.removeTest(begun)
      expect(await given.state.readTest('a')).toEqual(next)
      await given.state.removeTest(next)
      expect(await given.state.readTest('a')).toBeUndefined()
    })

    it('stays for 90 days', async () => {
      await given.state.writeTest(begun, undefined)
      given.now = start + 90 * day - 1
      expect(await given.state.readTest('a')).toEqual(begun)
      given.now = start + 90 * day
      expect(await given.state.readTest('a')).toBeUndefined()
      expect(await given.state.writeTest({ ...begun, begunAt: given.now, aliveAt: given.now }, undefined)).toBe(true)
    })
  })
}
