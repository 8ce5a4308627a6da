import { mkdir, rename, writeFile } from 'node:fs/promises'
import { StartupError } from './startup-error.ts'

/** Makes a folder that only its owner can use. Throws `StartupError` when it cannot be made. */
export async function makeFolder(path: string): Promise<void> {
  try {
    await mkdir(path, { recursive: true, mode: 0o700 })
  } catch (thrown) {
    throw cannotWrite(path, thrown)
  }
}

/** Writes a file that only its owner can read. A reader gets the old content or the new one, never a part. */
export async function writeAtomically(path: string, content: string | Uint8Array): Promise<void> {
  const draft = `${path}.${process.pid}.tmp`
  try {
    await writeFile(draft, content, { mode: 0o600 })
    await rename(draft, path)
  } catch (thrown) {
    throw cannotWrite(path, thrown)
  }
}

export function cannotWrite(path: string, thrown: unknown): StartupError {
  const code = errorCode(thrown) ?? String(thrown)
  const causes: Record<string, string> = {
    EACCES: 'you have no permission',
    EPERM: 'you have no permission',
    EROFS: 'the file system is read-only',
    ENOSPC: 'the disk is full',
    ENOTDIR: 'a part of it is a file, not a folder',
    EEXIST: 'it is a file, not a folder',
  }
  return new StartupError(`Cannot write to ${path}: ${causes[code] ?? code}. Name another folder with --data.`)
}

export function errorCode(thrown: unknown): string | undefined {
  return thrown instanceof Error && 'code' in thrown && typeof thrown.code === 'string' ? thrown.code : undefined
}
