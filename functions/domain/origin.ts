import { type Failure, failures, formatFailure } from './failures.ts'
import { hour, type Instant, minute, second } from './time.ts'

/**
 * Whether a vendor's origin is down for everybody, by what its connectors have seen. A slow host that never responds would hold the places of
 * all runs, so while it is down one run a minute asks it for all.
 *
 *     up ── only silence for a minute, of two keys, or three times of the only one ──► down
 *     down ── any response ──► up
 */
export interface OriginHealth {
  readonly version: number
  /** The requests without a response, since the last response. */
  readonly silence?: Silence
  /** The last response that ended a silence. */
  readonly responded?: { readonly key: string; readonly at: Instant }
  readonly down?: Down
}

/** `silence` says why. */
interface Down {
  readonly since: Instant
  /** No request before this instant. */
  readonly probeFrom: Instant
  /** The last run that claimed the probe, or found the origin down. */
  readonly probe: Probe
  /** The connector whose turn the next probe is: of those that came since the last one, it had not asked for longest. */
  readonly next?: Turn
}

export interface Turn {
  readonly connectorId: string
  /** When it last had no response; 0: it has not asked. */
  readonly askedAt: Instant
}

export interface Silence {
  /** When the first of the requests was sent. */
  readonly since: Instant
  readonly lastAt: Instant
  /** The last failure that was recorded. */
  readonly failure: Failure
  /** The keys that the requests were made with, the first one first. */
  readonly keys: readonly SilentKey[]
}

export interface SilentKey {
  /** Its fingerprint. */
  readonly key: string
  readonly failures: number
}

export interface Probe {
  readonly by: string
  readonly at: Instant
}

/** A request that had no response. */
export interface Unanswered {
  readonly key: string
  readonly sentAt: Instant
  readonly failure: Failure
}

/** An origin is down after this time without a response (ms). */
const silentForMs = minute
const silentKeysMin = 2
/** So many failures of one key count as much, if no other is known (count). */
const failuresOfOneKey = 3
/** Silent keys that are recorded (count). More would prove no more, and each of them costs a write that all runs contend for. */
const silentKeysMax = 2
/** A silence in which nobody asked for so long begins anew (ms). A connector asks again within its longest backoff, 5 minutes. */
const silenceGapMaxMs = 10 * minute
/** A silence that goes on is recorded this often (ms), so that its record costs little. */
const silenceNotedEveryMs = minute
/** The key that responded last must fail too, or the fault is of the other keys; unless it was that long ago (ms). Every connector runs within an hour. */
const respondedForMs = hour
/** A probe begins with a tick, which brings its connector on time: with the first that is this long after the probe before (ms). */
const betweenProbesMs = 30 * second
const tickMs = minute
/** A claim of the probe ends after this time (ms): a wait for a token, a request and its failure take less. So a run that dies delays the next probe little. */
const probeClaimMs = 45 * second
/** All others wait this long for the connector whose turn it is (ms). */
const turnMs = 10 * second
/** The probe waits for a token this long at most (ms). */
export const probeWaitMaxMs = 10 * second
/** The record of an origin expires this long after it was last written (ms). */
export const originKeptMs = 24 * hour

/** Whether the vendor said nothing to the request: no connection, or no response in time. An untrusted certificate is no silence. */
export function isSilence({ code, status }: Failure): boolean {
  const { request, isVendors } = failures[code]
  return request === 'unknown' && isVendors && status === undefined
}

/** Whether the failure is a response of the vendor, of whatever kind. */
export function isResponse(failure: Failure): boolean {
  const { request } = failures[failure.code]
  return request === 'responded' || request === 'throttled' || failure.status !== undefined
}

/** The right of a run: `ask` the origin, ask it once if it can claim the `probe`, or `leave` it alone. */
export function mayAsk(health: OriginHealth | undefined, connectorId: string, now: Instant): 'ask' | 'probe' | 'leave' {
  if (health?.down === undefined) return 'ask'
  const { probeFrom, next } = health.down
  const isOthers = next !== undefined && next.connectorId !== connectorId
  return now >= probeFrom + (isOthers ? turnMs : 0) ? 'probe' : 'leave'
}

/**
 * The health after a connector that may not ask has taken the turn of the next probe; undefined if it is not its turn. So the probe goes
 * round, also where the connectors come at the same times of each interval.
 */
export function withTurn(health: OriginHealth | undefined, turn: Turn, now: Instant): OriginHealth | undefined {
  if (health?.down === undefined || now >= health.down.probeFrom) return undefined
  const { next } = health.down
  if (next !== undefined && (next.connectorId === turn.connectorId || next.askedAt <= turn.askedAt)) return undefined
  return { ...health, version: health.version + 1, down: { ...health.down, next: turn } }
}

