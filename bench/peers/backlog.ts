import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { floorToSecond, hour, iso } from '../../functions/domain/time.ts'
import { eventTypeNames } from '../../local/simulator/catalogue.ts'
import type { Contender, Job } from './contender.ts'
import { Output } from './output.ts'
import { type RunFigures, startRun } from './run.ts'
import { startVendor, type Vendor } from './vendor.ts'

/** As far back as the vendor keeps events, minus the time for reading them. */
const backlogMs = 70 * hour
const streams = eventTypeNames.map((event) => `sharepoint/${event}`)
export const key = 'bench-key-0123456789abcdef0123456789abcdef'
/** The time between two looks at what the vendor has shown (ms). */
const lookEveryMs = 20

export interface Collected extends RunFigures {
  /** Events that the vendor made. */
  readonly events: number
  readonly lost: number
  readonly twice: number
  readonly bytes: number
  readonly requests: number
}

/** Collects a backlog without a limit in one run. */
export function collectBacklog(contender: Contender, events: number): Promise<Collected> {
  return withBacklog(contender, events, async ({ folder, job }) => startRun(contender, folder, job, 'collect').ended)
}

/** Collects nothing: what the program takes for its start and its end. */
export function startOnly(contender: Contender): Promise<RunFigures> {
  return withBacklog(contender, 0, async ({ folder, job }) => startRun(contender, folder, job, 'collect').ended)
}

/** Kills the program when the vendor has shown this share of the events, and starts it again until it ends. */
export function collectKilled(contender: Contender, events: number, share: number): Promise<Collected> {
  return withBacklog(contender, events, async ({ folder, job, vendor }) => {
    const first = startRun(contender, folder, job, 'collect')
    const isOver = first.ended.then(() => true)
    while ((await vendor.totals()).itemsShown < share * events) {
      if (await Promise.race([isOver, wait(lookEveryMs, false)])) throw new Error('It ended before it could be killed.')
    }
    first.kill('SIGKILL')
    await first.ended
    return startRun(contender, folder, job, 'collect').ended
  })
}

interface Setting {
  readonly folder: string
  readonly job: Job
  readonly vendor: Vendor
}

async function withBacklog(contender: Contender, events: number, work: (setting: Setting) => Promise<RunFigures>): Promise<Collected> {
  const at = floorToSecond(Date.now())
  const perHour = String(events / streams.length / (backlogMs / hour))
  const span = ['--start-at', iso(at), '--stop-at', iso(at), '--backlog', `${backlogMs / hour}h`]
  const vendor = await startVendor([...span, '--events-per-hour', perHour, '--requests-per-minute', '0'])
  const folder = await mkdtemp(join(tmpdir(), 'tributary-peers-'))
  try {
    const job = { url: vendor.url, key, streams, since: at - backlogMs, requestsPerMinute: 0 }
    contender.prepare(folder, job)
    const figures = await work({ folder, job, vendor })
    if (figures.exitCode !== 0) throw new Error(`It ended with exit code ${figures.exitCode}. Its messages are in ${folder}.`)
    const output = new Output(contender.outputOf(folder), contender.eventId)
    output.look(Date.now())
    const made = (await vendor.events(at - backlogMs, at)).filter(({ stream }) => streams.includes(stream))
    const lost = made.filter(({ id }) => !output.firstSeen.has(id)).length
    const { requests } = await vendor.totals()
    await rm(folder, { recursive: true, force: true })
    return { ...figures, events: made.length, lost, twice: output.twice, bytes: output.bytes, requests }
  } finally {
    await vendor.stop()
  }
}
