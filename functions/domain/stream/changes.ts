/** Items that the vendor showed again, and how many of them had changed. */
export interface Changes {
  /** Items whose id an earlier page had (count). */
  readonly again: number
  /** Those with other content (count). */
  readonly changed: number
  /** Fields that differed, where an earlier item could be compared. */
  readonly fields: readonly string[]
}

/** Fewer items say nothing about a vendor (count). */
const againMin = 20
/** With more items than this the older half of the evidence is forgotten (count), so that a mended vendor is believed. */
const againMax = 2_000
const changedShareMax = 0.05
const fieldsMax = 10

export function addChanges(before: Changes | undefined, more: Changes): Changes | undefined {
  if (more.again === 0) return before
  const { again = 0, changed = 0, fields = [] } = before ?? {}
  const kept = again > againMax ? 0.5 : 1
  return {
    again: Math.round(again * kept) + more.again,
    changed: Math.round(changed * kept) + more.changed,
    fields: [...new Set([...more.fields, ...fields])].slice(0, fieldsMax),
  }
}

/** Whether so many items change that a field is likely to differ with each request, which makes a new record each time. */
export function changesTooMuch({ again, changed }: Changes): boolean {
  return again >= againMin && changed > again * changedShareMax
}
