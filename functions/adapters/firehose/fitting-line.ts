import { gzipSync } from 'node:zlib'
import type { RecordDetail } from '../../domain/ports.ts'
import { recordFields } from '../../domain/record/fields.ts'
import { type LakeRecord, ownFields, serialise } from '../../domain/record/record.ts'
import { wholeCharacters } from '../../domain/text.ts'

/** The largest record (bytes). Firehose allows 1,000 KiB; this leaves room for what it may count beside the data. */
export const recordBytesMax = 900 * 1024

/** How much of each text and list is kept, and of `raw` (characters, items, characters). */
interface Limits {
  readonly text: number
  readonly items: number
  readonly raw: number
}

/** One after the other until the record fits. The last ones fit by themselves: some 30 required fields with texts of 600 bytes. */
const cuts: readonly Limits[] = [
  { text: 1_000, items: 50, raw: 140_000 },
  { text: 100, items: 10, raw: 10_000 },
]
/** For a record that was refused whole. */
const cutLimits: Limits = { text: 100, items: 10, raw: 1_000 }
const bareLimits: Limits = { text: 100, items: 10, raw: 100 }

/**
 * A record as one line of at most 900 KiB, without its newline. A record that does not fit is made smaller, never left out:
 * 1. `raw` is compressed (`raw_encoding` `gzip+base64`).
 * 2. Texts and lists outside `raw` are cut, and end with `…`; compressed, `raw` still has all of them.
 * 3. `raw` keeps only its beginning (`raw_encoding` `truncated`), then all texts less of theirs.
 * 4. Only the required fields are left.
 */
export function fittingLine(given: LakeRecord, detail: RecordDetail): string {
  const record = present(given)
  const bare = () => serialise(truncated(required(record), bareLimits))
  if (detail === 'bare') return bare()
  for (const changed of detail === 'cut' ? [() => truncated(record, cutLimits)] : smallerAndSmaller(record)) {
    const line = serialise(changed())
    if (fits(line)) return line
  }
  return bare()
}

/** A record that fits as it is, without its newline; undefined if it does not. */
export function wholeLine(record: LakeRecord): string | undefined {
  const line = serialise(record)
  return fits(line) ? line : undefined
}

/** Without its undefined fields, so that a field that is added comes last. */
function present(record: LakeRecord): LakeRecord {
  return Object.fromEntries(Object.entries(record).filter(([, value]) => value !== undefined)) as LakeRecord
}

function smallerAndSmaller(record: LakeRecord): readonly (() => LakeRecord)[] {
  const compressed = () => ({ raw: gzipSync(record.raw).toString('base64'), raw_encoding: 'gzip+base64' })
  return [
    () => record,
    () => ({ ...record, ...compressed() }),
    ...cuts.map((limits) => () => ({ ...cutFields(record, limits), ...compressed() })),
    ...cuts.map((limits) => () => truncated(record, limits)),
  ]
}

/** With its newline. A UTF-16 unit takes at most 3 bytes, so most lines fit without being measured. */
function fits(line: string): boolean {
  return line.length * 3 < recordBytesMax || Buffer.byteLength(line) < recordBytesMax
}

function truncated(record: LakeRecord, limits: Limits): LakeRecord {
  return { ...cutFields(record, limits), raw: `${wholeCharacters(record.raw, limits.raw)}…`, raw_encoding: 'truncated' }
}

/** Cuts what the vendor's item sent. What the connector sets is bounded, and names the tenant, so it stays whole. */
function cutFields(record: LakeRecord, limits: Limits): LakeRecord {
  const { hostname } = record.syslog
  const cutRecord = cut({ ...record, raw: '' }, limits) as LakeRecord
  const own = Object.fromEntries(ownFields.map((name) => [name, record[name]]))
  return { ...cutRecord, ...own, syslog: { ...cutRecord.syslog, hostname } }
}

function cut(value: unknown, limits: Limits): unknown {
  if (typeof value === 'string') return value.length > limits.text ? `${wholeCharacters(value, limits.text)}…` : value
  if (Array.isArray(value)) {
    const kept = value.slice(0, limits.items).map((each) => cut(each, limits))
    return value.length > limits.items ? [...kept, '…'] : kept
  }
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, cut(inner, limits)]))
}

function required(record: LakeRecord): LakeRecord {
  const kept = Object.entries(recordFields).filter(([, field]) => 'required' in field)
  return Object.fromEntries(kept.map(([name]) => [name, record[name]])) as LakeRecord
}
