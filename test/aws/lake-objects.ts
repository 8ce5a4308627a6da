import { readdirSync, readFileSync } from 'node:fs'
import { join, sep } from 'node:path'
import { gunzipSync } from 'node:zlib'

export interface LakeObject {
  /** The key in S3: `syslog/dt=2026-01-01/hour=00/…`. */
  readonly key: string
  readonly records: readonly Readonly<Record<string, unknown>>[]
}

/** Reads every object below `folder`. Each must be gzip, and NDJSON whose last line ends with a line break. */
export function readLake(folder: string): readonly LakeObject[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => {
      const path = join(parentPath, name)
      const text = gunzipSync(readFileSync(path)).toString('utf8')
      if (!text.endsWith('\n')) throw new Error(`${path} breaks off`)
      const records = text.slice(0, -1).split('\n')
      return { key: path.slice(folder.length + 1).replaceAll(sep, '/'), records: records.map((line) => JSON.parse(line)) }
    })
}
