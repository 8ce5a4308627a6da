import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { ClassicLevel } from 'classic-level'
import { cannotWrite } from '../files.ts'
import { StartupError } from '../startup-error.ts'

/** The process of a killed owner lets go of the folder within this time (tries of 50 ms). */
const triesMax = 200

/**
 * Reads the whole folder of a LevelDB. Throws `StartupError` when it is damaged: LevelDB itself opens such a folder and drops what it
 * cannot read, so streams would begin anew and miss events without a word. A write that a kill cut short is no damage.
 */
export async function checkLevel(path: string): Promise<void> {
  const names = await readdir(path)
  if (!names.includes('CURRENT') && names.some((name) => name.endsWith('.ldb'))) throw damaged(path, 'its file CURRENT is missing')
  await checkLog(path)
  const db = new ClassicLevel(path)
  try {
    await openWhenFree(db)
    for await (const _ of db.keys({ fillCache: false }));
    await db.close()
  } catch (thrown) {
    throw levelProblem(path, thrown)
  }
  await checkLog(path)
}

/** LevelDB logs there what it drops when it opens a folder. No later start writes over it, because none opens a folder with such a log. */
async function checkLog(path: string): Promise<void> {
  const log = await readFile(join(path, 'LOG'), 'utf8').catch(() => '')
  const dropped = /^.*\bCorruption: (.*)$/m.exec(log)?.[1]
  if (dropped !== undefined) throw damaged(path, dropped)
}

async function openWhenFree(db: ClassicLevel): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await db.open()
    } catch (thrown) {
      if (attempt >= triesMax || !causeOf(thrown).includes('already held by process')) throw thrown
      await wait(50)
    }
  }
}

/** Says in a sentence why LevelDB failed. */
export function levelProblem(path: string, thrown: unknown): StartupError {
  const cause = causeOf(thrown)
  const [, code] = writeErrors.find(([text]) => cause.includes(text)) ?? []
  return code === undefined ? damaged(path, cause) : cannotWrite(path, Object.assign(new Error(cause), { code }))
}

/** LevelDB gives the system's error as a text. */
const writeErrors = [
  ['No space left', 'ENOSPC'],
  ['Disk quota exceeded', 'EDQUOT'],
  ['File too large', 'EFBIG'],
  ['Permission denied', 'EACCES'],
  ['Read-only file system', 'EROFS'],
  ['Input/output error', 'EIO'],
] as const

function causeOf(thrown: unknown): string {
  if (!(thrown instanceof Error)) return String(thrown)
  return thrown.cause instanceof Error ? thrown.cause.message : thrown.message
}

function damaged(path: string, why: string): StartupError {
  return new StartupError(
    `The state in ${path} is damaged: ${why}. Restore this folder from a backup, or move it away: then each connector begins anew, initialBackfillMinutes before the start.`,
  )
}
