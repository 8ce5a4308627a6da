/** Repeatable randomness: every result is a function of the numbers that go in. */

/** Returns a whole number in [0, 2³²). */
export type Random = () => number

/** Returns a 32-bit hash of a text: FNV-1a with a finalizer, so that similar texts get very different hashes. */
export function hashText(text: string): number {
  let hash = 0x811c9dc5
  for (let index = 0; index < text.length; index += 1) hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193)
  return scramble(hash)
}

export function scramble(value: number): number {
  let mixed = value | 0
  mixed = Math.imul(mixed ^ (mixed >>> 16), 0x21f0aaad)
  mixed = Math.imul(mixed ^ (mixed >>> 15), 0x735a2d97)
  return (mixed ^ (mixed >>> 15)) >>> 0
}

/** Makes the generator sfc32 from a seed of four 32-bit numbers. */
export function randomFrom(seedA: number, seedB: number, seedC: number, seedD = 1): Random {
  let a = seedA | 0
  let b = seedB | 0
  let c = seedC | 0
  let d = seedD | 0
  const next = (): number => {
    const sum = (((a + b) | 0) + d) | 0
    d = (d + 1) | 0
    a = b ^ (b >>> 9)
    b = (c + (c << 3)) | 0
    c = (((c << 21) | (c >>> 11)) + sum) | 0
    return sum >>> 0
  }
  for (let warmUp = 0; warmUp < 12; warmUp += 1) next()
  return next
}

/** Returns a number in [0, 1). */
export function unit(random: Random): number {
  return random() / 0x1_0000_0000
}

/** Returns a whole number from `min` to `max`, both included. */
export function between(random: Random, min: number, max: number): number {
  return min + Math.floor(unit(random) * (max - min + 1))
}

export function pick<T>(random: Random, choices: readonly T[]): T {
  return choices[Math.floor(unit(random) * choices.length)] as T
}

export function shuffle<T>(random: Random, items: readonly T[]): T[] {
  const shuffled = [...items]
  for (let last = shuffled.length - 1; last > 0; last -= 1) {
    const other = between(random, 0, last)
    const moved = shuffled[last] as T
    shuffled[last] = shuffled[other] as T
    shuffled[other] = moved
  }
  return shuffled
}

const hexBytes = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'))

export function hex32(value: number): string {
  return `${hexBytes[value >>> 24]}${hexBytes[(value >>> 16) & 255]}${hexBytes[(value >>> 8) & 255]}${hexBytes[value & 255]}`
}

export function uuid(random: Random): string {
  const b = hex32(random())
  const c = hex32((random() & 0x3fff_ffff) | 0x8000_0000)
  return `${hex32(random())}-${b.slice(0, 4)}-4${b.slice(5)}-${c.slice(0, 4)}-${c.slice(4)}${hex32(random())}`
}
