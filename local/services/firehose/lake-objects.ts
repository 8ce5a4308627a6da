import { randomUUID } from 'node:crypto'
import { createReadStream, createWriteStream } from 'node:fs'
import { mkdir, readdir, readFile, rename, rm, truncate } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { createGunzip, createGzip } from 'node:zlib'
import { cannotWrite } from '../files.ts'
import { StartupError } from '../startup-error.ts'
import { mayBeTorn, wholeMembersLength } from './gzip-members.ts'
import { type Layout, layoutOf } from './s3-destination.ts'

export function lakeDir(dataDir: string): string {
  return join(dataDir, 'lake')
}

/** Objects are here while records are added to them. */
export function openObjectsDir(dataDir: string): string {
  return join(dataDir, 'firehose')
}

/** Makes a name as Firehose does, without the extension: the stream, its version, the UTC time and a random part. */
export function objectName(at: number): string {
  return `syslog-1-${new Date(at).toISOString().slice(0, 19).replaceAll(/[T:]/g, '-')}-${randomUUID()}`
}

const arrival = /^syslog-1-(\d{4}-\d\d-\d\d)-(\d\d)-/

/** Lists the objects that are not in the lake yet. */
export async function openObjectNames(dataDir: string): Promise<string[]> {
  const names = await readdir(openObjectsDir(dataDir)).catch(() => [])
  return names.filter((name) => arrival.test(name)).sort()
}

/**
 * Moves the objects that a killed process left open into the lake. The batch that it was writing was not acknowledged and is cut off:
 * everything after the last whole gzip member, or after the last whole line if nothing is compressed. Throws `StartupError` when an
 * object is damaged or cannot be moved.
 */
export async function moveOpenObjects(dataDir: string, layout: Layout = layoutOf()): Promise<void> {
  for (const name of await openObjectNames(dataDir)) {
    const path = join(openObjectsDir(dataDir), name)
    try {
      await moveOpenObject(dataDir, layout, name, path)
    } catch (thrown) {
      throw thrown instanceof StartupError ? thrown : cannotWrite(path, thrown)
    }
  }
}

async function moveOpenObject(dataDir: string, layout: Layout, name: string, path: string): Promise<void> {
  const content = await readFile(path)
  const wholeLength = layout.gzip ? wholeMembersLength(content) : content.lastIndexOf('\n') + 1
  if (layout.gzip && !mayBeTorn(content.subarray(wholeLength))) {
    throw new StartupError(
      `${path} is damaged: from byte ${wholeLength} on it is not what was written. Move it away and start again. Events in it that were delivered are lost to the lake.`,
    )
  }
  if (wholeLength === 0) return rm(path)
  await truncate(path, wholeLength)
  await moveIntoLake(dataDir, layout, name)
}

export async function moveIntoLake(dataDir: string, layout: Layout, name: string): Promise<void> {
  const [, day, hour] = arrival.exec(name) ?? []
  const path = join(lakeDir(dataDir), layout.folder(`${day}T${hour}`) + name)
  await mkdir(dirname(path), { recursive: true })
  const open = join(openObjectsDir(dataDir), name)
  return layout.gzip ? packInto(open, path) : rename(open, path)
}

/** The chunks of a stream through zlib (bytes): with Node's 16 KB, passing them on takes as much CPU time as compressing them. */
const chunkBytes = 256 * 1024
/** Half the CPU time of zlib's usual level, for objects that are a quarter larger. */
const level = 3

/**
 * Writes the members of an object as a single one. DuckDB 1.5.6 ends a file, without an error, at a member whose last bytes are the last of
 * its buffer. A kill before the end leaves the open object, and the next start packs it again.
 */
async function packInto(open: string, path: string): Promise<void> {
  const draft = `${path}.tmp`
  await pipeline(
    createReadStream(open, { highWaterMark: chunkBytes }),
    createGunzip({ chunkSize: chunkBytes }),
    createGzip({ chunkSize: chunkBytes, level }),
    createWriteStream(draft, { flush: true }),
  )
  await rename(draft, path)
  await rm(open)
}
