import { Template } from 'aws-cdk-lib/assertions'
import { expect, it, vi } from 'vitest'
import { Alarms } from '../../lib/monitoring/alarms.ts'
import { Dashboard } from '../../lib/monitoring/dashboard/dashboard.ts'
import { lagMaxMinutes, observedStack } from './observed-pipeline.ts'

vi.mock(import('../../functions/vendors/index.ts'), async (original) => {
  const actual = await original()
  const [first] = actual.vendors.values()
  if (first === undefined) throw new Error('There is no vendor')
  return { ...actual, vendors: new Map([first, { ...first, type: 'a-second-vendor' }].map((vendor) => [vendor.type, vendor])) }
})

it('a second vendor has lines and alarms of its own, with its name in them', () => {
  const { stack, pipeline, notifications } = observedStack()
  const { all } = new Alarms(stack, 'Alarms', { pipeline, topic: notifications.topic, lagMaxMinutes })
  new Dashboard(stack, 'Dashboard', { pipeline, alarms: all })
  const template = Template.fromStack(stack)

  const names = Object.values(template.findResources('AWS::CloudWatch::Alarm')).map(({ Properties }): string => Properties.AlarmName)
  expect(names.filter((name) => name.startsWith('tributary-lag-'))).toEqual([
    'tributary-lag-trendmicro-cas',
    'tributary-lag-a-second-vendor',
  ])
  const dashboard = JSON.stringify(template.findResources('AWS::CloudWatch::Dashboard'))
  for (const label of ['trendmicro-cas: up to date', 'a-second-vendor: up to date', 'a-second-vendor: stalest', 'a-second-vendor: waiting'])
    expect(dashboard).toContain(label)
})
