import { createHash } from 'node:crypto'
import type { Outage } from '../../domain/status/outage.ts'
import { seenClass } from '../../domain/stream/seen-ids.ts'
import type { Interval, StreamId } from '../../domain/stream/stream.ts'
import type { Instant } from '../../domain/time.ts'

/**
 * The keys of every item of the state table. No other file writes a key or a part of one.
 *
 *     pk                      sk
 *     CONNECTOR#connectorId   ACCEPTED                                   the accepted connector, or its tombstone
 *     CONNECTOR#connectorId   DUE                                        when it is due
 *     CONNECTOR#connectorId   KEYS                                       the keys that it has, by their secrets
 *     CONNECTOR#connectorId   SEEN#stream#class.from#version.part        seen ids of a page
 *     CONNECTOR#connectorId   STATUS                                     its status
 *     CONNECTOR#connectorId   STREAM#stream                              the ledger of a stream
 *     KEY#fingerprint         OWNER                                      the connectors that have claimed the API key
 *     KEY#bucket              TOKENS                                     the limiter of an API key or of a rate group
 *     KEY#bucket              USER#connectorId                           a connector that uses it
 *     SECRET#name             ORIGIN                                     the origin that the secret is bound to
 *     HISTORY#connectorId     time#hash                                  a change that somebody made; hash: of its request id
 *     REQUEST#hash            OUTCOME                                    a change that was asked for, and how it ended
 *     TEST#connectorId        STATE                                      the last Test of a connector
 *     TICKET#hash             BINDING                                    a ticket, and what it is good for
 *     OUTAGES                 vendor#origin                              an open outage
 *     ORIGINS                 vendor#origin                              an origin that did not respond lately
 *     DISPATCH                TICK                                       the last tick
 *     DISPATCH                COMPARISON                                 the last comparison of the tables
 *     FINGERPRINT             KEY                                        the key of the hash that fingerprints API keys
 */
export interface Key {
  readonly pk: string
  readonly sk: string
}

const connectorPrefix = 'CONNECTOR#'
const bucketPrefix = 'KEY#'
export const streamPrefix = 'STREAM#'
export const userPrefix = 'USER#'
const secretPrefix = 'SECRET#'
const seenPrefix = 'SEEN#'
const historyPrefix = 'HISTORY#'
const testPrefix = 'TEST#'

export const outagesPk = 'OUTAGES'
export const tickKey: Key = { pk: 'DISPATCH', sk: 'TICK' }
export const comparisonKey: Key = { pk: 'DISPATCH', sk: 'COMPARISON' }
export const fingerprintKeyKey: Key = { pk: 'FINGERPRINT', sk: 'KEY' }

export function connectorPk(connectorId: string): string {
  return `${connectorPrefix}${connectorId}`
}

export function connectorOfPk(pk: string): string {
  return pk.slice(connectorPrefix.length)
}

/** The connector, the API key or the secret that the item with this key is about. Empty if it is about no single one. */
export function subjectOf({ pk, sk }: Key): Subject {
  if (pk.startsWith(connectorPrefix)) return { connectorId: connectorOfPk(pk) }
  if (pk.startsWith(historyPrefix)) return { connectorId: pk.slice(historyPrefix.length) }
  if (pk.startsWith(testPrefix)) return { connectorId: pk.slice(testPrefix.length) }
  if (pk.startsWith(secretPrefix)) return { secretName: pk.slice(secretPrefix.length) }
  if (!pk.startsWith(bucketPrefix)) return {}
  return { bucket: pk.slice(bucketPrefix.length), ...(sk.startsWith(userPrefix) ? { connectorId: sk.slice(userPrefix.length) } : {}) }
}

export interface Subject {
  readonly connectorId?: string
  /** The fingerprint of an API key, or a rate group. */
  readonly bucket?: string
  readonly secretName?: string
}

