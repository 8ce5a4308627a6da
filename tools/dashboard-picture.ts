import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { chromium } from 'playwright-core'
import * as z from 'zod'
import { hour, type Instant, iso, minute } from '../functions/domain/time.ts'
import { html } from '../functions/widget/html.ts'
import { type Figure, simulatedDay } from './simulated-day.ts'

/**
 * Draws docs/pictures/dashboard.png: the dashboard as the synthesised stack defines it, with the figures of a simulated day. A row is
 * left out when only AWS knows most of its figures. Run `npm run synth` first. `CHROMIUM` is the path of the browser if it is not
 * /usr/bin/chromium.
 */

const metricRow = z.array(z.union([z.string(), z.looseObject({})]))
const widget = z.object({
  type: z.enum(['text', 'custom', 'alarm', 'metric']),
  x: z.number(),
  y: z.number(),
  width: z.number(),
  height: z.number(),
  properties: z.looseObject({
    title: z.string().default(''),
    markdown: z.string().default(''),
    metrics: z.array(metricRow).default([]),
    annotations: z.object({ horizontal: z.array(z.object({ value: z.number(), label: z.string(), color: z.string() })) }).optional(),
  }),
})
type Widget = z.infer<typeof widget>

const widthPx = 1_600
const columnPx = widthPx / 24
const rowPx = 48
const periodMs = 5 * minute
const palette = ['#1f77b4', '#ff7f0e', '#2ca02c', '#d62728', '#9467bd', '#8c564b', '#e377c2', '#7f7f7f']
const caption =
  'Drawn from the stack’s dashboard definition with the figures of a simulated day: the shipped functions against a simulated vendor. ' +
  'This is not a screenshot of the console. Rows whose figures AWS itself measures are left out.'

/** Turns a value of the template into a text. A part that is known only after a deploy becomes its name. */
function resolve(value: unknown): string {
  if (typeof value === 'string') return value
  const join = z.object({ 'Fn::Join': z.tuple([z.string(), z.array(z.unknown())]) }).safeParse(value)
  if (join.success) return join.data['Fn::Join'][1].map(resolve).join(join.data['Fn::Join'][0])
  return Object.values(z.record(z.string(), z.unknown()).parse(value)).flat().join('.')
}

function dashboardWidgets(): readonly Widget[] {
  const folder = fileURLToPath(new URL('../cdk.out/', import.meta.url))
  const template = z.object({ Resources: z.record(z.string(), z.looseObject({ Type: z.string(), Properties: z.unknown() })) })
  for (const file of existsSync(folder) ? readdirSync(folder).filter((name) => name.endsWith('.template.json')) : []) {
    const { Resources } = template.parse(JSON.parse(readFileSync(folder + file, 'utf8')))
    const found = Object.values(Resources).find(({ Type }) => Type === 'AWS::CloudWatch::Dashboard')
    if (found === undefined) continue
    const { DashboardBody } = z.object({ DashboardBody: z.unknown() }).parse(found.Properties)
    return z.object({ widgets: z.array(widget) }).parse(JSON.parse(resolve(DashboardBody))).widgets
  }
  throw new Error('No template in cdk.out/ has a dashboard. Run: npm run synth')
}

interface Line {
  readonly label: string
  /** One value for each period; undefined when nothing was published. */
  readonly values: readonly (number | undefined)[]
}

/** Returns the lines of a graph: metrics, and metrics divided by a number. Any other expression has no data here. */
function linesOf({ properties }: Widget, day: Day): readonly Line[] {
  const option = z.object({
    id: z.string().optional(),
    label: z.string().default(''),
    stat: z.string().optional(),
    visible: z.boolean().default(true),
    expression: z.string().optional(),
  })
  const rows = properties.metrics.map((row) => {
    const names = row.filter((part) => typeof part === 'string')
    return { names, ...option.parse(row.find((part) => typeof part !== 'string') ?? {}) }
  })
  const valuesOf = ({ names, stat, expression }: (typeof rows)[number]): Line['values'] => {
    const [, id, divisor] = expression?.match(/^(\w+) \/ (\d+)$/) ?? []
    const divided = rows.find((row) => row.id !== undefined && row.id === id)
    if (divided !== undefined) return valuesOf(divided).map((value) => (value === undefined ? undefined : value / Number(divisor)))
    return expression === undefined ? measured(names, stat ?? 'Average', day) : []
  }
  return rows.filter(({ visible }) => visible).map((row) => ({ label: row.label, values: valuesOf(row) }))
}

