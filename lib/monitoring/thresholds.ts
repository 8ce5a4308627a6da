/** Bounds at which an alarm goes on, and at which the dashboard draws a line. */

/** Two days to act: time enough for a person who reads mail on working days. */
export const horizonWarnHours = 48

/** One day to act: less than a weekend, so somebody must come now. */
export const horizonPageHours = 24

/** A key that the vendor limits to a year ends 30 days later. */
export const keyAgeMaxDays = 335

/** Firehose writes about once a minute: after 15 minutes the bucket, its key or the role must have been changed. */
export const deliveryAgeMaxSeconds = 900

/** Room for a burst, and time to ask AWS for a higher quota, before Firehose refuses records. */
export const quotaUsedMaxPercent = 80
