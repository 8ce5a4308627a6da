import type { Interval, LostRange, StreamState } from '../stream/stream.ts'
import { cutText } from '../text.ts'
import { type Instant, minuteText } from '../time.ts'

/** Events that are lost for good, and who knows of them. */

/** Somebody knows of the lost ranges. */
export interface Acknowledgement {
  readonly at: Instant
  readonly note: string
  /** Lost ranges by then (count). */
  readonly lostRanges: number
  /** The name that the person gave. */
  readonly says?: string
}

/** The part of a status that is about lost events. */
interface Loss {
  readonly lostRanges?: number
  readonly lastLost?: Interval
  readonly acknowledged?: Acknowledgement
}

/** A note and a name are cut to this in a sentence (characters); the history has them whole. */
const noteShown = 64

/** The latest of the lost ranges that are kept one by one. */
export function lastLostOf(streams: Iterable<StreamState>): Interval | undefined {
  const [last] = [...streams].flatMap(({ lostRanges }): readonly LostRange[] => lostRanges).sort((a, b) => b.to - a.to || a.from - b.from)
  return last === undefined ? undefined : { from: last.from, to: last.to }
}

/** Whether events are lost of which nobody has said that they know. */
export function isLossNew({ lostRanges = 0, acknowledged }: Loss): boolean {
  return lostRanges > Math.max(0, acknowledged?.lostRanges ?? 0)
}

/** A sentence about lost events: when, and who knows of them. Nothing if none are lost. */
export function lossText(loss: Loss): string | undefined {
  const { lostRanges = 0, lastLost, acknowledged } = loss
  if (lostRanges <= 0) return undefined
  const count = lostRanges === 1 ? '1 time range' : `${lostRanges.toLocaleString('en-US')} time ranges`
  const when = lastLost === undefined ? '' : `${minuteText(lastLost.from)} to ${minuteText(lastLost.to)} UTC`
  const range = when === '' ? '' : lostRanges === 1 ? `, ${when},` : `, the last one ${when},`
  const lost = `Events of ${count}${range} were lost for good`
  if (acknowledged === undefined || isLossNew(loss)) {
    return `${lost}; its coverage says when. Acknowledge the loss when it is dealt with.`
  }
  const { at, note, says = '' } = acknowledged
  const by = says === '' ? '' : ` by ${cutText(says, noteShown)}`
  return `${lost}, acknowledged${by} at ${minuteText(at)} UTC${note === '' ? '.' : `: ${cutText(note, noteShown)}`}`
}
