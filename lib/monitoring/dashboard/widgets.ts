import {
  GraphWidget,
  type GraphWidgetProps,
  type IMetric,
  type IWidget,
  MathExpression,
  Metric,
  TextWidget,
} from 'aws-cdk-lib/aws-cloudwatch'
import { fleetPeriod } from '../metrics.ts'

/** A line of a graph with its name in the legend. */
export type Line = readonly [metric: IMetric, label: string]

/** Width of a dashboard in CloudWatch's grid. */
export const columns = 24
const textHeight = 3
const graphHeight = 6

export function text(title: string, markdown: string): IWidget[] {
  return [new TextWidget({ markdown: `## ${title}\n${markdown}`, width: columns, height: textHeight })]
}

/** Graphs side by side, equally wide. */
export function row(...graphs: readonly ((width: number) => IWidget)[]): IWidget[] {
  return graphs.map((graphOf) => graphOf(columns / graphs.length))
}

export function graph(
  title: string,
  lines: readonly Line[],
  options: Omit<GraphWidgetProps, 'left' | 'right' | 'title'> & { readonly right?: readonly Line[] } = {},
): (width: number) => GraphWidget {
  const { right = [], ...rest } = options
  const shown = ([metric, label]: Line) =>
    metric instanceof Metric || metric instanceof MathExpression ? metric.with({ label, period: fleetPeriod }) : metric
  return (width) =>
    new GraphWidget({
      title,
      left: lines.map(shown),
      right: right.map(shown),
      leftYAxis: { min: 0, showUnits: false },
      width,
      height: graphHeight,
      ...rest,
    })
}

/** The lines in a unit that people read: `inUnit(lines, hour)` shows milliseconds as hours. */
export function inUnit(lines: readonly Line[], unit: number): readonly Line[] {
  return lines.map(([metric, label]): Line => {
    const id = `raw${label.replaceAll(/\W/g, '')}`
    return [new MathExpression({ expression: `${id} / ${unit}`, usingMetrics: { [id]: metric }, period: fleetPeriod }), label]
  })
}
