import { closeSync, createReadStream, openSync, readSync } from 'node:fs'
import { Writable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { createGunzip } from 'node:zlib'

/** Objects checked at the same time (count): Node has as many threads for it. */
const atOnce = 4

/** Whether a file begins as a gzip file does. Of any other, DuckDB refuses every query. */
export function looksGzipped(path: string): boolean {
  const beginning = Buffer.alloc(2)
  const file = openSync(path, 'r')
  try {
    return readSync(file, beginning) === 2 && beginning.toString('hex') === '1f8b'
  } finally {
    closeSync(file)
  }
}

/** Returns the objects, at most `max`, that are not whole: DuckDB checks no sum, and reads what it can of them without a word. */
export async function damagedObjects(objects: readonly string[], max: number): Promise<readonly string[]> {
  const damaged: string[] = []
  const left = objects.values()
  async function check(): Promise<void> {
    for (const object of left) {
      if (damaged.length >= max) return
      if (!(await isWhole(object))) damaged.push(object)
    }
  }
  await Promise.all(Array.from({ length: atOnce }, check))
  return damaged.sort()
}

async function isWhole(path: string): Promise<boolean> {
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() })
  return pipeline(createReadStream(path), createGunzip(), nowhere).then(
    () => true,
    () => false,
  )
}
