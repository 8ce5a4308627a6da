import { execFile } from 'node:child_process'
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { describe, expect, it } from 'vitest'
import * as z from 'zod'
import { keyPolicyStatements } from '../../lib/key-policy.ts'
import { readSettings, SettingsError, settingsShape } from '../../lib/settings.ts'
import { noSettings } from './stack.ts'

const run = promisify(execFile)

function file(content: string): string {
  const path = join(mkdtempSync(join(tmpdir(), 'settings-')), 'settings.json')
  writeFileSync(path, content)
  return path
}

const settingsWith = (overrides: Readonly<Record<string, unknown>>) => readSettings({ settings: noSettings, ...overrides }).settings

/** The sentences about the settings of a file, without its name, and about those of the command line. */
function mistakes(inFile: object, overrides: Readonly<Record<string, string>> = {}): readonly string[] {
  const path = file(JSON.stringify(inFile))
  return mistakesOf(() => readSettings({ settings: path, ...overrides })).map((line) => line.replace(`${path}: `, ''))
}

function mistakesOf(read: () => unknown): readonly string[] {
  try {
    read()
  } catch (error) {
    if (error instanceof SettingsError) return error.message.split('\n')
    throw error
  }
  return []
}

describe('the settings', () => {
  it('every setting has a default or may be missing', () => {
    expect(settingsWith({})).toEqual({
      namePrefix: 'tributary',
      alarmEmails: [],
      lagAlarmMinutes: 120,
      logRetentionDays: 30,
      lakeRetentionDays: 400,
      allowedHosts: [],
      sharedRateGroups: [],
      tenantsWithOperators: [],
      noProxy: [],
      tlsVerificationOptional: false,
      collectConcurrency: 8,
      collectMemoryMb: 320,
      architecture: 'arm64',
      removalPolicy: 'retain',
      secretPrefix: 'tributary/',
      athenaScanLimitGb: 100,
    })
  })

  it('the example file is accepted, and with another name it makes another stack', () => {
    expect(readSettings({ settings: 'settings.example.json' }).settings).toMatchObject({ namePrefix: 'tributary' })
    const { settings } = readSettings({ settings: 'settings.example.json', namePrefix: 'second' })
    expect(settings.secretPrefix).toBe('second/')
  })

  it('the file decides if the command line overrides nothing', () => {
    const path = file('{"lakeRetentionDays": 730, "alarmEmails": ["ops@example.com"]}')
    expect(readSettings({ settings: path })).toMatchObject({
      settings: { lakeRetentionDays: 730, alarmEmails: ['ops@example.com'] },
      overridden: [],
    })
  })

  it('secrets are under the name of the stack unless secretPrefix says otherwise', () => {
    expect(settingsWith({ namePrefix: 'second' }).secretPrefix).toBe('second/')
    expect(settingsWith({ namePrefix: 'second', secretPrefix: 'own/' }).secretPrefix).toBe('own/')
  })
})

describe('the docs', () => {
  it.each(Object.entries(settingsShape))('the docs have %s with its default', (name, schema) => {
    const { description, shownDefault } = z.object({ description: z.string(), shownDefault: z.string().optional() }).parse(schema.meta())
    const byDefault = schema.safeParse(undefined).data
    const shown = shownDefault ?? (byDefault === undefined ? '' : `\`${JSON.stringify(byDefault)}\``)
    expect(readFileSync('docs/settings.md', 'utf8').split('\n')).toContain(`| \`${name}\` | ${shown} | ${description} |`)
  })
})

describe('the policy of a KMS key of your own', () => {
  const statements = keyPolicyStatements('arn:aws-cn:kms:cn-north-1:111122223333:key/0f0f0f0f-1111-2222-3333-444455556666', 'second')

  it('the policy lets the services use the key in their own name, and only for the logs and the bus of this stack', () => {
    const [logs, alarms, events, bus] = statements
    expect(logs.Principal.Service).toBe('logs.cn-north-1.amazonaws.com.cn')
    expect(logs.Condition.ArnLike['kms:EncryptionContext:aws:logs:arn']).toEqual([
      'arn:aws-cn:logs:cn-north-1:111122223333:log-group:/aws/lambda/second-*',
      'arn:aws-cn:logs:cn-north-1:111122223333:log-group:/second/*',
    ])
    expect(alarms.Principal.Service).toBe('cloudwatch.amazonaws.com')
    expect([events.Principal.Service, bus.Principal.Service]).toEqual(['events.amazonaws.com', 'events.amazonaws.com'])
    expect(events.Condition.StringEquals['kms:EncryptionContext:aws:events:event-bus:arn']).toBe(
      'arn:aws-cn:events:cn-north-1:111122223333:event-bus/second',
    )
  })

  it('every statement has a condition that names the account', () => {
    for (const { Sid, Condition } of statements) expect(JSON.stringify(Condition), Sid).toContain('111122223333')
  })
})

