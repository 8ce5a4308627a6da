/** Memory of a run outside the heap: code, stacks and bodies of responses (MB). */
const outsideHeapMb = 64

/**
 * Limits of the heap that fit this memory. By default Node collects short-lived objects only after 128 MB of them, and until then they
 * keep their buffers outside the heap. Lambda's bootstrap has larger limits of its own on the command line (read in the images of earlier
 * versions of Node), and they win; `responseBytesMax` was measured with those.
 */
export function heapFlags(memoryMb: number): readonly string[] {
  return [`--max-old-space-size=${memoryMb - outsideHeapMb}`, '--max-semi-space-size=8']
}

/** The share of the memory that the largest page fills. The rest is a margin. */
const usedShare = 2 / 3
/** Memory of the process without a page: a part of its own (MB), and Lambda's three semi-spaces, which are 5 % of the memory each. Measured: 131 MB of 320, 162 of 512. */
const processMb = 85
const semiSpacesShare = 0.15
/** A page is in memory as text, values, records and request to Firehose at once. Measured: up to 29 bytes a byte (one item); the rest is a margin. */
const memoryBytesPerPageByte = 32

/** The largest page that a run with this memory can read (bytes, decompressed). `npm run bench -- --only memory` measures it. */
export function responseBytesMax(memoryMb: number): number {
  return Math.floor(((memoryMb * (usedShare - semiSpacesShare) - processMb) / memoryBytesPerPageByte) * 1024 ** 2)
}
