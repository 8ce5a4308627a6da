/** dynalite has no types of its own. This is the part that is used here. */
declare module 'dynalite' {
  import type { Server } from 'node:http'

  interface DynaliteOptions {
    /** A folder; without one the data is in memory. Two servers on one folder crash. */
    readonly path?: string
    /** How long a table stays in the states CREATING, DELETING and UPDATING (ms); 500 without these. */
    readonly createTableMs?: number
    readonly deleteTableMs?: number
    readonly updateTableMs?: number
  }

  /** Makes a DynamoDB endpoint that does not listen yet. */
  export default function dynalite(options?: DynaliteOptions): Server
}
