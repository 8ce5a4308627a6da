import { durationText, type Instant, iso } from '../../functions/domain/time.ts'
import type { Missing } from './missing.ts'
import { endWords } from './words.ts'

/** The things that --once still waits for, and those that it has given up. */
export interface Judged {
  readonly waiting: readonly (Missing & { readonly until: Instant })[]
  readonly givenUp: readonly Missing[]
}

/**
 * How long --once waits. A connector with failures that may pass is waited for until one of them has lasted for the patience, or the next
 * try comes too late. What does not fail but is only not done yet is waited for as long as anything goes on.
 */
export class Patience {
  private readonly patienceMs: number
  private progress = ''
  private progressAt: Instant

  constructor(patienceMs: number, start: Instant) {
    this.patienceMs = patienceMs
    this.progressAt = start
  }

  judge(missing: readonly Missing[], now: Instant): Judged {
    const progress = missing.flatMap(({ failing, reason }) => (failing === undefined ? [reason] : [])).join('\n')
    if (progress !== this.progress) this.progressAt = now
    this.progress = progress
    const failingSince = new Map<string, Instant>()
    for (const { connectorId, failing } of missing) {
      if (failing !== undefined) failingSince.set(connectorId, Math.min(failing.since, failingSince.get(connectorId) ?? failing.since))
    }
    const judged = missing.map((each) => {
      const since = each.failing === undefined ? undefined : failingSince.get(each.connectorId)
      const until = (since ?? this.progressAt) + this.patienceMs
      const isOver = now >= until || (each.failing?.nextTryAt ?? 0) >= until
      return { ...each, until, isOver: each.isPermanent || isOver }
    })
    return {
      waiting: judged.filter(({ isOver }) => !isOver),
      givenUp: judged.filter(({ isOver }) => isOver).map(({ until: _, isOver: __, ...each }) => this.withEnd(each, now)),
    }
  }

  private withEnd(each: Missing, now: Instant): Missing {
    if (each.isPermanent) return { ...each, reason: endWords(each.reason) }
    const patience = `--patience (${durationText(this.patienceMs)})`
    const isLate = each.failing !== undefined && each.failing.nextTryAt > now
    const why = isLate
      ? `The next try, at ${clockText(each.failing.nextTryAt)} UTC, would come after ${patience}.`
      : `It did not pass within ${patience}.`
    return { ...each, reason: `${endWords(each.reason)} ${why} Start again to go on where this start ended.` }
  }
}

/** Everything that is missing when a person ends --once before it is done. */
export function endedBefore({ waiting, givenUp }: Judged): readonly Missing[] {
  const ended = waiting.map((each) => ({ ...each, reason: `${endWords(each.reason)} This start ended before; start again to go on.` }))
  return [...givenUp, ...ended]
}

/** The last sentence of --once when something is missing. */
export function onceEndText(givenUp: readonly Missing[], patienceMs: number): string {
  const late = `did not come within --patience (${durationText(patienceMs)})`
  const isHopeless = givenUp.some(({ isPermanent }) => isPermanent)
  const isLate = givenUp.some(({ isPermanent }) => !isPermanent)
  const hopeless = isLate ? `: a part ${late}, and for the rest waiting longer does not help` : ', and waiting longer does not help'
  const why = isHopeless ? hopeless : `: the rest ${late}`
  return `Not everything could be collected${why}. Each line below that begins with "Missing:" says what is missing, why, and what to do.`
}

/** Sentences about the failures that are waited for, one a connector. `key` changes when there is something new to tell. */
export function waitTexts({ waiting }: Judged): readonly { readonly key: string; readonly text: string }[] {
  const seen = new Map<string, { key: string; text: string }>()
  for (const { connectorId, failing, until } of waiting) {
    if (failing === undefined || seen.has(connectorId)) continue
    seen.set(connectorId, {
      key: `${connectorId} ${failing.detail}`,
      text: `Waiting for ${connectorId} until ${clockText(until)} UTC at most; next try at ${clockText(failing.nextTryAt)}. ${failing.detail}`,
    })
  }
  return [...seen.values()]
}

/** `20:35:26`, UTC. */
function clockText(at: Instant): string {
  return iso(at).slice(11, 19)
}