describe('the command line', () => {
  const texts = {
    namePrefix: ['second', 'second'],
    lagAlarmMinutes: ['240', 240],
    alarmEmails: ['a@example.com,b@example.com', ['a@example.com', 'b@example.com']],
    alarmTopicArn: ['arn:aws:sns:eu-west-1:111122223333:alarms', 'arn:aws:sns:eu-west-1:111122223333:alarms'],
    logRetentionDays: ['90', 90],
    lakeRetentionDays: ['30', 30],
    allowedHosts: ['localhost:8080', ['localhost:8080']],
    sharedRateGroups: ['msp,one.customer', ['msp', 'one.customer']],
    tenantsWithOperators: ['acme,north-2', ['acme', 'north-2']],
    tlsVerificationOptional: ['true', true],
    collectConcurrency: ['10', 10],
    collectMemoryMb: ['1024', 1_024],
    architecture: ['x86_64', 'x86_64'],
    reservedConcurrency: ['60', 60],
    removalPolicy: ['destroy', 'destroy'],
    kmsKeyArn: [
      'arn:aws:kms:eu-west-1:111122223333:key/0f0f0f0f-1111-2222-3333-444455556666',
      'arn:aws:kms:eu-west-1:111122223333:key/0f0f0f0f-1111-2222-3333-444455556666',
    ],
    secretPrefix: ['security/tributary/', 'security/tributary/'],
    httpsProxy: ['http://proxy.example.com:3128', 'http://proxy.example.com:3128'],
    noProxy: ['direct.example.com,.example.org:8443', ['direct.example.com', '.example.org:8443']],
    vpc: [
      '{"subnetIds":["subnet-01234567"],"securityGroupIds":["sg-01234567"]}',
      { subnetIds: ['subnet-01234567'], securityGroupIds: ['sg-01234567'] },
    ],
    accessLogBucket: ['logs-of-acme', 'logs-of-acme'],
    athenaScanLimitGb: ['5', 5],
  } as const satisfies Record<keyof typeof settingsShape, readonly [string, unknown]>

  it.each(Object.entries(texts))('the command line overrides %s', (name, [text, value]) => {
    expect(readSettings({ settings: noSettings, [name]: text })).toMatchObject({ settings: { [name]: value }, overridden: [name] })
  })

  it('an empty value brings the default back', () => {
    const path = file('{"alarmTopicArn": "arn:aws:sns:eu-west-1:111122223333:alarms", "lakeRetentionDays": 30}')
    const { settings } = readSettings({ settings: path, alarmTopicArn: '', lakeRetentionDays: '' })
    expect(settings).not.toHaveProperty('alarmTopicArn', expect.anything())
    expect(settings.lakeRetentionDays).toBe(400)
  })

  it('the command line may carry context of the CDK', () => {
    expect(mistakes({}, { 'aws:cdk:bundling-stacks': '[]', '@aws-cdk/core:newStyleStackSynthesis': 'true' })).toEqual([])
  })
})

