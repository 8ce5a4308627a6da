import { expect, it } from 'vitest'
import { digest, keyedDigest } from '../../functions/adapters/digest.ts'

it('a digest is the SHA-256 of the text in UTF-8, in hex', () => {
  expect(digest('abc')).toBe('ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad')
  expect(digest('Zoë')).toBe('c6a12698582fc1104ea24107a2d7268145ff06ef859707729d01fd060897f067')
})

it('a keyed digest is the HMAC-SHA-256 under the key in hex (RFC 4231, case 2)', () => {
  expect(keyedDigest(Buffer.from('Jefe').toString('hex'), 'what do ya want for nothing?')).toBe(
    '5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843',
  )
})