interface Day {
  readonly from: Instant
  readonly to: Instant
  readonly figures: ReadonlyMap<string, readonly Figure[]>
}

function keyOf(name: string, dimensions: Readonly<Record<string, string>>): string {
  return JSON.stringify([name, Object.entries(dimensions).sort()])
}

const statistics: Readonly<Record<string, (values: readonly number[]) => number>> = {
  Sum: (values) => values.reduce((sum, value) => sum + value, 0),
  Maximum: (values) => Math.max(...values),
  Minimum: (values) => Math.min(...values),
}

function measured([, name = '', ...pairs]: readonly string[], stat: string, day: Day): Line['values'] {
  const dimensions = Object.fromEntries(pairs.flatMap((dimension, i) => (i % 2 === 0 ? [[dimension, pairs[i + 1] ?? '']] : [])))
  const periods = Map.groupBy(day.figures.get(keyOf(name, dimensions)) ?? [], ({ at }) => Math.floor((at - day.from) / periodMs))
  return Array.from({ length: (day.to - day.from) / periodMs }, (_, i) => {
    const values = periods.get(i)?.map(({ value }) => value)
    return values === undefined ? undefined : statistics[stat]?.(values)
  })
}

function hasValues(lines: readonly Line[]): boolean {
  return lines.some(({ values }) => values.some((value) => value !== undefined))
}

function graph(drawn: Widget, day: Day): string {
  const lines = linesOf(drawn, day)
  const { title, annotations } = drawn.properties
  const [width, height] = [drawn.width * columnPx - 34, drawn.height * rowPx - 96]
  const limits = hasValues(lines) ? (annotations?.horizontal ?? []) : []
  const highest = Math.max(1, ...lines.flatMap(({ values }) => values.map((value) => value ?? 0)), ...limits.map(({ value }) => value))
  const step = roundStep(highest / 4)
  const top = Math.max(step, Math.ceil(highest / step) * step)
  const x = (at: Instant) => 40 + ((at - day.from) / (day.to - day.from)) * (width - 46)
  const y = (value: number) => 8 + (1 - value / top) * (height - 26)
  const steps = Array.from({ length: Math.round(top / step) + 1 }, (_, i) => i * step)
  const first = Math.ceil(day.from / (6 * hour)) * 6 * hour
  const times = Array.from({ length: Math.floor((day.to - first) / (6 * hour)) + 1 }, (_, i) => first + i * 6 * hour)
  const path = ({ values }: Line) =>
    values
      .map((value, i) => {
        if (value === undefined) return ''
        const at = `${x(day.from + i * periodMs).toFixed(1)} ${y(value).toFixed(1)}`
        return values[i - 1] === undefined ? `M${at}h.1` : `L${at}`
      })
      .join('')
  return html`<h3>${title}</h3>
<svg width="${width}" height="${height}">
${steps.map((value) => html`<path class="grid" d="M40 ${y(value)}H${width - 6}"/><text x="34" y="${y(value) + 4}" text-anchor="end">${formatShort(value)}</text>`)}
${times.map((at) => html`<text x="${x(at)}" y="${height - 2}" text-anchor="middle">${iso(at).slice(11, 16)}</text>`)}
${limits.map(({ value, label, color }) => html`<path d="M40 ${y(value)}H${width - 6}" stroke="${color}" stroke-dasharray="5 4"/><text x="${width - 8}" y="${y(value) - 4}" text-anchor="end">${label} at ${value}</text>`)}
${lines.map((line, i) => html`<path class="line" d="${path(line)}" stroke="${palette[i % palette.length] ?? ''}"/>`)}
${hasValues(lines) ? '' : html`<text x="${width / 2}" y="${height / 2}" text-anchor="middle">No data available.</text>`}
</svg><div class="legend">${lines.map(({ label }, i) => html`<span><i style="background:${palette[i % palette.length] ?? ''}"></i>${label}</span>`)}</div>`
    .text
}