describe('a mistake', () => {
  it('the sentence about a mistake has the value seen and the values allowed', () => {
    expect(mistakes({ lakeRetentionDays: '30' })).toEqual(['lakeRetentionDays: It is "30". Give days, a whole number from 1 to 36500.'])
    expect(mistakes({ removalPolicy: 'keep' })).toEqual(['removalPolicy: It is "keep". Give one of: retain, destroy.'])
    expect(mistakes({ alarmEmails: ['ops'] })).toEqual(['alarmEmails[0]: It is "ops". Give a mail address.'])
    expect(mistakes({ vpc: { subnetIds: [], securityGroupIds: ['sg-01234567'] } })).toEqual([
      'vpc.subnetIds: It is a list of 0. Give one or more ids of subnets.',
    ])
    const six = Array.from({ length: 6 }, (_, i) => `sg-0123456${i}`)
    expect(mistakes({ vpc: { subnetIds: ['subnet-01234567'], securityGroupIds: six } })).toEqual([
      'vpc.securityGroupIds: It is a list of 6. Give one to five ids of security groups.',
    ])
    expect(mistakes({ alarmEmails: ['a@example.com', 'a@example.com'] })).toEqual([
      'alarmEmails: It is a list of 2. Give mail addresses, each of them once.',
    ])
    expect(mistakes({ namePrefix: 'Tributary' })).toEqual([
      'namePrefix: It is "Tributary". Give 2 to 30 lower-case letters, digits or hyphens, a letter first.',
    ])
  })

  it('a tenant with operators needs the name of an alias that is not the provider’s', () => {
    const [, rule = ''] = /Give (.*)$/.exec(mistakes({ tenantsWithOperators: ['all'] })[0] ?? '') ?? []
    expect(rule).toMatch(/^the tenant of a connector’s id: .* all is the provider’s/)
    for (const tenant of ['all', '2026', 'Acme', 'acme.cas', '', 'a'.repeat(41)])
      expect(mistakes({ tenantsWithOperators: ['acme', tenant] })).toEqual([
        `tenantsWithOperators[1]: It is ${JSON.stringify(tenant)}. Give ${rule}`,
      ])
    expect(mistakes({ tenantsWithOperators: ['acme', 'acme'] })).toEqual([
      'tenantsWithOperators: It is a list of 2. Give tenants, each of them once.',
    ])
    expect(mistakes({ tenantsWithOperators: Array.from({ length: 151 }, (_, i) => `t${i}`) })).toEqual([
      'tenantsWithOperators: It is a list of 151. Give 150 tenants at most.',
    ])
    expect(mistakes({ tenantsWithOperators: ['a', '2nd', 'all-2', 'a'.repeat(40)] })).toEqual([])
  })

  it('the sentence about an unknown name says which name may be meant', () => {
    expect(mistakes({ lakeRetention: 30 })).toEqual([
      '"lakeRetention" is no attribute of the settings. Did you mean lakeRetentionDays? Rename or remove it.',
    ])
  })

  it('an unknown name within a setting is a mistake as well', () => {
    const vpc = { subnetIds: ['subnet-01234567'], securityGroupIds: ['sg-01234567'] }
    expect(mistakes({ vpc: { ...vpc, vpcId: 'vpc-1' } })).toEqual([
      expect.stringMatching(/^vpc: "vpcId" is no attribute of vpc\. .*subnetIds, securityGroupIds/),
    ])
  })

  it('the sentence about a mistake on the command line begins with -c', () => {
    expect(mistakes({}, { collectConcurrency: 'many' })).toEqual([
      '-c collectConcurrency: It is "many". Give runs at the same time, a whole number from 2 to 1000.',
    ])
    expect(mistakes({}, { removalpolicy: 'destroy' })).toEqual([
      '-c "removalpolicy" is no attribute of the settings. Did you mean removalPolicy? Rename or remove it.',
    ])
  })

  it('one mistake does not hide another', () => {
    expect(mistakes({ lakeRetentionDays: 0, logRetentionDays: 31, extra: 1 }, { architecture: 'arm' })).toHaveLength(4)
  })

  it('two settings that contradict each other are a mistake', () => {
    expect(mistakes({ reservedConcurrency: 7 })).toEqual([
      'reservedConcurrency: It is 7, less than collectConcurrency, 8. Give at least that, or leave it out.',
    ])
  })

  it('a mistake ends the synth, which prints nothing else', async () => {
    const context = { settings: noSettings, lakeRetentionDays: 'long', namePrefx: 'second' }
    const synth = run(process.execPath, ['lib/app.ts'], { env: { CDK_CONTEXT_JSON: JSON.stringify(context) } })
    await expect(synth).rejects.toMatchObject({
      code: 1,
      stdout: '',
      stderr: `-c lakeRetentionDays: It is "long". Give days, a whole number from 1 to 36500.
-c "namePrefx" is no attribute of the settings. Did you mean namePrefix? Rename or remove it.
`,
    })
  })

  it('a file that cannot be read is a mistake', () => {
    const broken = file('{"namePrefix": "tributary",}')
    expect(mistakesOf(() => readSettings({ settings: broken }))).toEqual([expect.stringContaining(`${broken}: It cannot be read as JSON.`)])
    const list = file('[]')
    expect(mistakesOf(() => readSettings({ settings: list }))).toEqual([
      `${list}: It is a list of 0. Give a JSON object as in settings.example.json.`,
    ])
    expect(mistakesOf(() => readSettings({ settings: 'no/such/file.json' }))).toEqual([
      'no/such/file.json: There is no such file. Copy settings.example.json to it, or leave the option out.',
    ])
  })
})
