import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { readFile, rm } from 'node:fs/promises'
import { connect, createServer, type Socket } from 'node:net'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import * as z from 'zod'
import { openDataFolder } from './data-folder.ts'
import { cannotWrite, writeAtomically } from './files.ts'
import { listen, loopback } from './listen.ts'
import { StartupError } from './startup-error.ts'

/** The owner of a data folder publishes the addresses of its services in `DATA/services.json`. */
const publishedSchema = z.object({
  pid: z.int(),
  /** Each owner makes a new id, so that another program that now uses the port is not mistaken for the owner. */
  owner: z.string(),
  presencePort: z.int(),
  /** The services accept only this access key. */
  accessKeyId: z.string(),
  addresses: z.object({ dynamodb: z.url(), firehose: z.url(), secretsManager: z.url(), queueUrl: z.url() }),
  /** The functions need these variables beside the addresses. */
  environment: z.record(z.string(), z.string()),
})

export type Published = z.infer<typeof publishedSchema>
export type Addresses = Published['addresses']

export interface Ownership {
  /** Lets other processes find the services and connect to them. */
  publish(services: Omit<Published, 'pid' | 'owner' | 'presencePort'>): Promise<void>
  release(): Promise<void>
}

/**
 * Makes this process the owner of a data folder, the only process that writes to it. Returns undefined when another process is the
 * owner. The lock (SQLite's, on the file `DATA/owner.lock`) belongs to the process in the operating system: it ends with the
 * process, even if that is killed, so a lock is never stale. Throws `StartupError` when the folder cannot be written to.
 */
export async function takeOwnership(dataDir: string): Promise<Ownership | undefined> {
  await openDataFolder(dataDir)
  const lock = tryLock(dataDir)
  if (lock === undefined) return undefined

  const owner = randomUUID()
  const present = new Set<Socket>()
  const presence = createServer((socket) => {
    present.add(socket)
    socket.on('error', () => undefined)
    socket.on('close', () => present.delete(socket))
    socket.write(owner)
  })

  return {
    async publish(services) {
      const presencePort = await listen(presence, 0, 'the owner of the data folder')
      await writeAtomically(servicesFile(dataDir), JSON.stringify({ pid: process.pid, owner, presencePort, ...services }))
    },
    async release() {
      if (presence.listening) {
        await rm(servicesFile(dataDir), { force: true }).catch(() => undefined)
        presence.close()
        for (const socket of present) socket.destroy()
      }
      lock.close()
    },
  }
}

export interface Owner extends Published {
  /** Resolves when the owner has ended, or when this connection to it is closed. */
  readonly gone: Promise<void>
  close(): void
}

/** An owner greets at once. A program that does not is another one (ms). */
const greetsWithinMs = 2_000

/** Finds the owner of a data folder. Returns undefined when no owner is alive or its services are not ready. */
export async function findOwner(dataDir: string): Promise<Owner | undefined> {
  const published = await readPublished(dataDir)
  if (published === undefined) return undefined
  const socket = connect(published.presencePort, loopback)
  const gone = new Promise<void>((resolve) => {
    socket.on('error', () => undefined)
    socket.on('close', () => resolve())
  })
  socket.setTimeout(greetsWithinMs, () => socket.destroy())
  const greeting = await Promise.race([once(socket, 'data'), gone]).catch(() => undefined)
  socket.setTimeout(0)
  if (greeting === undefined || String(greeting[0]) !== published.owner) {
    socket.destroy()
    return undefined
  }
  socket.resume()
  return { ...published, gone, close: () => socket.destroy() }
}

/** SQLite's error codes. https://www.sqlite.org/rescode.html */
const sqliteBusy = 5
const sqliteNoDatabase = 26
const fileErrors: Readonly<Record<number, string>> = { 8: 'EROFS', 10: 'EIO', 13: 'ENOSPC', 14: 'EACCES' }

function tryLock(dataDir: string): DatabaseSync | undefined {
  const path = join(dataDir, 'owner.lock')
  let lock: DatabaseSync | undefined
  try {
    lock = new DatabaseSync(path, { timeout: 0 })
    lock.exec('PRAGMA journal_mode = OFF; BEGIN EXCLUSIVE')
    return lock
  } catch (thrown) {
    lock?.close()
    const errcode = thrown instanceof Error && 'errcode' in thrown ? Number(thrown.errcode) : 0
    if (errcode === sqliteBusy) return undefined
    if (errcode === sqliteNoDatabase)
      throw new StartupError(`${path} is damaged. Delete this file: it holds nothing, and the next start makes it anew.`)
    throw cannotWrite(path, Object.assign(new Error(String(thrown)), { code: fileErrors[errcode & 0xff] ?? `SQLite error ${errcode}` }))
  }
}

async function readPublished(dataDir: string): Promise<Published | undefined> {
  try {
    return publishedSchema.parse(JSON.parse(await readFile(servicesFile(dataDir), 'utf8')))
  } catch {
    return undefined
  }
}

function servicesFile(dataDir: string): string {
  return join(dataDir, 'services.json')
}
