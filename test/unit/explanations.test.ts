import { describe, expect, it } from 'vitest'
import { attributeNames } from '../../functions/domain/connector/connector-schema.ts'
import { failure, failureCodes } from '../../functions/domain/failures.ts'
import { explain, fieldOf } from '../../functions/domain/operate/explanations.ts'
import { start } from '../../simulation/world.ts'

const words = { keyPermission: 'the permission Read' }

describe('the explanation of a failure', () => {
  it.each(failureCodes)('of %s has a name, an explanation, a question and a next step, and names an attribute that exists', (code) => {
    const { name, explanation, recommendation } = explain(failure(code, 'Seen'), undefined)
    expect(name).toMatch(/^[A-Z]/)
    expect(explanation).toMatch(/^[A-Z].*\.$/)
    expect(recommendation).toMatch(/\? /)
    expect(recommendation).toMatch(/\.$/)
    const field = fieldOf(code)
    if (field !== undefined) expect(attributeNames).toContain(field)
  })

  it('has the standard name of the status, if there is one', () => {
    expect(explain(failure('vendor-error', 'Seen', { status: 504 }), undefined).name).toBe('Gateway Timeout')
    expect(explain(failure('vendor-error', 'Seen', { status: 599 }), undefined).name).toBe('Internal Server Error')
    expect(explain(failure('unexpected-status', 'Seen', { status: 418 }), undefined).name).toBe('Unexpected status')
  })

  it('names the permission of the vendor’s key for a 403 alone', () => {
    expect(explain(failure('forbidden', 'Seen'), words).recommendation).toContain('It needs the permission Read.')
    expect(explain(failure('unauthorized', 'Seen'), words).recommendation).not.toContain('the permission Read')
  })

  it('says when a request that was one too many is tried again', () => {
    expect(explain(failure('throttled', 'Seen'), words, start + 90_000).recommendation).toContain('It is tried again at 12:01:30 UTC.')
  })
})