export function acceptedKey(connectorId: string): Key {
  return { pk: connectorPk(connectorId), sk: 'ACCEPTED' }
}

export function dueKey(connectorId: string): Key {
  return { pk: connectorPk(connectorId), sk: 'DUE' }
}

export function heldKeysKey(connectorId: string): Key {
  return { pk: connectorPk(connectorId), sk: 'KEYS' }
}

export function statusKey(connectorId: string): Key {
  return { pk: connectorPk(connectorId), sk: 'STATUS' }
}

export function streamKey(connectorId: string, stream: StreamId): Key {
  return { pk: connectorPk(connectorId), sk: `${streamPrefix}${stream}` }
}

/** The stream of a sort key; nothing if the key is that of another kind of item. */
export function streamOfSk(sk: unknown): StreamId | undefined {
  return typeof sk === 'string' && sk.startsWith(streamPrefix) ? sk.slice(streamPrefix.length) : undefined
}

export function seenKey(connectorId: string, stream: StreamId, range: Interval, version: number, part: number): Key {
  return { pk: connectorPk(connectorId), sk: `${seenFrom(stream, seenClass(range), range.from)}#${digits(version, 12)}.${part}` }
}

/**
 * The beginning of the sort keys of all seen ids whose range is of width class `widthClass` and begins at `from`. By itself it sorts
 * before all of them, and after those of every earlier range.
 */
export function seenFrom(stream: StreamId, widthClass: number, from: Instant): string {
  return `${seenPrefix}${stream}#${widthClass}.${digits(Math.max(0, Math.floor(from)), 15)}`
}

function digits(whole: number, width: number): string {
  return String(whole).padStart(width, '0')
}

export function bucketPk(bucket: string): string {
  return `${bucketPrefix}${bucket}`
}

export function bucketKey(bucket: string): Key {
  return { pk: bucketPk(bucket), sk: 'TOKENS' }
}

export function claimsKey(fingerprint: string): Key {
  return { pk: bucketPk(fingerprint), sk: 'OWNER' }
}

export function userKey(bucket: string, connectorId: string): Key {
  return { pk: bucketPk(bucket), sk: `${userPrefix}${connectorId}` }
}

export function secretOriginKey(secretName: string): Key {
  return { pk: `${secretPrefix}${secretName}`, sk: 'ORIGIN' }
}

export function historyPk(connectorId: string): string {
  return `${historyPrefix}${connectorId}`
}

/** It sorts before every entry of this instant and after every earlier one, without a request id. */
export function historySk(at: Instant, requestId = ''): string {
  return `${digits(at, 15)}#${requestId === '' ? '' : hashOf(requestId).slice(0, 16)}`
}

export function testKey(connectorId: string): Key {
  return { pk: `${testPrefix}${connectorId}`, sk: 'STATE' }
}

export function requestKey(requestId: string): Key {
  return { pk: `REQUEST#${hashOf(requestId)}`, sk: 'OUTCOME' }
}

/** A caller may choose any text for the id of a request, and keys are logged. */
function hashOf(requestId: string): string {
  return createHash('sha256').update(requestId).digest('hex')
}

export function ticketKey(hash: string): Key {
  return { pk: `TICKET#${hash}`, sk: 'BINDING' }
}

export function outageKey({ vendor, origin }: Pick<Outage, 'vendor' | 'origin'>): Key {
  return { pk: outagesPk, sk: `${vendor}#${origin}` }
}

export function originKey(vendor: string, origin: string): Key {
  return { pk: 'ORIGINS', sk: `${vendor}#${origin}` }
}

export function formatKey({ pk, sk }: Key): string {
  return `${pk} ${sk}`
}

/** Partitions of each index (count): enough for thousands of connectors, and few enough to be read one by one. */
export const shards = 8

/** The partition of a connector in the indexes. It never changes. */
export function shardOf(connectorId: string): number {
  return (createHash('sha256').update(connectorId).digest()[0] ?? 0) % shards
}
