import { chmod, readdir, stat } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { cannotWrite, errorCode, makeFolder } from './files.ts'
import { StartupError } from './startup-error.ts'

/** Returns the whole path of the folder that --data names. Throws `StartupError` for the empty text, which would be the current folder. */
export function dataFolder(given: string): string {
  if (given === '') throw new StartupError('--data is empty. Name a folder, or leave --data out for .tributary.')
  return resolve(given)
}

/** The folder without --data. */
export const dataDefault = '.tributary'

/** Returns the option with which another command finds this folder; empty for the usual one. */
export function dataOption(given: string): string {
  if (resolve(given) === resolve(dataDefault)) return ''
  return ` --data ${/^[\w./-]+$/.test(given) ? given : `'${given.replaceAll("'", "'\\''")}'`}`
}

/** Everything that a data folder holds. */
const ownNames = new Set([
  'demonstration',
  'firehose',
  'keys.json',
  'lake',
  'notifications.ndjson',
  'owner.lock',
  'page.html',
  'services.json',
  'simulator-account.ndjson',
  'simulator-port',
  'state',
])
/** Files that stand beside another one: a draft of it, or SQLite's journal of the lock. */
const companion = /^(?:[a-z.-]+\.\d+\.tmp|owner\.lock-(?:journal|wal|shm))$/

/**
 * Makes the data folder, and makes everything in it private: the folders have the mode 0700, the files 0600, and so does what this process
 * makes from now on. Throws `StartupError` when the folder belongs to somebody else, or is open to others and holds files of other programs,
 * whose modes are left alone.
 */
export async function openDataFolder(path: string): Promise<void> {
  process.umask(0o077)
  await makeFolder(path)
  // Modes mean nothing there.
  if (process.platform === 'win32') return
  try {
    const { mode, uid } = await stat(path)
    if (process.getuid !== undefined && uid !== process.getuid()) {
      throw new StartupError(`${path} belongs to another user (uid ${uid}). Name a folder of your own with --data.`)
    }
    const names = await readdir(path)
    const other = names.find((name) => !ownNames.has(name) && !companion.test(name))
    if ((mode & 0o077) !== 0) {
      if (other !== undefined) {
        throw new StartupError(
          `${path} can be read by other users (mode ${(mode & 0o777).toString(8)}) and holds more than the data of Tributary (${other}). Name a folder of its own with --data.`,
        )
      }
      await chmod(path, 0o700)
    }
    for (const name of names) if (ownNames.has(name) || companion.test(name)) await makePrivate(join(path, name), name === 'lake')
  } catch (thrown) {
    throw thrown instanceof StartupError ? thrown : cannotWrite(path, thrown)
  }
}

/** The lake may have many files. Once it is private, so is all that was written into it since. */
async function makePrivate(path: string, isDoneWhenPrivate = false): Promise<void> {
  try {
    const status = await stat(path)
    const isPrivate = (status.mode & 0o077) === 0
    if (status.isDirectory() && !(isPrivate && isDoneWhenPrivate)) {
      for (const name of await readdir(path)) await makePrivate(join(path, name))
    }
    if (!isPrivate) await chmod(path, status.mode & 0o700)
  } catch (thrown) {
    // A process that just ends may delete a file of its own.
    if (errorCode(thrown) !== 'ENOENT') throw thrown
  }
}
