import { day, hour } from '../time.ts'

/** The earlier threshold of the time to the retention limit warns (ms): two days to act, so a mail read on the next day is in time. */
export const retentionWarnMs = 48 * hour

/** The second one pages (ms): one day to act, so somebody must act at once. */
export const retentionPageMs = 24 * hour

/** A key that the vendor limits to a year ends 30 days after this age (ms). */
export const keyOldMs = 335 * day
