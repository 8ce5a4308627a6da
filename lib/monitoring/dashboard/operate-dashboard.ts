import { Dashboard as CloudWatchDashboard, CustomWidget } from 'aws-cdk-lib/aws-cloudwatch'
import type { IFunction } from 'aws-cdk-lib/aws-lambda'
import { Construct } from 'constructs'
import { columns } from './widgets.ts'

export interface OperateDashboardProps {
  readonly dashboardName: string
  /** The alias that the widget calls. */
  readonly operate: IFunction
}

/** The name of the dashboard for the provider. */
export function operateDashboardName(namePrefix: string): string {
  return `${namePrefix}-operate`
}

/** Rows of CloudWatch's grid: about as many as a screen has. */
const height = 18

/** The dashboard on which people operate connectors. Nothing redraws its widget but its own buttons, because a form would be emptied. */
export class OperateDashboard extends Construct {
  constructor(scope: Construct, id: string, { dashboardName, operate }: OperateDashboardProps) {
    super(scope, id)
    const widget = new CustomWidget({
      title: 'Operate connectors',
      functionArn: operate.functionArn,
      width: columns,
      height,
      updateOnRefresh: false,
      updateOnResize: false,
      updateOnTimeRangeChange: false,
    })
    new CloudWatchDashboard(this, 'Dashboard', { dashboardName, widgets: [[widget]] })
  }
}
