import { Writable } from 'node:stream'
import xterm from '@xterm/headless'
import { expect } from 'vitest'
import type { ConnectorStatus } from '../../functions/domain/status/status.ts'
import { newStatus } from '../../functions/domain/status/status.ts'
import { statusRow } from '../../functions/domain/status/status-row.ts'
import { minute, second } from '../../functions/domain/time.ts'
import type { View } from '../../local/screen/frame.ts'
import type { LiveRow, StreamRow } from '../../local/screen/live-row.ts'
import { openScreen } from '../../local/screen/screen.ts'

/** A terminal that behaves as a real one does, at the other end of a stream. */
export function openTerminal(columns: number, rows: number) {
  const terminal = new xterm.Terminal({ cols: columns, rows, allowProposedApi: true })
  let raw = ''
  const out = Object.assign(
    new Writable({
      write(chunk, _, done) {
        raw += chunk
        terminal.write(String(chunk).replaceAll(/(?<!\r)\n/g, '\r\n'))
        done()
      },
    }),
    { isTTY: true, columns, rows },
  )
  return {
    out: out as unknown as NodeJS.WriteStream,
    raw: () => raw,
    /** The lines on the screen now, and whether the terminal itself broke one of them. */
    async screen(): Promise<{ readonly lines: readonly string[]; readonly isBroken: boolean; readonly scrolledBy: number }> {
      await new Promise<void>((resolve) => terminal.write('', resolve))
      const { active } = terminal.buffer
      const lines = Array.from({ length: terminal.rows }, (_, i) => active.getLine(active.baseY + i))
      return {
        lines: lines.map((line) => (line?.translateToString(true, 0, terminal.cols) ?? '').trimEnd()),
        isBroken: lines.some((line) => line?.isWrapped),
        scrolledBy: active.baseY,
      }
    },
    /** The person changes the size of the window. */
    resize(newColumns: number, newRows: number) {
      terminal.resize(newColumns, newRows)
      Object.assign(out, { columns: newColumns, rows: newRows })
      out.emit('resize')
    },
  }
}

export const now = Date.UTC(2026, 10, 24, 22, 15, 36)

const counts = (delivered: number) => ({ delivered, filtered: 0, alreadySeen: 0, changed: 0, redacted: 0, requests: 7, throttled: 0 })

export type GivenRow = Partial<ConnectorStatus> &
  Partial<Pick<LiveRow, 'connectorId' | 'nextRun' | 'streams' | 'streamReason'>> & {
    readonly thisStart?: number
    readonly allTime?: number
  }

function liveRow({
  connectorId = 'acme.cas',
  nextRun = now + 90 * second,
  streams = [],
  streamReason = '',
  thisStart = 12,
  allTime = 1_234,
  ...status
}: GivenRow = {}): LiveRow {
  const row = statusRow(
    connectorId,
    {
      ...newStatus(now - 30 * minute, 'Acme'),
      state: 'ok',
      lastRunAt: now,
      lagMs: 6 * minute,
      lastSuccessAt: now - 20 * second,
      ...status,
    },
    now,
  )
  return {
    ...row,
    counts: { thisStart: counts(thisStart), allTime: counts(allTime) },
    nextRun,
    intervalMinutes: 5,
    lateArrivalMinutes: 20,
    streamReason,
    streams,
  }
}

export function viewOf(rows: readonly GivenRow[], more: Partial<View> = {}): View {
  return { now, startedAt: now - 10 * minute, rows: rows.map(liveRow), waits: [], hasGivenUp: false, query: 'npm run lake', ...more }
}

/** 750 connectors, a few of them in trouble. */
export const fleet: readonly GivenRow[] = Array.from({ length: 750 }, (_, i) => ({
  connectorId: `tenant-${String(i).padStart(3, '0')}.cas`,
  tenantName: `Tenant ${i}`,
  ...(i % 60 === 7
    ? {
        state: 'failing' as const,
        reason:
          'The vendor rejects the API key (401). Check that it has not expired and belongs to the origin in baseUrl, then store a new one in the secret.',
      }
    : {}),
}))

/** A line of a function's log: an error of acme.cas. */
export const troubleLine = (event: string, more: object = {}) =>
  JSON.stringify({ time: '2026-11-24T22:15:37.000Z', level: 'error', event, message: 'bad key', connectorId: 'acme.cas', ...more })

const countsOfStream = { ...counts(5), filtered: 1, requests: 2 }

export function streamRow(id: string, more: Partial<StreamRow> = {}): StreamRow {
  return {
    id,
    counts: { allTime: countsOfStream, thisStart: countsOfStream },
    lagMs: 6 * minute,
    lastReadAt: now,
    detail: 'proven complete.',
    ...more,
  }
}

/** A stream that was refused and never read. */
export function refusedStream(id: string): StreamRow {
  const text = 'The vendor responded with status 403. The key has no permission for this content (403). Grant it.'
  const { lastReadAt: _, ...never } = streamRow(id)
  const failure = { detail: 'The vendor responded with status 403', text, isLasting: true }
  return { ...never, failure, detail: `nothing read yet. Fails: ${text}` }
}

/** The lines on a terminal of this size. */
export async function shown(
  rows: readonly GivenRow[],
  { columns = 120, height = 30, more = {} }: { columns?: number; height?: number; more?: object } = {},
) {
  const { out, screen } = openTerminal(columns, height)
  const opened = openScreen(out, () => now)
  opened.show(viewOf(rows, more))
  const { lines, isBroken, scrolledBy } = await screen()
  opened.end()
  expect(isBroken).toBe(false)
  expect(scrolledBy).toBe(0)
  return lines
}
