import { createReadStream } from 'node:fs'
import { readdir, rm, stat } from 'node:fs/promises'
import { join, relative } from 'node:path'
import { writeAtomically } from '../local/services/files.ts'
import { lakeDir } from '../local/services/firehose/lake-objects.ts'
import type { Lake } from './lake.ts'

/** The lake of a data folder. A file has no former versions. */
export function lakeFolder(dataDir: string): Lake {
  return {
    async *objects() {
      const root = lakeDir(dataDir)
      const entries = await readdir(root, { recursive: true, withFileTypes: true }).catch(() => [])
      for (const entry of entries) {
        if (!entry.isFile() || !entry.name.endsWith('.json.gz')) continue
        const path = join(entry.parentPath, entry.name)
        yield {
          name: relative(root, path),
          bytes: (await stat(path)).size,
          isFormer: false,
          read: async () => createReadStream(path),
          replace: (content) => writeAtomically(path, content),
          remove: () => rm(path),
        }
      }
    },
  }
}
