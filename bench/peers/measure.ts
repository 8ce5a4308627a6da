import { measureThroughput } from '../throughput.ts'
import { type Collected, collectBacklog, collectKilled, startOnly } from './backlog.ts'
import type { Contender } from './contender.ts'
import { allStreams, collectLive, type LiveFigures, type LiveScenario, spike } from './live.ts'

/** A measurement, or the reason why there is none. */
export type Outcome<T> = T | { readonly failed: string }

/** The outcomes of one program, by round. */
export type Rounds<T> = Readonly<Record<string, readonly Outcome<T>[]>>

export interface BacklogTurn extends Collected {
  /** The CPU time and the memory of a run that finds nothing. */
  readonly start: { readonly cpuSeconds: number; readonly peakBytes: number }
}

/** The collecting process alone, without its start. */
export interface ProcessTurn {
  readonly cpuMicrosPerEvent: number
  readonly seconds: number
  readonly peakMiB: number
}

/** One row for each program; Tributary is the first. */
export interface Measured {
  backlog?: Rounds<BacklogTurn>
  process?: readonly Outcome<ProcessTurn>[]
  kill?: Rounds<Collected>
  streams?: Rounds<LiveFigures>
  spike?: Rounds<LiveFigures>
}

export interface Plan {
  readonly contenders: readonly Contender[]
  readonly rounds: number
  readonly events: number
  readonly minutes: number
  readonly say: (line: string) => void
}

/** The scenarios, in the order in which they run. */
export const scenarios: Readonly<Record<string, (plan: Plan) => Promise<Measured>>> = {
  async backlog({ contenders, rounds, events, say }) {
    const process: Outcome<ProcessTurn>[] = []
    const backlog = await takeRounds({ contenders, rounds, say }, async (contender, round) => {
      if (contender === contenders[0]) process[round] = await attempt('the collecting process', say, () => measureThroughput({ events }))
      const start = await startOnly(contender)
      return { ...(await collectBacklog(contender, events)), start }
    })
    return { backlog, process }
  },
  async kill({ contenders, rounds, events, say }) {
    const shareOf = (round: number) => (round + 1) / (rounds + 1)
    return { kill: await takeRounds({ contenders, rounds, say }, (contender, round) => collectKilled(contender, events, shareOf(round))) }
  },
  spike: async (plan) => ({ spike: await live(plan, spike) }),
  streams: async (plan) => ({ streams: await live(plan, allStreams) }),
}

/** The programs take turns: A B C, A B C. */
async function takeRounds<T>(
  { contenders, rounds, say }: Pick<Plan, 'contenders' | 'rounds' | 'say'>,
  turn: (contender: Contender, round: number) => Promise<T>,
): Promise<Rounds<T>> {
  const taken: Record<string, Outcome<T>[]> = Object.fromEntries(contenders.map(({ name }) => [name, []]))
  for (let round = 0; round < rounds; round += 1) {
    for (const contender of contenders) {
      say(`Round ${round + 1} of ${rounds}: ${contender.name}`)
      taken[contender.name]?.push(await attempt(contender.name, say, () => turn(contender, round)))
    }
  }
  return taken
}

/** These take real time and little else, so the programs run side by side, each with a vendor of its own. */
async function live({ contenders, minutes, say }: Plan, scenario: LiveScenario): Promise<Rounds<LiveFigures>> {
  say(`${contenders.length} programs side by side, for ${minutes} minutes`)
  const outcomes = contenders.map(async (contender) => {
    const outcome = await attempt(contender.name, say, () => collectLive(contender, scenario, minutes))
    return [contender.name, [outcome]] as const
  })
  return Object.fromEntries(await Promise.all(outcomes))
}

async function attempt<T>(name: string, say: (line: string) => void, work: () => Promise<T>): Promise<Outcome<T>> {
  try {
    return await work()
  } catch (error) {
    const failed = error instanceof Error ? error.message : String(error)
    say(`${name}: ${failed}`)
    return { failed }
  }
}
