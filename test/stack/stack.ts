import { readFileSync } from 'node:fs'
import { App } from 'aws-cdk-lib'
import { Template } from 'aws-cdk-lib/assertions'
import { vi } from 'vitest'
import { readSettings } from '../../lib/settings.ts'
import { TributaryStack } from '../../lib/tributary-stack.ts'

/** Tests read this file, and never the settings file of a developer. */
export const noSettings = 'test/stack/fixtures/no-settings.json'

type Overrides = Readonly<Record<string, unknown>>

/** The stack with these settings. Its functions are bundled only on demand, because that takes seconds. */
export function stackWith(overrides: Overrides = {}, { bundled = false } = {}) {
  const { context } = JSON.parse(readFileSync('cdk.json', 'utf8'))
  const app = new App({
    context: { ...context, ...(bundled ? { 'aws:cdk:enable-asset-metadata': true } : { 'aws:cdk:bundling-stacks': [] }) },
    analyticsReporting: false,
    // It takes seconds for each template, and every synth of the command line does it.
    builtinCloudFormationValidation: false,
  })
  const { settings } = readSettings({ settings: noSettings, ...overrides })
  return { app, settings, stack: new TributaryStack(app, 'Tributary', { settings }) }
}

/** Silences the warnings that the CDK prints. */
export function quietly<T>(synth: () => T): T {
  const printed = vi.spyOn(console, 'error').mockImplementation(() => undefined)
  try {
    return synth()
  } finally {
    printed.mockRestore()
  }
}

const made = new Map<string, Template>()

export function templateWith(overrides: Overrides = {}): Template {
  const key = JSON.stringify(overrides)
  const template = made.get(key) ?? quietly(() => Template.fromStack(stackWith(overrides).stack))
  made.set(key, template)
  return template
}

/** Together they have one of everything that the settings can add. */
export const variants: Readonly<Record<string, Overrides>> = {
  'the defaults': {},
  'a trial': { removalPolicy: 'destroy' },
  'a KMS key of your own': { kmsKeyArn: 'arn:aws-cn:kms:cn-north-1:111122223333:key/0f0f0f0f-1111-2222-3333-444455556666' },
  'a VPC': { vpc: { subnetIds: ['subnet-0123456789abcdef0', 'subnet-0123456789abcdef1'], securityGroupIds: ['sg-0123456789abcdef0'] } },
  'a topic of your own and a mail': { alarmTopicArn: 'arn:aws-cn:sns:cn-north-1:111122223333:alarms', alarmEmails: ['ops@example.com'] },
  'tenants with operators of their own': { tenantsWithOperators: ['acme', 'north-2'] },
  'a bucket for access logs': { accessLogBucket: 'logs-of-acme' },
  'another prefix, x86 and reserved concurrency': { namePrefix: 'second', architecture: 'x86_64', reservedConcurrency: 60 },
}

export interface Resource {
  readonly Type: string
  readonly Properties: Readonly<Record<string, unknown>>
  readonly DeletionPolicy?: string
  readonly UpdateReplacePolicy?: string
}

export function resourcesOf(template: Template): Readonly<Record<string, Resource>> {
  return template.toJSON()['Resources']
}

/** Intrinsic functions as a person would write them, without the digits of generated ids: `<StateTable.Arn>/index/due`. */
export function readable(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(readable)
  if (typeof value !== 'object' || value === null) return value
  const entries: [string, unknown][] = Object.entries(value)
  const [[name, argument] = ['', undefined]] = entries
  if (entries.length === 1 && name === 'Ref') return `<${plain(argument)}>`
  if (entries.length === 1 && name === 'Fn::GetAtt' && Array.isArray(argument)) return `<${plain(argument[0])}.${argument[1]}>`
  if (entries.length === 1 && name === 'Fn::Join' && Array.isArray(argument)) return argument[1].map(readable).join(argument[0])
  return Object.fromEntries(entries.map(([key, inner]) => [key, readable(inner)]))
}

function plain(logicalId: unknown): string {
  return String(logicalId).replace(/[0-9A-F]{8}$/, '')
}
