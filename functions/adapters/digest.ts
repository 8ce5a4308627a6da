import { createHmac, hash } from 'node:crypto'
import type { Digest, KeyedDigest } from '../domain/digest.ts'

export const digest: Digest = (text) => hash('sha256', text, 'hex')

export const keyedDigest: KeyedDigest = (keyHex, text) =>
  createHmac('sha256', Buffer.from(keyHex, 'hex')).update(text, 'utf8').digest('hex')
