import { execFile } from 'node:child_process'
import { existsSync, globSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { explained } from './findings.ts'
import { assemblyDir, fullAssemblyDir, judgesDir } from './folders.ts'
import { Stack } from './template.ts'

/** Judges the template by the rules of checkov, of Control Tower and of the AWS Guard registry. */

type Findings = Readonly<Record<string, readonly string[]>>

const variants = [
  ['usual', 'with the usual settings', assemblyDir],
  ['full', 'with every setting', fullAssemblyDir],
] as const

const guardDir = join(judgesDir, 'npm/node_modules/@cdklabs/cdk-validator-cfnguard')
const [registry = ''] = globSync(
  join(judgesDir, 'rules/lib/python3*/site-packages/awslabs/aws_iac_mcp_server/data/default_guard_rules.guard'),
)
const controlTower = join(guardDir, 'rules/control-tower/cfn-guard')
/** Fewer means that a judge did not look at the template (count). */
const metMin = { checkov: 90, registry: 20, controlTower: 12 }

describe.each(variants)('the template %s, %s,', (variant, _, folder) => {
  const template = join(folder, `${new Stack(folder).name}.template.json`)

  test('has no finding but those that are explained, and each explained one', async () => {
    const [checkov, fromRegistry, fromControlTower] = await Promise.all([
      judgedByCheckov(template),
      judgedByGuard(template, registry),
      judgedByGuard(template, controlTower),
    ])
    expect(checkov.met).toBeGreaterThanOrEqual(metMin.checkov)
    expect(fromRegistry.met).toBeGreaterThanOrEqual(metMin.registry)
    expect(fromControlTower.met).toBeGreaterThanOrEqual(metMin.controlTower)

    const wanted = Object.entries(explained).flatMap(([rule, { [variant]: resources }]) =>
      resources === undefined ? [] : [[rule, [...resources].sort()]],
    )
    expect({ ...checkov.findings, ...fromRegistry.findings, ...fromControlTower.findings }).toEqual(Object.fromEntries(wanted))
  })
})

interface Judgement {
  readonly findings: Findings
  /** Number of rules, or of single checks, that the template met. */
  readonly met: number
}

/** The key of its maker's service is not given, so checkov asks nobody. */
async function judgedByCheckov(template: string): Promise<Judgement> {
  const flags = ['--framework', 'cloudformation', '--skip-download', '--quiet', '--compact', '--output', 'json']
  const report = JSON.parse(await output(join(judgesDir, 'rules/bin/checkov'), ['--file', template, ...flags])) as CheckovReport
  const findings: Record<string, string[]> = {}
  for (const { check_id, resource } of report.results.failed_checks) findings[check_id] = [...(findings[check_id] ?? []), resource]
  return { findings: named(findings), met: report.summary.passed }
}

interface CheckovReport {
  readonly results: { readonly failed_checks: readonly { readonly check_id: string; readonly resource: string }[] }
  readonly summary: { readonly passed: number }
}

async function judgedByGuard(template: string, rules: string): Promise<Judgement> {
  if (!existsSync(rules)) throw new Error(`There are no rules at "${rules}".`)
  const flags = ['--structured', '--output-format', 'json', '--show-summary', 'none']
  const [report] = JSON.parse(await output(guard(), ['validate', '--data', template, '--rules', rules, ...flags])) as GuardReport[]
  if (report === undefined) throw new Error('cfn-guard judged no template')
  const resources = (finding: unknown) => JSON.stringify(finding).match(/(?<=\/Resources\/)\w+/g) ?? []
  const findings = report.not_compliant.map((finding) => [finding.Rule.name, resources(finding)] as const)
  return { findings: named(Object.fromEntries(findings)), met: report.compliant.length }
}

interface GuardReport {
  readonly compliant: readonly string[]
  readonly not_compliant: readonly { readonly Rule: { readonly name: string } }[]
}

function guard(): string {
  const system = process.platform === 'darwin' ? 'macos' : 'ubuntu'
  return join(guardDir, 'bin', system, process.arch === 'arm64' ? 'aarch64' : 'x86_64', 'cfn-guard')
}

/** Each resource once, without the type before its id and the digits after it. */
function named(findings: Findings): Findings {
  const plain = (id: string) => id.replace(/^.*\./, '').replace(/[0-9A-F]{8}$/, '')
  return Object.fromEntries(Object.entries(findings).map(([rule, ids]) => [rule, [...new Set(ids.map(plain))].sort()]))
}

/** The exit codes of the judges only say that there are findings. */
function output(command: string, args: readonly string[]): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>()
  execFile(command, args, { maxBuffer: 2 ** 26 }, (error, stdout, stderr) => {
    if (stdout.trim() === '') reject(new Error(`${command} gave no report: ${stderr}`, { cause: error }))
    else resolve(stdout)
  })
  return promise
}