/** Returns 1, 2 or 5 times a power of ten that is not below `min`. */
function roundStep(min: number): number {
  const power = 10 ** Math.floor(Math.log10(min))
  return [1, 2, 5].map((times) => times * power).find((step) => step >= min) ?? 10 * power
}

function formatShort(value: number): string {
  return value >= 1_000 ? `${value / 1_000}k` : String(Number(value.toFixed(2)))
}

function text({ properties }: Widget): string {
  const [title = '', ...lines] = properties.markdown.split('\n')
  const marked = html`${lines.join(' ')}`.text
    .replaceAll(/\*\*(.+?)\*\*/g, '<b>$1</b>')
    .replaceAll(/\*(.+?)\*/g, '<em>$1</em>')
    .replaceAll(/`(.+?)`/g, '<code>$1</code>')
  return `${html`<h2>${title.replace(/^#+ /, '')}</h2>`.text}<p>${marked}</p>`
}

/** Groups each heading with the widgets below it. */
function rowsOf(widgets: readonly Widget[]): readonly (readonly Widget[])[] {
  return widgets.reduce<Widget[][]>((rows, next) => {
    if (next.type === 'text' || rows.length === 0) rows.push([])
    rows.at(-1)?.push(next)
    return rows
  }, [])
}

const simulated = await simulatedDay()
const day: Day = { ...simulated, figures: Map.groupBy(simulated.figures, ({ name, dimensions }) => keyOf(name, dimensions)) }
const status = await simulated.status('light')
const drawable = rowsOf(dashboardWidgets()).filter((row) => {
  const graphs = row.filter(({ type }) => type === 'metric')
  const empty = graphs.filter((one) => !hasValues(linesOf(one, day)))
  return row.some(({ type }) => type === 'custom') || empty.length < graphs.length / 2
})
let offset = 1
const boxes: string[] = []
for (const row of drawable) {
  const top = Math.min(...row.map(({ y }) => y))
  for (const one of row) {
    const content =
      one.type === 'text' ? text(one) : one.type === 'metric' ? graph(one, day) : html`<h3>${one.properties.title}</h3>`.text + status
    const place = `left:${one.x * columnPx}px;top:${(one.y - top + offset) * rowPx}px;width:${one.width * columnPx}px;height:${one.height * rowPx}px`
    boxes.push(`<div class="place" style="${place}"><div class="${one.type}">${content}</div></div>`)
  }
  offset += Math.max(...row.map(({ y, height }) => y + height)) - top
}

const page = `<!doctype html><meta charset="utf-8"><style>
* { box-sizing: border-box } body { margin: 0; background: #f2f3f3; font: 13px Helvetica, Arial, sans-serif; color: #16191f }
.caption { position: absolute; top: 14px; left: 16px; color: #5f6b7a } .place { position: absolute; padding: 5px } .place > div { height: 100%; overflow: hidden; padding: 8px 12px }
.metric, .custom { background: #fff; border: 1px solid #d5dbdb; border-radius: 6px } h2 { font-size: 18px; margin: 10px 0 6px } h3 { font-size: 14px; margin: 2px 0 10px }
p { line-height: 1.45; margin: 0; max-width: 1240px } .grid { stroke: #eaeded } .line { fill: none; stroke-width: 1.4; stroke-linecap: round } svg text { font-size: 11px; fill: #5f6b7a }
.legend { display: flex; flex-wrap: wrap; gap: 2px 12px; font-size: 11px; padding-top: 4px } .legend i { display: inline-block; width: 10px; height: 10px; border-radius: 2px; margin-right: 4px } cwdb-action { display: none }
</style><div class="caption">${html`${caption}`.text}</div>${boxes.join('\n')}`

const flags = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-dev-shm-usage',
]
const browser = await chromium.launch({ executablePath: process.env['CHROMIUM'] ?? '/usr/bin/chromium', args: flags })
try {
  const tab = await browser.newPage({ viewport: { width: widthPx, height: Math.ceil(offset * rowPx) + 8 } })
  await tab.setContent(page)
  await tab.screenshot({ path: fileURLToPath(new URL('../docs/pictures/dashboard.png', import.meta.url)) })
} finally {
  await browser.close()
}
