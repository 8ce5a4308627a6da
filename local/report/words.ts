import { type Instant, iso } from '../../functions/domain/time.ts'

/** `20:35:26 UTC`, or `2026-11-24 20:35:26 UTC` if that is not the day of `now`. */
export function timeAt(at: Instant, now?: Instant): string {
  const [day = '', clock = ''] = iso(at).slice(0, 19).split('T')
  return `${now !== undefined && iso(now).startsWith(day) ? '' : `${day} `}${clock} UTC`
}

/** An ISO 8601 time that stands in a sentence as a word of its own, so not one in an address. */
const isoTime = /(?<=^|\s)\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z(?=$|[\s.,;:])/g

/** The text with its times as people read them everywhere else on the screen. */
export function withTimes(text: string, now?: Instant): string {
  return text.replaceAll(isoTime, (time) => timeAt(Date.parse(time), now))
}

/** The text of a failure once the program has ended: nothing is tried again before the next start. */
export function endWords(text: string): string {
  return text.replaceAll(/\bTributary (tries|reads)\b/g, 'The next start $1')
}
