import { type FileHandle, open, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { gzipMember } from './gzip-members.ts'
import { moveIntoLake, objectName, openObjectsDir } from './lake-objects.ts'
import type { Layout } from './s3-destination.ts'

export interface ObjectWriter {
  /** Returns when the data is on disk. */
  append(data: Buffer): Promise<void>
  /** Returns when all appended data is in the lake. Throws when a part of it could not be moved there. */
  flush(): Promise<void>
}

interface OpenObject {
  readonly name: string
  readonly file: FileHandle
  /** Before compression, as the buffering hint counts (bytes). */
  bytes: number
  /** The length of the file up to the last acknowledged record (bytes). */
  length: number
}

/**
 * Collects batches in one open object outside the lake, each as a gzip member of its own, and moves the object into the lake when
 * it is full or its oldest record has waited long enough.
 */
export function objectWriter(options: {
  readonly dataDir: string
  readonly layout: Layout
  readonly now: () => number
  readonly onFault: (thrown: unknown) => void
}): ObjectWriter {
  const { dataDir, layout, now, onFault } = options
  let current: OpenObject | undefined
  let timer: NodeJS.Timeout | undefined
  /** Holds the first error of a move into the lake. */
  let unmoved: { readonly thrown: unknown } | undefined
  let lastWork: Promise<unknown> = Promise.resolve()

  /** Does appends and renames one after the other, so that no object is renamed during an append. */
  function enqueue<T>(work: () => Promise<T>): Promise<T> {
    const done = lastWork.then(work)
    lastWork = done.catch(() => undefined)
    return done
  }

  async function openObject(): Promise<OpenObject> {
    const name = `${objectName(now())}${layout.extension}`
    const file = await open(join(openObjectsDir(dataDir), name), 'wx')
    timer = setTimeout(() => void enqueue(finish).catch(onFault), layout.bufferedMsMax)
    return { name, file, bytes: 0, length: 0 }
  }

  async function move(name: string): Promise<void> {
    try {
      await moveIntoLake(dataDir, layout, name)
    } catch (thrown) {
      // The object stays in its folder, and the next start moves it.
      unmoved ??= { thrown }
      onFault(thrown)
    }
  }

  async function finish(): Promise<void> {
    clearTimeout(timer)
    const object = current
    if (object === undefined) return
    current = undefined
    await object.file.close()
    if (object.length > 0) await move(object.name)
    else await rm(join(openObjectsDir(dataDir), object.name))
  }

  async function flush(): Promise<void> {
    await enqueue(finish)
    if (unmoved !== undefined) throw unmoved.thrown
  }

  return {
    flush,
    async append(data) {
      const member = layout.gzip ? await gzipMember(data) : data
      await enqueue(async () => {
        current ??= await openObject()
        await appendMember(current, member)
        current.bytes += data.length
        if (current.bytes >= layout.bufferedBytesMax) await finish()
      })
    },
  }
}

/** Leaves the file as it was when it cannot be written. */
async function appendMember(object: OpenObject, member: Buffer): Promise<void> {
  try {
    await writeAll(object.file, member, object.length)
    await object.file.datasync()
  } catch (thrown) {
    await object.file.truncate(object.length)
    throw thrown
  }
  object.length += member.length
}

async function writeAll(file: FileHandle, data: Buffer, position: number): Promise<void> {
  for (let written = 0; written < data.length; ) {
    written += (await file.write(data, written, data.length - written, position + written)).bytesWritten
  }
}
