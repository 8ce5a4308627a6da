import type { Instant } from '../../functions/domain/time.ts'

/** The vendor, and what is to be collected from it. */
export interface Job {
  readonly url: string
  readonly key: string
  /** `sharepoint/dlp` */
  readonly streams: readonly string[]
  readonly since: Instant
  /** 0 means no limit. */
  readonly requestsPerMinute: number
}

export interface Command {
  readonly command: string
  readonly args: readonly string[]
  readonly env?: Readonly<Record<string, string>>
}

/** A program that collects, in a folder of its own. */
export interface Contender {
  readonly name: string
  /** Finds the vendor's id of the event in a line of the output; nothing in a line that is no event. */
  readonly eventId: RegExp
  /** Writes its configuration into the folder. */
  prepare(folder: string, job: Job): void
  /** Collects everything that there is, and ends. */
  collect(folder: string, job: Job): Command
  /** Collects until it is stopped. Absent: `collect` is started again and again, as a scheduler does. */
  stay?(folder: string, job: Job): Command
  /** Its output is in this folder, as lines, also in files `.gz`. */
  outputOf(folder: string): string
  /** A program that writes messages to stdout: its output goes to a file for each run, and this keeps the state in the file for the next run. */
  keepState?(folder: string, outputFile: string): void
}

/** How a peer is installed and described. */
export interface Peer {
  readonly name: string
  readonly version: string
  /** How it tries again, and how it stays below the limit. */
  readonly retries: string
  readonly limiter: string
  readonly cursor: string
  /** A line of its output. */
  readonly writes: string
  /** The files of `peers/NAME` that pin the versions. */
  readonly pins: readonly string[]
  /** Installs it into the folder. Throws an error with a sentence when it cannot be had. */
  install(source: string, folder: string): void
  contender(source: string, folder: string): Contender
}