/** When a connector that may not ask comes back for its turn; undefined: at its usual time. */
export function turnOf(health: OriginHealth | undefined, connectorId: string): Instant | undefined {
  if (health?.down?.next?.connectorId !== connectorId) return undefined
  const { probeFrom, probe } = health.down
  return Math.max(probeFrom, probeAfter(probe))
}

function probeAfter({ at }: Probe): Instant {
  return Math.ceil((at + betweenProbesMs) / tickMs) * tickMs
}

/** The health after a run has claimed the probe. The turn of the next one is free again. */
export function withProbe(health: OriginHealth, by: string, now: Instant): OriginHealth {
  if (health.down === undefined) return health
  const { since } = health.down
  return { ...health, version: health.version + 1, down: { since, probeFrom: now + probeClaimMs, probe: { by, at: now } } }
}

/** The health after a response to `key`; undefined if it needs no record. */
export function afterResponse(health: OriginHealth | undefined, key: string, now: Instant): OriginHealth | undefined {
  if (health?.silence === undefined && health?.down === undefined) return undefined
  return { version: health.version + 1, responded: { key, at: now } }
}

/** The health after a request without a response, seen by the run `by`; undefined if it needs no record. */
export function afterSilence(health: OriginHealth | undefined, seen: Unanswered, by: string, now: Instant): OriginHealth | undefined {
  const { version, responded, down } = health ?? { version: 0 }
  // The response came after the request was sent, so the request says nothing about the time since.
  if (responded !== undefined && seen.sentAt < responded.at) return undefined
  if (health !== undefined && down !== undefined) return afterProbe(health, by)
  const before = health?.silence === undefined || health.silence.lastAt < now - silenceGapMaxMs ? undefined : health.silence
  const silence: Silence = {
    since: Math.min(seen.sentAt, before?.since ?? seen.sentAt),
    lastAt: now,
    failure: seen.failure,
    keys: withFailure(before?.keys ?? [], seen.key),
  }
  const another = responded === undefined || responded.key === seen.key || responded.at < now - respondedForMs ? undefined : responded
  const next: OriginHealth = { version: version + 1, silence, ...(another === undefined ? {} : { responded: another }) }
  if (another === undefined && isDown(silence, now)) {
    const probe = { by, at: now }
    return { ...next, down: { since: silence.since, probeFrom: probeAfter(probe), probe } }
  }
  const isNoted = before !== undefined && another === responded && now - before.lastAt < silenceNotedEveryMs
  return isNoted && !isOtherEvidence(before.keys, silence.keys) ? undefined : next
}

function afterProbe(health: OriginHealth, by: string): OriginHealth | undefined {
  const { down } = health
  if (down?.probe.by !== by) return undefined
  const probeFrom = Math.max(down.probeFrom, probeAfter(down.probe))
  return probeFrom === down.probeFrom ? undefined : { ...health, version: health.version + 1, down: { ...down, probeFrom } }
}

function withFailure(keys: readonly SilentKey[], key: string): readonly SilentKey[] {
  if (keys.some((each) => each.key === key)) {
    return keys.map((each) => (each.key === key ? { key, failures: each.failures + 1 } : each))
  }
  return [...keys, { key, failures: 1 }].slice(0, silentKeysMax)
}

function isDown({ since, keys }: Silence, now: Instant): boolean {
  const isEnough = keys.length >= silentKeysMin || keys.some((key) => key.failures >= failuresOfOneKey)
  return isEnough && now - since >= silentForMs
}

/** Whether the keys prove more than before: another key, or another failure of the only one. */
function isOtherEvidence(before: readonly SilentKey[], after: readonly SilentKey[]): boolean {
  if (before.length !== after.length) return true
  return after.length === 1 && (before[0]?.failures ?? 0) < failuresOfOneKey
}

/** When a run that has asked without success asks again, if it is no other's turn by then. */
export function nextProbeOf({ down }: OriginHealth): Instant | undefined {
  return down?.probeFrom
}

/** Whether the run claimed the probe, or was the one that found the origin down. */
export function isProber({ down }: OriginHealth, by: string): boolean {
  return down?.probe.by === by
}

/** Why the connectors of an origin that is down do not ask it, as a sentence for people. */
export function outageText(failure: Failure, origin: string): string {
  return `${formatFailure(failure)} No request to ${origin} had a response lately, so one a minute asks for all connectors, and all go on when it has one.`
}
