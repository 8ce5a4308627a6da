import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { callerOf } from '../../functions/domain/operate/caller.ts'

const arn = (qualifier: string) => `arn:aws:lambda:eu-west-1:111122223333:function:tributary-operate${qualifier}`
const tenantOf = (qualifier: string) => {
  const caller = callerOf(arn(qualifier), 'request-1')
  return caller.ok ? caller.value.tenant : caller.failure.code
}

describe('who calls', () => {
  it('the alias all is the provider', () => {
    expect(callerOf(arn(':all'), 'request-1')).toEqual({ ok: true, value: { tenant: 'all', awsRequestId: 'request-1' } })
  })

  it('any other alias is an operator of the tenant that it names', () => {
    expect(['acme', 'north-2', '2nd'].map((tenant) => tenantOf(`:${tenant}`))).toEqual(['acme', 'north-2', '2nd'])
  })

  it.each(['', ':', ':$LATEST', ':7', ':0012'])('a call without an alias is refused: "%s"', (qualifier) => {
    expect(tenantOf(qualifier)).toBe('not-allowed')
  })

  it('the refusal says which names to call', () => {
    expect(callerOf(arn(''), '')).toMatchObject({
      failure: { message: expect.stringContaining('tributary-operate:all for all tenants, or tributary-operate:TENANT') },
    })
  })

  it('no text that is no ARN is a caller, and only the last part of one is', () => {
    fc.assert(fc.property(fc.string(), (text) => text.split(':').length >= 8 || !callerOf(text, '').ok))
    expect(tenantOf(':acme:all')).toBe('acme')
  })
})
