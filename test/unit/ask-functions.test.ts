import { expect, it } from 'vitest'
import { failures } from '../../functions/domain/failures.ts'
import { localWords } from '../../local/local-words.ts'
import { askFunctions } from '../../local/page/ask-functions.ts'

const onAws = failures['secret-missing'].remedy

it('an answer speaks of the things of this machine, and an item stays as it is stored', async () => {
  const ask = askFunctions(async () => ({ ok: true, rows: [{ reason: onAws, retryAt: 7 }], item: { note: onAws } }))
  expect(await ask({ action: 'show' })).toEqual({
    ok: true,
    value: { rows: [{ reason: localWords(onAws), retryAt: 7 }], item: { note: onAws } },
  })
  expect(localWords(onAws)).not.toBe(onAws)
})

it('a refusal does so too', async () => {
  const ask = askFunctions(async () => ({ ok: false, code: 'wrong', message: onAws, problems: [] }))
  expect(await ask({})).toEqual({ ok: false, failure: { code: 'wrong', message: localWords(onAws), problems: [] } })
})
