import type { GzippedLines } from './tenant-lines.ts'

/** One version of an object of the lake. */
export interface LakeObject {
  /** `syslog/dt=2026-11-27/hour=09/….json.gz` */
  readonly name: string
  readonly bytes: number
  /** Another version has replaced it, or it was deleted. */
  readonly isFormer: boolean
  read(): Promise<GzippedLines>
  /** Puts this content in its place, so that the former content is gone. Rejects if somebody changed the object meanwhile. */
  replace(content: Buffer): Promise<void>
  remove(): Promise<void>
}

/** The objects of all records, page by page. */
export interface Lake {
  objects(): AsyncIterable<LakeObject>
}
