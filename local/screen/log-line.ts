import * as z from 'zod'
import { visible } from '../../functions/domain/text.ts'
import { localWords } from '../local-words.ts'

/** A line of a function's log, as it is read for people. */
export interface LogLine {
  readonly text: string
  /** Whether it is a warning, an error, or a text that is no log entry, such as that of a crash. */
  readonly isWarning: boolean
  readonly connectorId?: string
  readonly stream?: string
  /** The sentences of the entry alone, as a reason has them too. */
  readonly message: string
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

/** Reads a log entry, or a line of text such as that of a crash. Returns undefined for an entry that only programs read, such as metrics. */
export function readLogLine(line: string): LogLine | undefined {
  const parsed = logEntry.safeParse(parseJson(line))
  if (!parsed.success) return line.startsWith('{') ? undefined : { text: visible(line), isWarning: true, message: visible(line) }
  const { time, level, event, message, connectorId, stream, delivered, filtered } = parsed.data
  const who = [connectorId, stream].filter((part) => part !== undefined).join(' ')
  const what =
    event === 'page-read' ? `${delivered ?? 0} delivered${filtered ? `, ${filtered} filtered` : ''} (${message})` : `${event}: ${message}`
  const text = [time.slice(11, 19), level === 'info' ? '' : level.toUpperCase(), who, localWords(what)]
    .filter((part) => part !== '')
    .join(' ')
  const isWarning = level === 'warn' || level === 'error'
  return {
    text: visible(text),
    isWarning,
    message: visible(localWords(message)),
    ...(connectorId === undefined ? {} : { connectorId }),
    ...(stream === undefined ? {} : { stream }),
  }
}

function parseJson(line: string): unknown {
  try {
    return JSON.parse(line)
  } catch {
    return undefined
  }
}
