import { Dashboard as CloudWatchDashboard, type IAlarm, PeriodOverride } from 'aws-cdk-lib/aws-cloudwatch'
import { Construct } from 'constructs'
import type { ObservedPipeline } from '../observed-pipeline.ts'
import { alarmsRow } from './alarms-row.ts'
import { connectorsRow } from './connectors-row.ts'
import { costRow } from './cost-row.ts'
import { deliveryRow } from './delivery-row.ts'
import { flowRow } from './flow-row.ts'
import { healthRow } from './health-row.ts'
import { platformRow } from './platform-row.ts'

export interface DashboardProps {
  readonly pipeline: ObservedPipeline
  readonly alarms: readonly IAlarm[]
}

/** The dashboard of the stack. A text above each row says what the graphs mean and what to do. */
export class Dashboard extends Construct {
  constructor(scope: Construct, id: string, { pipeline, alarms }: DashboardProps) {
    super(scope, id)
    new CloudWatchDashboard(this, 'Dashboard', {
      dashboardName: pipeline.namePrefix,
      periodOverride: PeriodOverride.INHERIT,
      widgets: [
        ...connectorsRow(pipeline),
        ...alarmsRow(alarms),
        ...healthRow(pipeline),
        ...flowRow(pipeline),
        ...deliveryRow(pipeline),
        ...platformRow(pipeline),
        ...costRow(pipeline),
      ],
    })
  }
}
