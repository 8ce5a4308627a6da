import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import * as z from 'zod'
import { errorCode, writeAtomically } from './files.ts'
import { StartupError } from './startup-error.ts'

const keptSchema = z.record(z.string(), z.object({ text: z.string(), changedAt: z.number() }))

interface KeptSecret {
  readonly text: string
  /** When it was stored (epoch ms). */
  readonly changedAt: number
}

/** The secrets that were stored while the services ran. They lie in `DATA/keys.json`, which only its owner can read. */
export interface KeptSecrets {
  get(name: string): KeptSecret | undefined
  /** The names, sorted. */
  names(): readonly string[]
  /** Resolves when it is on the disk. */
  set(name: string, text: string): Promise<void>
}

/** `onSet` gets each name that is stored. Throws `StartupError`, without a word of the file, when it is not what this program wrote. */
export async function keptSecrets(dataDir: string, now: () => number, onSet: (name: string) => void = () => {}): Promise<KeptSecrets> {
  const path = join(dataDir, 'keys.json')
  const kept = await readKept(path)
  return {
    get: (name) => kept.get(name),
    names: () => [...kept.keys()].sort(),
    async set(name, text) {
      kept.set(name, { text, changedAt: now() })
      await writeAtomically(path, JSON.stringify(Object.fromEntries(kept)))
      onSet(name)
    },
  }
}

async function readKept(path: string): Promise<Map<string, KeptSecret>> {
  try {
    return new Map(Object.entries(keptSchema.parse(JSON.parse(await readFile(path, 'utf8')))))
  } catch (thrown) {
    if (errorCode(thrown) === 'ENOENT') return new Map()
    throw new StartupError(`${path} is damaged. Delete this file, and store the keys in it anew with "npx --no tributary key set NAME".`)
  }
}
