import { median } from '../turns.ts'
import type { Collected } from './backlog.ts'
import type { Installed } from './install.ts'
import type { LiveFigures } from './live.ts'
import type { BacklogTurn, Measured, Outcome, ProcessTurn, Rounds } from './measure.ts'

const MiB = 2 ** 20
const micro = 1e6

/** How the figures came about. */
export interface Conditions {
  readonly rounds: number
  readonly events: number
  readonly minutes: number
  readonly cores: number
  readonly node: string
  /** `November 2026` */
  readonly month: string
}

/** Writes the figures as Markdown. */
export function report(measured: Measured, installed: readonly Installed[], conditions: Conditions): string {
  const { rounds, events, minutes, cores, node, month } = conditions
  const parts = [
    `Measured in ${month} on ${cores} cores, with Node ${node}.`,
    peersTable(installed),
    measured.backlog &&
      `**${number(events, 0)} events without a limit**, medians of ${rounds} rounds:\n\n${backlogTable(measured.backlog, measured.process ?? [])}`,
    measured.kill &&
      `**SIGKILL in the middle and a restart**, ${number(events, 0)} events. Each figure is a round; the kill comes after ${sharesText(rounds)} of the events:\n\n${killTable(measured.kill)}`,
    measured.spike &&
      `**30,000 events in a minute on one stream, beside 11 quiet ones**, 20 requests a minute, ${minutes} minutes. Ages are those of the quiet streams:\n\n${liveTable(measured.spike)}`,
    measured.streams && `**48 streams on one key**, 20 requests a minute, ${minutes} minutes:\n\n${liveTable(measured.streams)}`,
  ]
  return parts.filter((part) => part !== undefined).join('\n\n')
}

function peersTable(installed: readonly Installed[]): string {
  const rows = installed.map(({ peer, why }) =>
    why === undefined
      ? [`${peer.name} ${peer.version}`, peer.retries, peer.limiter, peer.cursor, peer.writes]
      : [`${peer.name} ${peer.version}`, `not measured: ${why}`, '', '', ''],
  )
  return table(['', 'tries again', 'limiter', 'goes on from', 'writes'], rows)
}

function backlogTable(backlog: Rounds<BacklogTurn>, process: readonly Outcome<ProcessTurn>[]): string {
  const [ours = []] = Object.values(backlog)
  const head = [
    '',
    'CPU, µs an event',
    'compared with Tributary',
    'without the start',
    'wall time, s',
    'peak RSS, MiB',
    'bytes written an event',
    'CPU, ms a MB written',
  ]
  const rows = Object.entries(backlog).map(([name, turns]) => {
    const figure = (of: (turn: BacklogTurn) => number) => median(turns.filter(isMeasured).map(of))
    const ratios = turns.flatMap((turn, round) => {
      const other = ours[round]
      return isMeasured(turn) && other !== undefined && isMeasured(other) ? [cpuMicros(turn) / cpuMicros(other)] : []
    })
    if (!turns.some(isMeasured)) return [name, failureOf(turns), ...Array(head.length - 2).fill('')]
    return [
      name,
      number(figure(cpuMicros), 0),
      number(median(ratios), 2),
      number(
        figure(({ cpuSeconds, start, events }) => (micro * (cpuSeconds - start.cpuSeconds)) / events),
        0,
      ),
      number(
        figure(({ seconds }) => seconds),
        1,
      ),
      number(
        figure(({ peakBytes }) => peakBytes / MiB),
        0,
      ),
      number(
        figure(({ bytes, events }) => bytes / events),
        0,
      ),
      number(
        figure(({ cpuSeconds, bytes }) => (1e3 * cpuSeconds) / (bytes / 1e6)),
        0,
      ),
    ]
  })
  return table(head, [...rows.slice(0, 1), ...processRow(process, ours), ...rows.slice(1)])
}

/** The collecting process of Tributary, which writes the same lines. */
function processRow(process: readonly Outcome<ProcessTurn>[], ours: readonly Outcome<BacklogTurn>[]): string[][] {
  const measured = process.filter(isMeasured)
  if (measured.length === 0) return []
  const micros = median(measured.map(({ cpuMicrosPerEvent }) => cpuMicrosPerEvent))
  const ratios = process.flatMap((turn, round) => {
    const other = ours[round]
    return isMeasured(turn) && other !== undefined && isMeasured(other) ? [turn.cpuMicrosPerEvent / cpuMicros(other)] : []
  })
  const bytes = median(ours.filter(isMeasured).map((turn) => turn.bytes / turn.events))
  const seconds = median(measured.map((turn) => turn.seconds))
  const peakMiB = median(measured.map((turn) => turn.peakMiB))
  return [
    [
      'its collecting process',
      '',
      number(median(ratios), 2),
      number(micros, 0),
      number(seconds, 1),
      number(peakMiB, 0),
      number(bytes, 0),
      number((1e3 * micros) / bytes, 0),
    ],
  ]
}

function cpuMicros({ cpuSeconds, events }: BacklogTurn): number {
  return (micro * cpuSeconds) / events
}

function killTable(kill: Rounds<Collected>): string {
  const rows = Object.entries(kill).map(([name, turns]) => {
    const each = (of: (turn: Collected) => number) => turns.map((turn) => (isMeasured(turn) ? number(of(turn), 0) : 'failed')).join(' / ')
    return [name, each(({ lost }) => lost), each(({ twice }) => twice)]
  })
  return table(['', 'events lost', 'events twice'], rows)
}

function liveTable(live: Rounds<LiveFigures>): string {
  const rows = Object.entries(live).map(([name, turns]) => {
    const [turn] = turns.filter(isMeasured)
    if (turn === undefined) return [name, failureOf(turns), '', '', '', '', '', '']
    const { requests, refused, maxRequestsInAnyMinute, failedRuns, ages } = turn
    const counts = [requests, refused, maxRequestsInAnyMinute, failedRuns]
    return [
      name,
      ...counts.map((count) => number(count, 0)),
      number(ages.medianSeconds, 0),
      number(ages.worstSeconds, 0),
      `${ages.missing} of ${ages.events}`,
    ]
  })
  const head = [
    '',
    'requests',
    'refused (429)',
    'most in any 60 s',
    'failed runs',
    'age, median, s',
    'age, worst, s',
    'not there at the end',
  ]
  return table(head, rows)
}

function sharesText(rounds: number): string {
  const shares = Array.from({ length: rounds }, (_, round) => `${Math.round((100 * (round + 1)) / (rounds + 1))} %`)
  return shares.length === 1 ? (shares[0] ?? '') : `${shares.slice(0, -1).join(', ')} and ${shares.at(-1)}`
}

function isMeasured<T extends object>(outcome: Outcome<T>): outcome is T {
  return !('failed' in outcome)
}

function failureOf(outcomes: readonly Outcome<object>[]): string {
  const failed = outcomes.find((outcome): outcome is { readonly failed: string } => 'failed' in outcome)
  return `not measured: ${failed?.failed ?? 'it was not run'}`
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const row = (cells: readonly string[]) => `| ${cells.map((cell) => cell.replaceAll('|', '\\|').replaceAll('\n', ' ')).join(' | ')} |`
  return [row(head), row(head.map(() => '---')), ...rows.map(row)].join('\n')
}

function number(value: number, digits: number): string {
  return value.toLocaleString('en', { minimumFractionDigits: digits, maximumFractionDigits: digits })
}
