import { createLogUpdate } from 'log-update'
import * as z from 'zod'
import { durationText } from '../functions/domain/time.ts'
import type { Summary } from './summary.ts'

/** One line of the live table. */
export interface Row {
  readonly connector: string
  readonly stream: string
  readonly state: string
  readonly delivered: number
  /** How far the proof lags behind now (ms); absent before the first page. */
  readonly behindMs?: number
  readonly requests: { readonly made: number; readonly allowed: number } | undefined
}

/** What the program says while it runs. */
export interface Screen {
  /** A line that stays. */
  say(text: string): void
  /** A line of a function's log, as JSON. */
  happened(line: string): void
  /** The state of everything, as of now. */
  show(rows: readonly Row[]): void
  end(): void
}

/** A live table where somebody watches; elsewhere a line for each thing that happens. */
export function openScreen(out: NodeJS.WriteStream): Screen {
  return out.isTTY === true ? liveScreen(out) : plainScreen(out)
}

function plainScreen(out: NodeJS.WriteStream): Screen {
  return {
    say: (text) => void out.write(`${text}\n`),
    happened(line) {
      const text = happening(line)
      if (text !== undefined) out.write(`${text}\n`)
    },
    show() {},
    end() {},
  }
}

/** Lines of trouble shown under the table (count). */
const troublesMax = 5

function liveScreen(out: NodeJS.WriteStream): Screen {
  const live = createLogUpdate(out)
  const troubles: string[] = []
  let rows: readonly Row[] = []
  const draw = () => {
    const { columns = 120, rows: height = 40 } = out
    // The last line is the cursor's.
    const table = tableOf(rows, { columns, rows: height - 1 - troubles.length })
    live([table, ...troubles.map((text) => text.slice(0, columns - 1))].join('\n'))
  }
  return {
    say(text) {
      live.clear()
      out.write(`${text}\n`)
      draw()
    },
    happened(line) {
      const entry = logLine.safeParse(parseJson(line))
      const text = happening(line)
      if (text === undefined || !entry.success || entry.data.level === 'info') return
      troubles.push(text)
      troubles.splice(0, troubles.length - troublesMax)
    },
    show(now) {
      rows = now
      draw()
    },
    end() {
      live.done()
    },
  }
}

const logLine = z.looseObject({
  time: z.string(),
  level: z.enum(['debug', 'info', 'warn', 'error']),
  event: z.string(),
  message: z.string(),
  connectorId: z.string().optional(),
  stream: z.string().optional(),
  delivered: z.number().optional(),
  filtered: z.number().optional(),
})

/** A log entry in one line for people; nothing for what only programs want to know. */
export function happening(line: string): string | undefined {
  const parsed = logLine.safeParse(parseJson(line))
  if (!parsed.success) return line.startsWith('{') ? undefined : line
  const { time, level, event, message, connectorId, stream, delivered, filtered } = parsed.data
  const who = [connectorId, stream].filter((part) => part !== undefined).join(' ')
  const what =
    event === 'page-read' ? `${delivered ?? 0} delivered${filtered ? `, ${filtered} filtered` : ''} (${message})` : `${event}: ${message}`
  const text = [time.slice(11, 19), level === 'info' ? '' : level.toUpperCase(), who, what].filter((part) => part !== '').join(' ')
  // What a terminal would obey is shown as a dot.
  return text.replaceAll(/\p{Control}/gu, '·')
}

function parseJson(line: string): unknown {
  try {
    return JSON.parse(line)
  } catch {
    return undefined
  }
}

/** The end of a run, for people. */
export function summaryText({ connectors, requests, throttled, seconds }: Summary): string {
  const lines = connectors.flatMap(({ connectorId, state, reason, streams }) => [
    `${connectorId}: ${state}${reason === '' ? '' : `. ${reason}`}`,
    ...streams.map((stream) => {
      const lost = stream.lostRanges.filter((hole) => hole.lost).length
      const lostRanges = lost === 0 ? '' : `, ${lost} ${lost === 1 ? 'hole' : 'lostRanges'} lost`
      return `  ${stream.service}/${stream.event}: ${stream.delivered} delivered, ${stream.filtered} filtered, ${requestsText(stream.requests)}, complete to ${stream.coveredTo}${lostRanges}`
    }),
  ])
  return `${lines.join('\n')}\n${requestsText(requests)}, ${throttled} throttled, ${seconds} s.\n`
}

function requestsText(count: number): string {
  return count === 1 ? '1 request' : `${count} requests`
}

const headings = ['connector', 'stream', 'state', 'delivered', 'behind by', 'requests/min']

/** At most `rows` lines of less than `columns` characters. Where not all fit, those in trouble come before those that are well. */
export function tableOf(all: readonly Row[], size: { readonly columns: number; readonly rows: number }): string {
  const most = Math.max(1, size.rows - 2)
  const fits = all.length < size.rows
  const isWell = ({ state }: Row) => state === 'ok' || state === 'starting'
  const shown = fits ? all : [...all.filter((row) => !isWell(row)), ...all.filter(isWell)].slice(0, most)
  const cells = shown.map(({ connector, stream, state, delivered, behindMs, requests }) => [
    connector,
    stream,
    state,
    String(delivered),
    behindMs === undefined ? '–' : durationText(behindMs),
    requests === undefined ? '–' : `${requests.made} of ${requests.allowed}`,
  ])
  const widths = headings.map((heading, i) => Math.max(heading.length, ...cells.map((row) => row[i]?.length ?? 0)))
  const line = (row: readonly string[]) =>
    row
      .map((cell, i) => (i >= 3 ? cell.padStart(widths[i] ?? 0) : cell.padEnd(widths[i] ?? 0)))
      .join('  ')
      .slice(0, size.columns - 1)
  return [line(headings), ...cells.map(line), ...(fits ? [] : [`… and ${all.length - shown.length} more`])].join('\n')
}
