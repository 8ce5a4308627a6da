import { describe, expect, it } from 'vitest'
import type { StepState } from '../../functions/domain/operate/test/connector-test.ts'
import { newTest, steps, withStep } from '../../functions/domain/operate/test/connector-test.ts'
import { testAnswer } from '../../functions/domain/operate/test/test-answer.ts'
import { minute } from '../../functions/domain/time.ts'
import { testLine } from '../../functions/widget/views/test.ts'

const begunAt = Date.UTC(2026, 10, 24, 12)
const begun = newTest({ connectorId: 'acme.cas', isUnsaved: false }, undefined, begunAt)
const passed: StepState = { kind: 'passed', words: '' }
const allPassed = begun.steps.map(() => passed)
const rejected: StepState = { kind: 'failed', words: '', faults: [] }

describe('the details of a connector say of its last Test', () => {
  it('how far it is while it runs', () => {
    const test = { ...begun, steps: [passed, passed, ...begun.steps.slice(2)] }
    expect(testLine(testAnswer(test, undefined, begunAt))).toBe('A Test runs: 3 of 7.')
  })

  it('how long ago it passed', () => {
    const test = { ...begun, steps: allPassed, endedAt: begunAt + minute }
    expect(testLine(testAnswer(test, undefined, begunAt + 13 * minute))).toBe('The last Test passed 12 min ago.')
  })

  it('the first step that failed, and how long ago', () => {
    const failed = withStep(withStep(allPassed, steps.keys, rejected), steps.budget, rejected)
    const test = { ...begun, steps: failed, endedAt: begunAt + minute }
    expect(testLine(testAnswer(test, undefined, begunAt + 121 * minute))).toBe('The last Test failed at step 4, 2 h ago.')
  })

  it('where it broke off, if its process ended', () => {
    expect(testLine(testAnswer(begun, undefined, begunAt + 10 * minute))).toBe('The last Test broke off at 1 of 7.')
  })
})
