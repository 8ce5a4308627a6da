import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { type Instant, iso, minute, second } from '../../functions/domain/time.ts'
import { eventTypeNames, streamNames } from '../../local/simulator/catalogue.ts'
import { median } from '../turns.ts'
import { key } from './backlog.ts'
import type { Contender, Job } from './contender.ts'
import { Output } from './output.ts'
import { startRun } from './run.ts'
import { type MadeEvent, startVendor } from './vendor.ts'

/** The vendor's limit. */
const requestsPerMinute = 20
/** Programs that end are started again so long after their last start, if they have ended by then (ms). */
const intervalMs = minute
/** The last events are not counted, because they have no time to arrive (ms). */
const lastMs = 3 * minute
const lookEveryMs = second
/** Programs start before the first event that counts (ms). */
const startMs = 15 * second

/** One of the scenarios that take real time. */
export interface LiveScenario {
  readonly streams: readonly string[]
  /** Flags of the simulator. */
  flags(start: Instant): readonly string[]
  /** Only the events of these streams are counted. */
  readonly counted: readonly string[]
}

/** All streams of the vendor, with an event a minute each. */
export const allStreams: LiveScenario = {
  streams: streamNames,
  flags: () => ['--events-per-hour', '60'],
  counted: streamNames,
}

const spikeStreams = ['sharepoint', 'onedrive', 'exchange'].flatMap((service) => eventTypeNames.map((event) => `${service}/${event}`))
const spikeStream = 'onedrive/dlp'
const spikePages = 60
const pageEvents = 500

/** 12 streams with an event a minute each; one of them has 30,000 events in a minute. */
export const spike: LiveScenario = {
  streams: spikeStreams,
  flags: (start) => [
    '--events-per-hour',
    '60',
    ...Array.from({ length: spikePages }, (_, n) => ['--burst', `${pageEvents}@${iso(start + minute + n * second)}=${spikeStream}`]).flat(),
  ],
  counted: spikeStreams.filter((stream) => stream !== spikeStream),
}

export interface LiveFigures {
  readonly requests: number
  /** Responses with status 429. */
  readonly refused: number
  readonly maxRequestsInAnyMinute: number
  /** Runs that ended with an exit code other than 0. */
  readonly failedRuns: number
  readonly ages: Ages
}

interface Ages {
  readonly events: number
  /** Events that were not there at the end. They count with their age at that time. */
  readonly missing: number
  readonly medianSeconds: number
  readonly worstSeconds: number
}

/** Collects live events for some minutes, from a vendor of its own. */
export async function collectLive(contender: Contender, scenario: LiveScenario, minutes: number): Promise<LiveFigures> {
  const start = Date.now() + startMs
  const vendor = await startVendor([...scenario.flags(start), '--start-at', iso(start), '--requests-per-minute', String(requestsPerMinute)])
  const folder = await mkdtemp(join(tmpdir(), 'tributary-peers-'))
  try {
    const job = { url: vendor.url, key, streams: scenario.streams, since: start, requestsPerMinute }
    contender.prepare(folder, job)
    const output = new Output(contender.outputOf(folder), contender.eventId)
    const end = start + minutes * minute
    const failedRuns = await keepRunning(contender, { folder, job, output, start, end })
    const made = await vendor.events(start, end - lastMs)
    const { requests, refused, keys } = await vendor.totals()
    await rm(folder, { recursive: true, force: true })
    return {
      requests,
      refused,
      maxRequestsInAnyMinute: Math.max(...keys.map(({ maxRequestsInAnyMinute }) => maxRequestsInAnyMinute)),
      failedRuns,
      ages: agesOf(
        made.filter(({ stream }) => scenario.counted.includes(stream)),
        output.firstSeen,
        end,
      ),
    }
  } finally {
    await vendor.stop()
  }
}

interface Span {
  readonly folder: string
  readonly job: Job
  readonly output: Output
  readonly start: Instant
  readonly end: Instant
}

/** Runs the program until the end, and looks at its output meanwhile. Returns how many runs failed. */
async function keepRunning(contender: Contender, { folder, job, output, start, end }: Span): Promise<number> {
  let failedRuns = 0
  while (Date.now() < start) await wait(start - Date.now())
  for (let nextAt = start; Date.now() < end; nextAt = Math.max(nextAt + intervalMs, Date.now())) {
    while (Date.now() < Math.min(nextAt, end)) await lookAndWait(output)
    if (Date.now() >= end) break
    const run = startRun(contender, folder, job, 'stay')
    let exitCode: number | null | undefined
    void run.ended.then((figures) => {
      exitCode = figures.exitCode
    })
    while (exitCode === undefined && Date.now() < end) await lookAndWait(output)
    if (exitCode === undefined) run.kill('SIGKILL')
    else if (exitCode !== 0) failedRuns += 1
    await run.ended
  }
  return failedRuns
}

async function lookAndWait(output: Output): Promise<void> {
  await wait(lookEveryMs)
  output.look(Date.now())
}

/** The age of an event is the time from when the vendor shows it to when it is in the output. */
export function agesOf(made: readonly MadeEvent[], firstSeen: ReadonlyMap<string, Instant>, end: Instant): Ages {
  const ages = made.map(({ id, visibleAt }) => ((firstSeen.get(id) ?? end) - visibleAt) / second)
  return {
    events: made.length,
    missing: made.filter(({ id }) => !firstSeen.has(id)).length,
    medianSeconds: median(ages),
    worstSeconds: Math.max(0, ...ages),
  }
}
