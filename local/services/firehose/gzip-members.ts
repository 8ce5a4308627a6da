import { promisify } from 'node:util'
import { crc32, deflateRaw } from 'node:zlib'

/**
 * A gzip file may consist of several members, one after the other. Each member made here has its length in its header, in an extra
 * field that every reader skips. So a file whose writer was killed can be cut after its last whole member.
 */
const headerBytes = 20
const trailerBytes = 8
const fixed = Buffer.from([0x1f, 0x8b, 0x08, 0x04, 0, 0, 0, 0, 0, 0xff, 0x08, 0x00, 0x54, 0x72, 0x04, 0x00])

const deflate = promisify(deflateRaw)

export async function gzipMember(data: Uint8Array): Promise<Buffer> {
  // Stored as it is: the object is compressed when it goes into the lake.
  const body = await deflate(data, { level: 0 })
  const header = Buffer.alloc(headerBytes)
  fixed.copy(header)
  header.writeUInt32LE(headerBytes + body.length + trailerBytes, fixed.length)
  const trailer = Buffer.alloc(trailerBytes)
  trailer.writeUInt32LE(crc32(data), 0)
  trailer.writeUInt32LE(data.length, 4)
  return Buffer.concat([header, body, trailer])
}

/** Returns the length of all whole members at the beginning of a file (bytes). */
export function wholeMembersLength(file: Buffer): number {
  let end = 0
  while (file.length - end >= headerBytes && fixed.equals(file.subarray(end, end + fixed.length))) {
    const length = file.readUInt32LE(end + fixed.length)
    if (end + length > file.length) break
    end += length
  }
  return end
}

/** Whether the bytes may be the beginning of a member that a kill cut short, and not something else. */
export function mayBeTorn(rest: Buffer): boolean {
  const header = fixed.subarray(0, rest.length)
  return header.equals(rest.subarray(0, header.length)) || rest.every((byte) => byte === 0)
}
