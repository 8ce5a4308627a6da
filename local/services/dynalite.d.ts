/** The part of dynalite that is used here: it has no types of its own. */
declare module 'dynalite' {
  import type { Server } from 'node:http'

  interface DynaliteOptions {
    /** A folder; in memory without one. Two servers on one folder crash. */
    readonly path?: string
    /** How long a table stays in its state of being created, deleted or updated (ms); 500 without them. */
    readonly createTableMs?: number
    readonly deleteTableMs?: number
    readonly updateTableMs?: number
  }

  /** A DynamoDB endpoint, not yet listening. */
  export default function dynalite(options?: DynaliteOptions): Server
}
