import type { CoverageKind, CoverageSegment } from '../../domain/status/coverage.ts'
import { durationText, type Instant, minute } from '../../domain/time.ts'
import { type Html, html } from '../html.ts'

/** Small charts as inline SVG. One path for each colour keeps a page of a thousand connectors small. */

const dayWidth = 7
const daysHeight = 22

/** Events of the last days, the oldest first. The text says the same. */
export function dayBars(counts: readonly number[]): Html {
  const most = Math.max(1, ...counts)
  const path = counts
    .map((count, i) => {
      const height = count === 0 ? 1 : Math.max(2, Math.round((count / most) * daysHeight))
      return `M${i * dayWidth} ${daysHeight}v-${height}h${dayWidth - 2}v${height}z`
    })
    .join('')
  const total = counts.reduce((sum, count) => sum + count, 0)
  const text = `${total.toLocaleString('en-US')} events in ${counts.length} days: ${counts.join(', ')}`
  return html`<svg role="img" aria-label="${text}" width="${counts.length * dayWidth}" height="${daysHeight}"><title>${text}</title><path class="tb-fill-good" d="${path}"/></svg>`
}

const coverageWidth = 480
const coverageHeight = 14

/** The kinds, how they look, and their meaning for people. */
export const coverageLooks: Readonly<Record<CoverageKind, { readonly tone: string; readonly title: string; readonly doc: string }>> = {
  proven: { tone: 'good', title: 'proven', doc: 'complete in the lake' },
  read: { tone: 'warn', title: 'read, not final', doc: 'in the lake, but late events may still come' },
  unread: { tone: 'quiet', title: 'not read yet', doc: 'still to be read' },
  lost: { tone: 'bad', title: 'lost', doc: 'the vendor deleted them before they were read' },
}

/** The coverage of `[from, to]`. A lost or unread part is at least two pixels wide, so nobody misses it. */
export function coverageBar(segments: readonly CoverageSegment[], from: Instant, to: Instant): Html {
  const scale = coverageWidth / Math.max(minute, to - from)
  const x = (at: Instant) => Math.round((at - from) * scale * 10) / 10
  const kinds = Object.entries(coverageLooks).map(([kind, { tone }]) => {
    const path = segments
      .filter((segment) => segment.kind === kind)
      .map(
        (segment) =>
          `M${x(segment.from)} 0h${Math.max(kind === 'proven' ? 0.5 : 2, x(segment.to) - x(segment.from))}v${coverageHeight}H${x(segment.from)}z`,
      )
      .join('')
    return html`<path class="tb-fill-${tone}" d="${path}"/>`
  })
  const text = coverageText(segments)
  return html`<svg role="img" aria-label="${text}" width="${coverageWidth}" height="${coverageHeight}" viewBox="0 0 ${coverageWidth} ${coverageHeight}"><title>${text}</title><path class="tb-track" d="M0 ${coverageHeight - 0.5}h${coverageWidth}"/>${kinds}</svg>`
}

/** `70 h proven, 10 min read, not final`. */
export function coverageText(segments: readonly CoverageSegment[]): string {
  const sums = Object.entries(coverageLooks).flatMap(([kind, { title }]) => {
    const ms = segments.filter((segment) => segment.kind === kind).reduce((sum, segment) => sum + segment.to - segment.from, 0)
    return ms === 0 ? [] : [`${durationText(ms)} ${title}`]
  })
  return sums.length === 0 ? 'nothing yet' : sums.join(', ')
}
