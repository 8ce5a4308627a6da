import { createHash, createHmac } from 'node:crypto'
import type { Digest, KeyedDigest } from '../domain/ports.ts'

export const digest: Digest = (text) => createHash('sha256').update(text, 'utf8').digest('hex')

export const keyedDigest: KeyedDigest = (keyHex, text) =>
  createHmac('sha256', Buffer.from(keyHex, 'hex')).update(text, 'utf8').digest('hex')
