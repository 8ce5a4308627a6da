import { keyOldMs, retentionPageMs, retentionWarnMs } from '../../functions/domain/status/thresholds.ts'
import { day, hour } from '../../functions/domain/time.ts'

/** Thresholds of alarms that the dashboard draws as lines. */

export const retentionWarnHours = retentionWarnMs / hour

export const retentionPageHours = retentionPageMs / hour

export const keyAgeMaxDays = keyOldMs / day

/** So many connectors do not fail at the same time by chance: they have one cause. */
export const failingShareMaxPercent = 10

/** A run begins within a minute of its due time. After five, `collect` has too few places, or does not run. */
export const dueAgeMaxSeconds = 300

/** So far off, a clock is not only badly set. */
export const vendorClockErrorMaxMinutes = 15

/** Firehose writes about once a minute, so after 15 minutes it cannot write. */
export const deliveryAgeMaxSeconds = 900

/** Leaves room for a burst, and time to ask AWS for a higher quota before Firehose refuses records. */
export const quotaUsedMaxPercent = 80
