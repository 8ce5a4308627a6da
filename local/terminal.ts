import { createLogUpdate } from 'log-update'
import * as z from 'zod'
import { wholeCharacters } from '../functions/domain/text.ts'
import { durationText } from '../functions/domain/time.ts'
import { localWords } from './local-words.ts'
import type { Summary } from './summary.ts'

/** One line of the live table. */
export interface Row {
  readonly connector: string
  readonly stream: string
  readonly state: string
  readonly delivered: number
  /** The time from the end of the complete part until now (ms); absent before the first page. */
  readonly behindMs?: number
  readonly requests: { readonly made: number; readonly allowed: number } | undefined
}

/** Shows a program's progress while it runs. */
export interface Screen {
  /** Writes a line that stays. */
  print(text: string): void
  /** Takes a line of a function's log, as JSON. */
  log(line: string): void
  /** Replaces the live table. */
  show(rows: readonly Row[]): void
  end(): void
}

/** A terminal gets a live table. A file or pipe gets one line for each log entry, and so does a terminal of unknown size, which reports 0. */
export function openScreen(out: NodeJS.WriteStream): Screen {
  const hasRoom = out.isTTY === true && out.columns !== 0 && out.rows !== 0
  return hasRoom ? liveScreen(out) : plainScreen(out)
}

function plainScreen(out: NodeJS.WriteStream): Screen {
  return {
    print: (text) => void out.write(`${text}\n`),
    log(line) {
      const text = formatLogLine(line)
      if (text !== undefined) out.write(`${text}\n`)
    },
    show() {},
    end() {},
  }
}

/** Warnings and errors shown under the table (count). */
const warningsMax = 5

function liveScreen(out: NodeJS.WriteStream): Screen {
  const live = createLogUpdate(out)
  const warnings: string[] = []
  let rows: readonly Row[] = []
  const draw = () => {
    const { columns = 120, rows: height = 40 } = out
    // The cursor needs the last line.
    const table = formatTable(rows, { columns, rows: height - 1 - warnings.length })
    live([table, ...warnings.map((text) => wholeCharacters(text, columns - 1))].join('\n'))
  }
  return {
    print(text) {
      live.clear()
      out.write(`${text}\n`)
      draw()
    },
    log(line) {
      const entry = logEntry.safeParse(parseJson(line))
      const text = formatLogLine(line)
      if (text === undefined || !entry.success || entry.data.level === 'info') return
      warnings.push(text)
      warnings.splice(0, warnings.length - warningsMax)
    },
    show(newRows) {
      rows = newRows
      draw()
    },
    end() {
      live.done()
    },
  }
}

const logEntry = z.looseObject({
  time: z.string(),
  level: z.enum(['debug', 'info', 'warn', 'error']),
  event: z.string(),
  message: z.string(),
  connectorId: z.string().optional(),
  stream: z.string().optional(),
  delivered: z.number().optional(),
  filtered: z.number().optional(),
})

/** Formats a log entry as one line for people. Returns undefined for an entry that only programs read, such as metrics. */
export function formatLogLine(line: string): string | undefined {
  const parsed = logEntry.safeParse(parseJson(line))
  if (!parsed.success) return line.startsWith('{') ? undefined : line
  const { time, level, event, message, connectorId, stream, delivered, filtered } = parsed.data
  const who = [connectorId, stream].filter((part) => part !== undefined).join(' ')
  const what =
    event === 'page-read' ? `${delivered ?? 0} delivered${filtered ? `, ${filtered} filtered` : ''} (${message})` : `${event}: ${message}`
  const text = [time.slice(11, 19), level === 'info' ? '' : level.toUpperCase(), who, localWords(what)]
    .filter((part) => part !== '')
    .join(' ')
  // A control character in a vendor's text could move the cursor or change colours.
  return text.replaceAll(/\p{Control}/gu, '·')
}

function parseJson(line: string): unknown {
  try {
    return JSON.parse(line)
  } catch {
    return undefined
  }
}

/** Formats the summary at the end for people. */
export function formatSummary({ connectors, requests, throttled, seconds }: Summary): string {
  const lines = connectors.flatMap(({ connectorId, state, reason, streams }) => [
    `${connectorId}: ${state}${reason === '' ? '' : `. ${reason}`}`,
    ...streams.map((stream) => {
      const lostCount = stream.lostRanges.length
      const lost = lostCount === 0 ? '' : `, ${lostCount} time ${lostCount === 1 ? 'range' : 'ranges'} lost`
      return `  ${stream.service}/${stream.event}: ${stream.delivered} delivered, ${stream.filtered} filtered, ${formatRequests(stream.requests)}, complete to ${stream.coveredTo}${lost}`
    }),
  ])
  return `${lines.join('\n')}\n${formatRequests(requests)}, ${throttled} throttled, ${seconds} s.\n`
}

function formatRequests(count: number): string {
  return count === 1 ? '1 request' : `${count} requests`
}

const headings = ['connector', 'stream', 'state', 'delivered', 'behind by', 'requests/min']

/** Formats at most `rows` lines of less than `columns` characters. When not all fit, streams in trouble come before streams that are well. */
export function formatTable(all: readonly Row[], size: { readonly columns: number; readonly rows: number }): string {
  const shownMax = Math.max(1, size.rows - 2)
  const fits = all.length < size.rows
  const isWell = ({ state }: Row) => state === 'ok' || state === 'starting'
  const shown = fits ? all : [...all.filter((row) => !isWell(row)), ...all.filter(isWell)].slice(0, shownMax)
  const cells = shown.map(({ connector, stream, state, delivered, behindMs, requests }) => [
    connector,
    stream,
    state,
    String(delivered),
    behindMs === undefined ? '–' : durationText(behindMs),
    requests === undefined ? '–' : `${requests.made} of ${requests.allowed}`,
  ])
  const widths = headings.map((heading, i) => Math.max(heading.length, ...cells.map((row) => row[i]?.length ?? 0)))
  const line = (row: readonly string[]) => {
    const padded = row.map((cell, i) => (i >= 3 ? cell.padStart(widths[i] ?? 0) : cell.padEnd(widths[i] ?? 0)))
    return wholeCharacters(padded.join('  '), size.columns - 1)
  }
  return [line(headings), ...cells.map(line), ...(fits ? [] : [`… and ${all.length - shown.length} more`])].join('\n')
}
