import { day, hour, type Instant, minute, second } from '../functions/domain/time.ts'
import { Mistake } from './outcome.ts'

const unitMs: Readonly<Record<string, number>> = { s: second, m: minute, h: hour, d: day }

/** An instant as people write it: `2026-11-24T20:35Z`, `2026-11-24 20:35` (UTC), `2026-11-24`, `6h` for six hours ago, or `now`. */
export function instantOf(option: string, text: string, now: Instant): Instant {
  if (text === 'now') return now
  const [, count, unit = ''] = /^(\d+)([smhd])$/.exec(text) ?? []
  if (count !== undefined) return now - Number(count) * (unitMs[unit] ?? 0)
  const [, date, time = '00:00', zone = 'Z'] =
    /^(\d{4}-\d{2}-\d{2})(?:[T ](\d{2}:\d{2}(?::\d{2}(?:\.\d{1,3})?)?)(Z|[+-]\d{2}:\d{2})?)?$/.exec(text) ?? []
  const at = date === undefined ? Number.NaN : Date.parse(`${date}T${time}${zone}`)
  if (Number.isNaN(at)) {
    throw new Mistake(`${option} ${text}: this is no time. Give 2026-11-24T20:35Z, 2026-11-24 20:35 (UTC), 6h for six hours ago, or now.`)
  }
  return at
}
