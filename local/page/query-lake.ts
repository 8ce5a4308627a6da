import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import * as z from 'zod/mini'
import { failed, ok, type Result } from '../../functions/domain/result.ts'
import type { Row } from '../../functions/widget/views/events.ts'

const run = promisify(execFile)

/** A query that takes longer ends (ms): a page answers within 10 s. */
const queryMsMax = 9_000
/** A hundred records of the largest size fit (bytes). */
const outputBytesMax = 64 * 1024 * 1024

const rowsSchema = z.array(z.record(z.string(), z.unknown()))

/**
 * Queries the lake of the data folder as `npm run lake` does, in a process of its own: DuckDB takes its memory back with it. Fails with a
 * sentence for people.
 */
export async function queryLake(dataDir: string, sql: string): Promise<Result<readonly Row[], string>> {
  const script = new URL('../lake.ts', import.meta.url).pathname
  try {
    const { stdout } = await run(process.execPath, [script, '--data', dataDir, '--json', sql], {
      timeout: queryMsMax,
      maxBuffer: outputBytesMax,
    })
    return ok(rowsSchema.parse(JSON.parse(stdout)))
  } catch (error) {
    const { killed = false, stderr = '' } = z
      .catch(z.object({ killed: z.optional(z.boolean()), stderr: z.optional(z.string()) }), {})
      .parse(error)
    if (killed) return failed('The search took too long. Give a shorter time, or run the query with "npm run lake".')
    return failed(stderr.trim() === '' ? 'The lake cannot be searched.' : stderr.trim())
  }
}
