/** Items that the vendor showed again, and how many of them had changed. */
export interface Changes {
  /** Items whose id an earlier page had (count). */
  readonly again: number
  /** Those with other content (count). */
  readonly changed: number
  /** Fields that differed, where an earlier item could be compared. */
  readonly fields: readonly string[]
  /** Names the fields that were left out of the identity; absent if none were. */
  readonly rule?: string
}

/** Fewer items say nothing about a vendor (count). */
const againMin = 20
/** With more items than this the older half of the evidence is forgotten (count), so that a mended vendor is believed. */
const againMax = 2_000
const changedShareMax = 0.05
const fieldsMax = 10

/** Evidence under another rule says nothing: it may name fields that are left out by now. */
export function addChanges(earlier: Changes | undefined, more: Changes): Changes | undefined {
  const before = earlier?.rule === more.rule ? earlier : undefined
  if (more.again === 0) return before
  const { again = 0, changed = 0, fields = [] } = before ?? {}
  const kept = again > againMax ? 0.5 : 1
  return {
    ...more,
    again: Math.round(again * kept) + more.again,
    changed: Math.round(changed * kept) + more.changed,
    fields: [...new Set([...more.fields, ...fields])].slice(0, fieldsMax),
  }
}

/** Whether so many items change that a field is likely to differ with each request, which makes a new record each time. */
export function changesTooMuch({ again, changed }: Changes): boolean {
  return again >= againMin && changed > again * changedShareMax
}
