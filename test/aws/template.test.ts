import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { assemblyDir, fullAssemblyDir, judgesDir } from './folders.ts'
import { Stack } from './template.ts'

/** Checks of the template that run nothing of it. */

const templateIn = (assembly: string) => join(assembly, `${new Stack(assembly).name}.template.json`)

/** A dependency that a reference implies. The CDK writes both. */
const redundant = 'W3005'

test.each([
  ['the usual settings', assemblyDir],
  ['every setting', fullAssemblyDir],
])('cfn-lint finds nothing in a region of each of the three partitions of AWS, with %s', (_, assembly) => {
  const regions = ['us-east-1', 'cn-north-1', 'us-gov-west-1']
  const args = [
    '--template',
    templateIn(assembly),
    '--regions',
    ...regions,
    '--format',
    'parseable',
    '--include-checks',
    'I',
    '--ignore-checks',
    redundant,
  ]
  const { stdout, stderr, status } = spawnSync(join(judgesDir, 'venv/bin/cfn-lint'), args, { encoding: 'utf8' })
  expect(stderr).toBe('')
  expect(stdout).toBe('')
  expect(status).toBe(0)
})

test('the template names no partition in an ARN, and no account or region anywhere', () => {
  const template = readFileSync(templateIn(assemblyDir), 'utf8')
  expect(template.match(/arn:aws[a-z-]*:[^"]*/g) ?? []).toEqual([])
  expect(template.match(/:\d{12}:|\b(us|eu|ap|cn)-[a-z]+-\d\b/g) ?? []).toEqual([])
})

test('the validation of the CDK, by the rules of cdk-nag and its own, has no finding', () => {
  const { pluginReports } = JSON.parse(readFileSync(join(assemblyDir, 'validation-report.json'), 'utf8')) as Report
  const findings = pluginReports.flatMap(({ pluginName, violations }) => violations.map(({ ruleName }) => `${pluginName}: ${ruleName}`))
  expect(findings).toEqual([])
})

interface Report {
  readonly pluginReports: readonly { readonly pluginName: string; readonly violations: readonly { readonly ruleName: string }[] }[]
}
