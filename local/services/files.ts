import { mkdir, rename, rm, stat, writeFile } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { StartupError } from './startup-error.ts'

/** Makes a folder, and those above it, that only its owner can use. Throws `StartupError` when it cannot be made. */
export async function makeFolder(path: string): Promise<void> {
  try {
    await makeOne(resolve(path))
  } catch (thrown) {
    throw cannotWrite(path, thrown)
  }
}

/** Node's own `recursive` never ends in a folder such as /proc, where making any folder fails with ENOENT. */
async function makeOne(path: string): Promise<void> {
  try {
    await mkdir(path, { mode: 0o700 })
  } catch (thrown) {
    const code = errorCode(thrown)
    if (code === 'EEXIST' && (await stat(path)).isDirectory()) return
    if (code !== 'ENOENT' || (await isThere(dirname(path)))) throw thrown
    await makeOne(dirname(path))
    await mkdir(path, { mode: 0o700 })
  }
}

async function isThere(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  )
}

/** Writes a file that only its owner can read. A reader gets the old content or the new one, never a part. */
export async function writeAtomically(path: string, content: string | Uint8Array): Promise<void> {
  const draft = `${path}.${process.pid}.tmp`
  try {
    await writeFile(draft, content, { mode: 0o600 })
    await rename(draft, path)
  } catch (thrown) {
    await rm(draft, { force: true }).catch(() => undefined)
    throw cannotWrite(path, thrown)
  }
}

/** The errors of the file system that a person can do something about. */
const causes: Readonly<Record<string, string>> = {
  EACCES: 'you have no permission',
  EPERM: 'you have no permission',
  EROFS: 'the file system is read-only',
  ENOSPC: 'the disk is full',
  EDQUOT: 'your quota of the disk is used up',
  EFBIG: 'the file is larger than the system allows',
  EIO: 'the disk has an error',
  ENOTDIR: 'a part of it is a file, not a folder',
  EEXIST: 'it is a file, not a folder',
  EISDIR: 'it is a folder, not a file',
  ENOENT: 'there can be no folder',
  ENAMETOOLONG: 'the name is too long',
  ERR_INVALID_ARG_VALUE: 'the name has a character that no name can have',
}

/** More of a path than this is not shown (characters). */
const shownMax = 200

export function shownPath(path: string): string {
  return path.length > shownMax ? `${path.slice(0, shownMax)}…` : path
}

export function cannotWrite(path: string, thrown: unknown): StartupError {
  const code = errorCode(thrown) ?? String(thrown)
  return new StartupError(
    `Cannot write to ${shownPath(path)}: ${causes[code] ?? code}. ${advice[code] ?? 'Name another folder with --data.'}`,
  )
}

const advice: Readonly<Record<string, string>> = {
  ENOSPC: 'Make room, or name another folder with --data.',
  EDQUOT: 'Make room, or name another folder with --data.',
}

/** Whether the file system refused a write; a request that is cut off, for example, is no such failure. */
export function isFileError(thrown: unknown): boolean {
  return (errorCode(thrown) ?? '') in causes
}

/** The path that an error of the file system names. */
export function pathOf(thrown: unknown): string | undefined {
  return thrown instanceof Error && 'path' in thrown && typeof thrown.path === 'string' ? thrown.path : undefined
}

export function errorCode(thrown: unknown): string | undefined {
  return thrown instanceof Error && 'code' in thrown && typeof thrown.code === 'string' ? thrown.code : undefined
}
