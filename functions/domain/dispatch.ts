import { hour, type Instant, minute, second } from './time.ts'

/** Which of the due connectors get a message in a tick. The queue gets no more than it serves before its messages expire. */

/** An entry of the index of due times, which shows nothing else. */
export interface DueEntry {
  readonly connectorId: string
  readonly nextDueAt: Instant
}

/** The memory of one tick for the next. */
export interface Tick {
  readonly at: Instant
  /** Messages that no run had begun then, with those of the tick (count). */
  readonly waiting: number
  /** Messages that runs began in the minute before (count). */
  readonly begun: number
  /** Each connector that was due before this instant has a message. Absent if the queue did not serve all of them. */
  readonly sentUntil?: Instant
}

/** The time between two ticks (ms). Each tick claims the connectors that are due before the next one. */
const tickMs = minute
/** The queue keeps a message this long (ms), so a claim holds no longer. */
const messageLifeMs = 15 * minute
/** A run that has begun and did not end is repeated after this time (ms): the time-out of its function, and a little. */
export const runMaxMs = 5 * minute + 15 * second
/** A run may still go on by so much when its connector is due again (ms). Then a connector whose phase comes that soon needs no second write. */
const runOverlapMs = 45 * second
/** A tick that comes sooner after the last one is a doubled one (ms). */
const doubledWithinMs = tickMs / 2

/**
 * The end of a claim that is made now. It is a whole minute, and no other due time is: so the index, which has no other attribute, shows
 * which connectors are claimed. A due time that an earlier release wrote may be one by chance, and is then claimed a minute late.
 */
export function claimEnd(now: Instant): Instant {
  return Math.ceil((now + messageLifeMs) / minute) * minute
}

/** A due time that no claim can be mistaken for. */
export function unclaimedTime(at: Instant): Instant {
  return at % minute === 0 ? at + 1 : at
}

/** Whether a message is under way that no run has begun. */
export function isClaimed({ nextDueAt }: Pick<DueEntry, 'nextDueAt'>, now: Instant): boolean {
  return nextDueAt > now && isClaimTime(nextDueAt)
}

/** Whether the claim has ended without a run: its message was lost, or expired. */
export function isClaimOver({ nextDueAt }: Pick<DueEntry, 'nextDueAt'>, now: Instant): boolean {
  return nextDueAt <= now && isClaimTime(nextDueAt)
}

function isClaimTime(at: Instant): boolean {
  return at % minute === 0
}

/** The latest due time that a tick must know: that of the longest claim. */
export function knownUntil(now: Instant): Instant {
  return claimEnd(now) + minute
}

/**
 * When a run that begins now is due again if it dies. That is the connector's usual time if it is near the end of the longest run, so that
 * such a run need not set it at its end. `usualAt`: the connector's first time after an instant.
 */
export function dueIfRunDies(now: Instant, usualAt: (after: Instant) => Instant): Instant {
  const latest = now + runMaxMs
  return unclaimedTime(Math.min(usualAt(latest - runOverlapMs), latest))
}

/**
 * Chooses the connectors that get a message in a tick. There are never more that wait for a run than runs began in the last two minutes at
 * that rate, and as many as there are places at least. The tenants take turns, and of each tenant the connector that was due first comes first.
 *
 * `sends` are not claimed, which saves a write for each run. `claims` are claimed first: connectors that have a message by the last tick and are
 * still due, or due again, and all of them if some must wait for a later tick.
 */
