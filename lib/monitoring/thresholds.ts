/** Thresholds of alarms that the dashboard draws as lines. */

/** Two days to act, so a mail that is read on the next day is in time. */
export const retentionWarnHours = 48

/** One day to act, so somebody must act at once. */
export const retentionPageHours = 24

/** A key that the vendor limits to a year ends 30 days later. */
export const keyAgeMaxDays = 335

/** So far off, a clock is not only badly set. */
export const vendorClockErrorMaxMinutes = 15

/** Firehose writes about once a minute, so after 15 minutes it cannot write. */
export const deliveryAgeMaxSeconds = 900

/** Leaves room for a burst, and time to ask AWS for a higher quota before Firehose refuses records. */
export const quotaUsedMaxPercent = 80
