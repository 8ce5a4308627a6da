import { AlarmStatusWidget, type IAlarm, type IWidget } from 'aws-cdk-lib/aws-cloudwatch'
import { columns, text } from './widgets.ts'

export function alarmsRow(alarms: readonly IAlarm[]): IWidget[][] {
  return [
    text(
      'Alarms',
      'Each alarm’s description names the first thing to do, and its entry in docs/operations.md. All green: nothing is needed.',
    ),
    [new AlarmStatusWidget({ title: 'Alarms', alarms: [...alarms], width: columns, height: 5 })],
  ]
}
