import { describe, expect, it } from 'vitest'
import { day } from '../../../functions/domain/time.ts'
import type { Given } from './given.ts'

export function secretOriginContract(given: Given): void {
  describe('the origin of a secret', () => {
    it('is none before it is bound, and the first for good', async () => {
      expect(await given.state.readSecretOrigin('tributary/a')).toBeUndefined()
      expect(await given.state.bindSecret('tributary/a', 'https://one')).toBe('https://one')
      expect(await given.state.bindSecret('tributary/a', 'https://one')).toBe('https://one')
      expect(await given.state.bindSecret('tributary/a', 'https://two')).toBe('https://one')
      given.now += 1_000 * day
      expect(await given.state.readSecretOrigin('tributary/a')).toBe('https://one')
    })

    it('is that of one secret, whatever its name', async () => {
      const names = ['tributary/a', 'tributary/a/b', 'tributary/A', `tributary/${'x'.repeat(502)}`]
      for (const name of names) await given.state.bindSecret(name, `https://${name.length}.${name.at(-1)}`)
      for (const name of names) expect(await given.state.readSecretOrigin(name)).toBe(`https://${name.length}.${name.at(-1)}`)
    })

    it('is the same for many that bind it at once', async () => {
      const bound = await Promise.all(Array.from({ length: 8 }, (_, i) => given.state.bindSecret('tributary/a', `https://${i}`)))
      expect(new Set(bound).size).toBe(1)
      expect(await given.state.readSecretOrigin('tributary/a')).toBe(bound[0])
    })
  })
}
