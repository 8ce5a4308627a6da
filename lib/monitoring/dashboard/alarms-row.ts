import { AlarmStatusWidget, type IAlarm, type IWidget } from 'aws-cdk-lib/aws-cloudwatch'
import { columns, text } from './widgets.ts'

export function alarmsRow(alarms: readonly IAlarm[]): IWidget[][] {
  return [
    text(
      'Alarms',
      'The description of each alarm says what to do first, and names the entry in docs/operations.md. If all are green, there is nothing to do.',
    ),
    [new AlarmStatusWidget({ title: 'Alarms', alarms: [...alarms], width: columns, height: 5 })],
  ]
}