export function planTick(
  entries: readonly DueEntry[],
  { now, places, last: stored }: { readonly now: Instant; readonly places: number; readonly last?: Tick | undefined },
): { readonly sends: readonly DueEntry[]; readonly claims: readonly DueEntry[]; readonly tick: Tick } {
  // A tick of a clock that was far ahead says nothing.
  const last = stored !== undefined && stored.at < now + doubledWithinMs ? stored : undefined
  const isDoubled = last !== undefined && now - last.at < doubledWithinMs
  const hasMessage = ({ nextDueAt }: DueEntry) => nextDueAt < (last?.sentUntil ?? 0)
  const waiting = entries.filter((entry) => isClaimed(entry, now)).length
  const due = entries.filter((entry) => entry.nextDueAt < now + tickMs && !isClaimed(entry, now))
  const begun = isDoubled ? last.begun : begunSince(last, entries, now, { waiting, unsure: due.filter(hasMessage).length })
  const room = Math.max(0, Math.max(places, 2 * begun) - waiting)
  const chosen = inTurns(due).slice(0, room)
  const isAll = chosen.length === due.length
  const [sends, claims] = isAll ? [chosen.filter((entry) => !hasMessage(entry)), chosen.filter(hasMessage)] : [[], chosen]
  return {
    sends,
    claims,
    tick: {
      at: isDoubled ? last.at : now,
      waiting: isDoubled ? last.waiting + chosen.filter((entry) => !hasMessage(entry)).length : waiting + chosen.length,
      begun,
      ...(isAll ? { sentUntil: now + tickMs } : {}),
    },
  }
}

/**
 * The runs that began since the last tick (count): its messages, less the claims that still wait (`waiting`) and those that ended by
 * themselves. `unsure`: connectors without a claim that are still due, or due again: a run may have begun and ended since, with a due time
 * before this tick. So many of them count as begun that the rate stays as it was.
 */
function begunSince(
  last: Tick | undefined,
  entries: readonly DueEntry[],
  now: Instant,
  { waiting, unsure }: { readonly waiting: number; readonly unsure: number },
): number {
  if (last === undefined) return 0
  const over = entries.filter((entry) => isClaimOver(entry, now) && entry.nextDueAt > last.at).length
  const most = Math.max(0, last.waiting - waiting - over)
  return Math.max(most - unsure, Math.min(most, last.begun))
}

/** One connector of each tenant, then another of each, and so on; the tenant that has waited longest begins. */
function inTurns(due: readonly DueEntry[]): readonly DueEntry[] {
  const oldestFirst = due.toSorted((a, b) => a.nextDueAt - b.nextDueAt || (a.connectorId < b.connectorId ? -1 : 1))
  const byTenant = [...Map.groupBy(oldestFirst, ({ connectorId }) => tenantGroup(connectorId)).values()]
  const turns = Math.max(0, ...byTenant.map(({ length }) => length))
  return Array.from({ length: turns }, (_, turn) => byTenant.flatMap((own) => own[turn] ?? [])).flat()
}

/** The tenant of `<tenant>.<name>`; an id without a tenant stands for itself. Messages of one tenant are one group of the queue. */
export function tenantGroup(connectorId: string): string {
  return connectorId.split('.', 1)[0] ?? connectorId
}

/** The memory of one comparison of the connectors table with the accepted connectors for the next. */
export interface Comparison {
  /** Set while one is under way. */
  readonly begunAt?: Instant
  /** When the last one was completed. */
  readonly completedAt?: Instant
  /**
   * Since then every connector that an earlier release accepted has claimed its keys, so nobody takes one of them who claims a key that
   * nobody has claimed.
   */
  readonly claimedAt?: Instant
}

/** The comparison is made at this minute of each hour. */
const comparisonMinute = 17
/** A comparison that did not end after this time is over (ms): the time-out of its function, and a little. */
const comparisonMaxMs = 5 * minute + 15 * second

/**
 * Whether a tick compares: at its minute of the hour, or when the last comparison is an hour old, failed, or was never made or left
 * connectors without claims, as after an upgrade. While one is under way no other begins, because it would keep a place of the account.
 * `tickAt`: the time of the tick.
 */
export function isComparisonDue(last: Comparison | undefined, tickAt: Instant, now: Instant): boolean {
  if (last?.begunAt !== undefined && now - last.begunAt < comparisonMaxMs) return false
  const isOpen = last?.claimedAt === undefined || last.completedAt === undefined || now - last.completedAt >= hour
  return isOpen || new Date(tickAt).getUTCMinutes() === comparisonMinute
}
