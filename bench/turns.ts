import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { measureThroughput, type Throughput } from './throughput.ts'

/** One run of each checkout, one after the other. */
export interface Turn {
  readonly before: Throughput
  readonly now: Throughput
}

/**
 * Measures the `collect` of another checkout and this one in turns. Whatever else the machine does meets both, so their ratio counts. The
 * simulator and the services are those of this checkout.
 */
export async function takeTurns(folder: string, { events, rounds }: { readonly events: number; readonly rounds: number }): Promise<Turn[]> {
  const checkout = pathToFileURL(`${resolve(folder)}/`)
  const turns: Turn[] = []
  while (turns.length < rounds)
    turns.push({ before: await measureThroughput({ events, checkout }), now: await measureThroughput({ events }) })
  return turns
}

interface Compared {
  readonly name: string
  readonly before: number
  readonly now: number
  readonly ratio: number
}

/** The median of each figure, and of the ratios of the turns. */
export function compareTurns(turns: readonly Turn[]): readonly Compared[] {
  return Object.entries(compared).map(([name, figure]) => ({
    name: `${name}, median`,
    before: median(turns.map(({ before }) => figure(before))),
    now: median(turns.map(({ now }) => figure(now))),
    ratio: median(turns.map(({ before, now }) => figure(now) / figure(before))),
  }))
}

const compared: Readonly<Record<string, (figures: Throughput) => number>> = {
  'CPU, µs/event': ({ cpuMicrosPerEvent }) => cpuMicrosPerEvent,
  'times the floor without gzip': ({ timesTheFloor }) => timesTheFloor,
  'floor, µs/event': ({ floor }) => floor.micros,
  'floor with gzip, µs/event': ({ floor }) => floor.microsWithGzip,
  'peak RSS, MiB': ({ peakMiB }) => peakMiB,
  'events/s': ({ eventsPerSecond }) => eventsPerSecond,
}

/** The CPU time of one turn (µs an event). */
export function rowOfTurn({ before, now }: Turn, index: number): Compared {
  const [micros, microsNow] = [before.cpuMicrosPerEvent, now.cpuMicrosPerEvent]
  return { name: `CPU in turn ${index + 1}, µs/event`, before: micros, now: microsNow, ratio: microsNow / micros }
}

/** Returns 0 for no values. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = Math.floor(sorted.length / 2)
  const [low = 0, high = 0] = [sorted.at(sorted.length % 2 === 1 ? middle : middle - 1), sorted.at(middle)]
  return (low + high) / 2
}
