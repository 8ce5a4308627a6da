import { closeSync, fstatSync, openSync, readdirSync, readFileSync, readSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import type { Instant } from '../../functions/domain/time.ts'

/** Follows the lines that a program writes into a folder. */
export class Output {
  /** When each event was there for the first time. */
  readonly firstSeen = new Map<string, Instant>()
  /** Lines with an event that was there already. */
  twice = 0
  /** Whole lines, also those that are no event. Files `.gz` count as they are before compression. */
  bytes = 0
  readonly #folder: string
  readonly #eventId: RegExp
  readonly #readTo = new Map<string, number>()

  constructor(folder: string, eventId: RegExp) {
    this.#folder = folder
    this.#eventId = eventId
  }

  /** Reads what is new. A line without an end is left for the next time. */
  look(now: Instant): void {
    for (const file of filesIn(this.#folder)) {
      const from = this.#readTo.get(file) ?? 0
      // A file .gz is renamed into the lake, so it is whole.
      if (file.endsWith('.gz') && from > 0) continue
      const fresh = file.endsWith('.gz') ? gunzipSync(readFileSync(file)) : readFrom(file, from)
      const whole = fresh.subarray(0, fresh.lastIndexOf('\n') + 1)
      this.#readTo.set(file, from + whole.length)
      this.bytes += whole.length
      for (const line of whole.toString('utf8').split('\n')) this.#count(line, now)
    }
  }

  #count(line: string, now: Instant): void {
    const id = this.#eventId.exec(line)?.[1]
    if (id === undefined) return
    if (this.firstSeen.has(id)) this.twice += 1
    else this.firstSeen.set(id, now)
  }
}

function filesIn(folder: string): string[] {
  try {
    const entries = readdirSync(folder, { recursive: true, withFileTypes: true })
    return entries
      .filter((entry) => entry.isFile() && /\.(jsonl|gz)$/.test(entry.name))
      .map(({ parentPath, name }) => join(parentPath, name))
  } catch {
    // The program has not made it yet.
    return []
  }
}

function readFrom(file: string, from: number): Buffer {
  const open = openSync(file, 'r')
  try {
    const bytes = Buffer.alloc(Math.max(0, fstatSync(open).size - from))
    return bytes.subarray(0, readSync(open, bytes, 0, bytes.length, from))
  } finally {
    closeSync(open)
  }
}
