import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import * as z from 'zod'
import { stackWith, templateWith } from './stack.ts'

const joined = z.object({ 'Fn::Join': z.tuple([z.literal(''), z.array(z.unknown())]) })
const ref = z.object({ Ref: z.string() })
const bodySchema = z.object({ widgets: z.array(z.looseObject({ type: z.string(), properties: z.looseObject({}) })) })

const template = templateWith().toJSON()
const resources = z.record(z.string(), z.looseObject({ Type: z.string(), Properties: z.looseObject({}) })).parse(template['Resources'])

/** The body of a dashboard, with the ARN of each alias as people write it. */
function bodyOf(name: string) {
  const found = Object.values(resources).find(
    ({ Type, Properties }) => Type === 'AWS::CloudWatch::Dashboard' && Properties['DashboardName'] === name,
  )
  const parts = joined.parse(found?.Properties['DashboardBody'])['Fn::Join'][1]
  return bodySchema.parse(JSON.parse(parts.map(textOf).join('')))
}

function textOf(part: unknown): string {
  if (typeof part === 'string') return part
  const { Ref } = z.catch(ref, { Ref: '' }).parse(part)
  if (Ref === 'AWS::Region') return 'REGION'
  if (Ref === 'AWS::AccountId') return 'ACCOUNT'
  const alias = resources[Ref]
  if (alias?.Type !== 'AWS::Lambda::Alias') return 'TOKEN'
  const fn = ref.parse(alias.Properties['FunctionName']).Ref
  return `arn:aws:lambda:REGION:ACCOUNT:function:${resources[fn]?.Properties['FunctionName']}:${alias.Properties['Name']}`
}

describe('the dashboard that operates connectors', () => {
  it('is one widget of the whole width, which calls the alias of the provider', () => {
    const { widgets } = bodyOf('tributary-operate')
    expect(widgets).toMatchObject([
      { type: 'custom', width: 24, properties: { endpoint: 'arn:aws:lambda:REGION:ACCOUNT:function:tributary-operate:all' } },
    ])
  })

  it('is redrawn by its own buttons alone, because anything else would empty a form', () => {
    expect(bodyOf('tributary-operate').widgets[0]?.properties).toMatchObject({
      updateOn: { refresh: false, resize: false, timeRange: false },
    })
  })

  it('is linked from the dashboard of the stack, which calls no function that acts', () => {
    const body = JSON.stringify(bodyOf('tributary'))
    expect(body).toContain('(#dashboards:name=tributary-operate)')
    expect(body).toContain('function:tributary-status-widget:all')
    expect(body).not.toContain('function:tributary-operate')
  })

  it('has an output with its name', () => {
    expect(template['Outputs']).toMatchObject({ OperateDashboardName: { Value: 'tributary-operate' } })
  })

  it('is made for the provider alone, however many tenants have operators: docs/operations.md has the same for one of them', () => {
    const tenants = ['acme', 'globex']
    const names = stackWith({ tenantsWithOperators: tenants })
      .stack.node.findAll()
      .filter(({ node }) => node.path.endsWith('OperateDashboard'))
    expect(names).toHaveLength(1)
    const docs = readFileSync(new URL('../../docs/operations.md', import.meta.url), 'utf8')
    const [, shown = ''] = /<!-- dashboard -->\n```json\n([\s\S]+?)```/.exec(docs) ?? []
    expect(shown).toContain('function:tributary-operate:acme"')
    expect(JSON.parse(shown.replace('operate:acme', 'operate:all'))).toEqual(bodyOf('tributary-operate'))
  })
})
