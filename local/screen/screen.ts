import { traitsOfShown } from '../../functions/domain/status/shown-state.ts'
import { visibleLines } from '../../functions/domain/text.ts'
import { type Instant, minute } from '../../functions/domain/time.ts'
import { wrapToWidth } from './cells.ts'
import { frameLines, streamLines, type View } from './frame.ts'
import { type LogLine, readLogLine } from './log-line.ts'

/** Shows a program's progress while it runs. */
export interface Screen {
  /** Writes a line that stays. */
  print(text: string): void
  /** Takes a line of a function's log, as JSON. */
  log(line: string): void
  /** Replaces the live table. */
  show(view: View): void
  end(): void
}

/** A terminal gets a live table. A file or pipe gets one line for each log entry, and so does a terminal of unknown size, which reports 0. */
export function openScreen(out: NodeJS.WriteStream, now: () => Instant): Screen {
  const hasRoom = out.isTTY === true && out.columns !== 0 && out.rows !== 0
  return hasRoom ? liveScreen(out, now) : plainScreen(out)
}

/** The streams that --streams asks for are written this often (ms), because a file has no table that could be replaced. */
const streamsEveryMs = minute
const plainWidth = 120
/** Waits that are told one by one (count). */
const waitsMax = 5

function plainScreen(out: NodeJS.WriteStream): Screen {
  const write = (text: string) => void out.write(`${visibleLines(text)}\n`)
  let told: ReadonlySet<string> = new Set()
  let streamsAt = Number.NEGATIVE_INFINITY
  return {
    print: write,
    log(line) {
      const read = readLogLine(line)
      if (read !== undefined) write(read.text)
    },
    show(view) {
      const fresh = view.waits.filter(({ key }) => !told.has(key))
      for (const { text } of fresh.slice(0, waitsMax)) write(text)
      if (fresh.length > waitsMax) write(`… and ${fresh.length - waitsMax} more connectors are waited for.`)
      if (told.size > 0 && view.waits.length === 0 && !view.hasGivenUp) write('Nothing that fails is waited for any more.')
      told = new Set(view.waits.map(({ key }) => key))
      if (view.streamsOf === undefined || view.now < streamsAt + streamsEveryMs) return
      streamsAt = view.now
      write(streamLines(view, { columns: plainWidth, rows: Number.POSITIVE_INFINITY }).join('\n'))
    },
    end() {},
  }
}

/** A warning goes after this time (ms), when its stream or, without one, its connector is read again, or when the screen says it elsewhere. */
const warningMs = 5 * minute
/** The newest warnings and the newest messages are shown, each of them so many (count). */
const noticesMax = 2

// The other screen of the terminal is redrawn whole, so nothing of a former frame or of another width is left, and what the terminal
// showed before comes back at the end. A frame is written without automatic line breaks, so a character that is wider than it should be
// breaks no line. The cursor is never hidden, so it cannot be lost.
// https://invisible-island.net/xterm/ctlseqs/ctlseqs.html
const enter = '\u001b[?1049h'
const leave = '\u001b[?1049l'
const beginFrame = '\u001b[?2026h\u001b[?7l\u001b[H'
const endFrame = '\u001b[J\u001b[?7h\u001b[?2026l'
const eraseToEndOfLine = '\u001b[K'

function liveScreen(out: NodeJS.WriteStream, now: () => Instant): Screen {
  let warnings: readonly (LogLine & { readonly at: Instant })[] = []
  let printed: readonly string[] = []
  let view: View | undefined
  const draw = () => {
    if (view === undefined) return
    const { columns = 80, rows = 24 } = out
    const older = warnings.length - noticesMax
    const notices = [
      ...(older > 0 ? [`… and ${older} older ${older === 1 ? 'warning' : 'warnings'}.`] : []),
      ...warnings.slice(-noticesMax).map(({ text }) => text),
      ...printed.slice(-noticesMax),
    ]
    const lines = frameLines(view, notices, { columns, rows })
    out.write(`${beginFrame}${lines.map((line) => `${line}${eraseToEndOfLine}`).join('\r\n')}${endFrame}`)
  }
  const leaveNow = () => void out.write(leave)
  /** A line of the screen of before, which the terminal itself would break inside a word. */
  const say = (text: string) => void out.write(`${wrapToWidth(text, out.columns).join('\n')}\n`)
  /** Warnings and messages that still count stay on the screen of before. */
  function close(): void {
    if (view === undefined) return
    view = undefined
    out.off('resize', draw)
    process.off('exit', leaveNow)
    leaveNow()
    for (const text of [...warnings.map((warning) => warning.text), ...printed]) say(text)
    printed = []
  }
  return {
    print(text) {
      if (view === undefined) say(text)
      else printed = [...printed, text]
      draw()
    },
    log(line) {
      const read = readLogLine(line)
      if (read?.isWarning) warnings = [...warnings, { ...read, at: now() }]
    },
    show(next) {
      if (view === undefined) {
        out.write(enter)
        out.on('resize', draw)
        process.once('exit', leaveNow)
      }
      view = next
      warnings = warnings.filter((warning) => isStillTrue(warning, next)).slice(-100)
      draw()
    },
    end: close,
  }
}

function isStillTrue(warning: LogLine & { readonly at: Instant }, { rows, waits, streamsOf, now }: View): boolean {
  if (now - warning.at >= warningMs) return false
  const row = rows.find(({ connectorId }) => connectorId === warning.connectorId)
  if (row === undefined) return true
  if (warning.stream === undefined) return !traitsOfShown(row.state).isProblem && (row.lastSuccessAt ?? 0) <= warning.at
  const stream = row.streams.find(({ id }) => id === warning.stream)
  const detail = row.connectorId === streamsOf ? (stream?.detail ?? '') : ''
  const told = [row.reason, row.streamReason, detail, ...waits.map(({ text }) => text)]
  return (stream?.lastReadAt ?? 0) <= warning.at && !told.some((text) => text.includes(gistOf(warning.message)))
}

/** The failure itself, without its trace id, which is never the same twice, and without what to do. */
function gistOf(message: string): string {
  return message.split(/ \(trace |\. /)[0] ?? ''
}
