import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'

export const region = 'us-east-1'
export const account = '123456789012'

const pseudoParameters: Readonly<Record<string, string>> = {
  'AWS::Partition': 'aws',
  'AWS::Region': region,
  'AWS::AccountId': account,
  'AWS::URLSuffix': 'amazonaws.com',
}

type Json = Readonly<Record<string, unknown>>

export interface Resource {
  readonly logicalId: string
  readonly type: string
  /** The value of `Ref`. */
  readonly ref: string
  readonly name: string
  readonly arn: string
  /** The properties, with every intrinsic function resolved. */
  readonly properties: Json
}

/** The property with the physical name of a type, and the ARN that follows from the name. */
interface Kind {
  readonly nameProperty?: string
  readonly arn?: (name: string, properties: Json) => string
  /** Absent: `Ref` is the name. */
  readonly ref?: 'arn' | ((name: string, properties: Json) => string)
}

const regional =
  (service: string, kind = '') =>
  (name: string) =>
    arnOf(service, `${kind}${name}`)

const kinds: Readonly<Record<string, Kind>> = {
  'AWS::DynamoDB::Table': { nameProperty: 'TableName', arn: regional('dynamodb', 'table/') },
  'AWS::SQS::Queue': {
    nameProperty: 'QueueName',
    arn: regional('sqs'),
    ref: (name) => `https://sqs.${region}.amazonaws.com/${account}/${name}`,
  },
  'AWS::Lambda::Function': { nameProperty: 'FunctionName', arn: regional('lambda', 'function:') },
  'AWS::Lambda::Alias': {
    nameProperty: 'Name',
    arn: (name, { FunctionName }) => arnOf('lambda', `function:${FunctionName}:${name}`),
    ref: 'arn',
  },
  'AWS::Logs::LogGroup': { nameProperty: 'LogGroupName', arn: (name) => arnOf('logs', `log-group:${name}:*`) },
  'AWS::IAM::Role': { nameProperty: 'RoleName', arn: (name) => `arn:aws:iam::${account}:role/${name}` },
  'AWS::KinesisFirehose::DeliveryStream': { nameProperty: 'DeliveryStreamName', arn: regional('firehose', 'deliverystream/') },
  'AWS::S3::Bucket': { nameProperty: 'BucketName', arn: (name) => `arn:aws:s3:::${name}` },
  'AWS::Events::EventBus': { nameProperty: 'Name', arn: regional('events', 'event-bus/') },
  'AWS::Events::Rule': {
    nameProperty: 'Name',
    arn: (name, { EventBusName: bus }) => arnOf('events', bus === undefined ? `rule/${name}` : `rule/${bus}/${name}`),
    ref: (name, { EventBusName: bus }) => (bus === undefined ? name : `${bus}|${name}`),
  },
  'AWS::SNS::Topic': { nameProperty: 'TopicName', arn: regional('sns'), ref: 'arn' },
  'AWS::KMS::Key': { arn: regional('kms', 'key/') },
  'AWS::CloudWatch::Alarm': { nameProperty: 'AlarmName', arn: regional('cloudwatch', 'alarm:') },
  'AWS::CloudWatch::CompositeAlarm': { nameProperty: 'AlarmName', arn: regional('cloudwatch', 'alarm:') },
}

/** The label of every table stream here. DynamoDB makes it from the time. */
export const streamLabel = '2026-01-01T00:00:00.000'

export function arnOf(service: string, resource: string): string {
  return `arn:aws:${service}:${region}:${account}:${resource}`
}

/** A synthesised template, resolved as CloudFormation would deploy it to one account and region. */
export class Stack {
  readonly name: string
  /** The folder of its assets. */
  readonly folder: string
  readonly #template: {
    readonly Resources: Readonly<Record<string, RawResource>>
    readonly Conditions?: Json
    readonly Parameters?: Json
    readonly Outputs?: Json
  }
  readonly #refs: Readonly<Record<string, string>>

  /** `refs` replaces the value of `Ref` for a logical id. */
  constructor(folder: string, refs: Readonly<Record<string, string>> = {}) {
    this.folder = folder
    this.name = stackName(folder)
    this.#template = JSON.parse(readFileSync(join(folder, `${this.name}.template.json`), 'utf8'))
    this.#refs = refs
  }

  withRefs(refs: Readonly<Record<string, string>>): Stack {
    return new Stack(this.folder, { ...this.#refs, ...refs })
  }

  ofType(type: string): readonly Resource[] {
    return Object.entries(this.#template.Resources).flatMap(([logicalId, { Type, Condition }]) =>
      Type === type && (Condition === undefined || this.#condition(Condition)) ? [this.resource(logicalId)] : [],
    )
  }

  /** The resource of this type whose logical id begins with `prefix`. Throws unless there is exactly one. */
  only(type: string, prefix = ''): Resource {
    const found = this.ofType(type).filter(({ logicalId }) => logicalId.startsWith(prefix))
    if (found.length === 1 && found[0] !== undefined) return found[0]
    throw new Error(`${found.length} of ${type} begin with "${prefix}", not one: ${found.map(({ logicalId }) => logicalId).join(', ')}`)
  }

  /** The resource with this ARN. Throws if there is none. */
  byArn(type: string, arn: unknown): Resource {
    const found = this.ofType(type).find((resource) => resource.arn === arn)
    if (found === undefined) throw new Error(`No ${type} has the ARN ${String(arn)}`)
    return found
  }

  resource(logicalId: string): Resource {
    const raw = this.#raw(logicalId)
    const { name, arn } = this.#names(logicalId)
    return { logicalId, type: raw.Type, ref: this.#ref(logicalId), name, arn, properties: this.#resolve(raw.Properties ?? {}) as Json }
  }

  outputs(): Readonly<Record<string, string>> {
    const outputs = this.#resolve(this.#template.Outputs ?? {}) as Readonly<Record<string, { readonly Value: unknown }>>
    return Object.fromEntries(Object.entries(outputs).map(([name, { Value }]) => [name, String(Value)]))
  }

  /** The folder of a function's code. */
  asset(s3Key: unknown): string {
    const { files } = JSON.parse(readFileSync(join(this.folder, `${this.name}.assets.json`), 'utf8'))
    const asset = files[String(s3Key).replace(/\.zip$/, '')]
    if (asset === undefined) throw new Error(`${String(s3Key)} is no asset of ${this.name}`)
    return join(this.folder, asset.source.path)
  }

  #raw(logicalId: string): RawResource {
    const raw = this.#template.Resources[logicalId]
    if (raw === undefined) throw new Error(`${logicalId} is no resource of ${this.name}`)
    return raw
  }

  #names(logicalId: string): { readonly name: string; readonly arn: string } {
    const { Type, Properties = {} } = this.#raw(logicalId)
    const { nameProperty, arn } = kinds[Type] ?? {}
    const given = nameProperty === undefined ? undefined : Properties[nameProperty]
    const name = given === undefined ? generatedName(this.name, logicalId, Type) : String(this.#resolve(given))
    return { name, arn: arn === undefined ? name : arn(name, this.#parentOf(Properties)) }
  }

  /** The resource that this one belongs to, by its name: it is a part of the ARN. */
  #parentOf(properties: Json): Json {
    const parents = ['EventBusName', 'FunctionName'].filter((name) => properties[name] !== undefined)
    return Object.fromEntries(parents.map((name) => [name, this.#resolve(properties[name])]))
  }

  #ref(logicalId: string): string {
    const replaced = this.#refs[logicalId]
    if (replaced !== undefined) return replaced
    const { Type, Properties = {} } = this.#raw(logicalId)
    const { name, arn } = this.#names(logicalId)
    const { ref } = kinds[Type] ?? {}
    if (ref === undefined) return name
    return ref === 'arn' ? arn : ref(name, this.#parentOf(Properties))
  }

  #attribute(logicalId: string, attribute: string): string {
    const { name, arn } = this.#names(logicalId)
    const { Type } = this.#raw(logicalId)
    if (/(^|\.)(Arn|TopicArn)$/.test(attribute)) return arn
    if (attribute === 'StreamArn') return `${arn}/stream/${streamLabel}`
    if (/^(Name|QueueName|TopicName)$/.test(attribute)) return name
    if (attribute === 'RegionalDomainName') return `${name}.s3.${region}.amazonaws.com`
    throw new Error(`What is ${attribute} of a ${Type} (${logicalId})?`)
  }

  #condition(name: string): boolean {
    const condition = this.#template.Conditions?.[name]
    if (condition === undefined) throw new Error(`${name} is no condition of ${this.name}`)
    return this.#resolve(condition) === true
  }

  #resolve(value: unknown): unknown {
    if (Array.isArray(value)) return value.map((element) => this.#resolve(element)).filter((element) => element !== undefined)
    if (typeof value !== 'object' || value === null) return value
    const entries = Object.entries(value)
    const [first] = entries
    if (first !== undefined && entries.length === 1 && (first[0] === 'Ref' || first[0] === 'Condition' || first[0].startsWith('Fn::')))
      return this.#intrinsic(first[0], first[1])
    return Object.fromEntries(entries.map(([key, element]) => [key, this.#resolve(element)]).filter(([, element]) => element !== undefined))
  }

  #intrinsic(name: string, argument: unknown): unknown {
    switch (name) {
      case 'Ref':
        return this.#parameterOrRef(String(argument))
      case 'Condition':
        // In a policy, `Condition` belongs to IAM.
        return typeof argument === 'string' ? this.#condition(argument) : { Condition: this.#resolve(argument) }
      case 'Fn::GetAtt': {
        const [logicalId, attribute] = Array.isArray(argument) ? argument : String(argument).split(/\.(.*)/s)
        return this.#attribute(logicalId, attribute)
      }
      case 'Fn::Sub': {
        const [text, values] = Array.isArray(argument) ? argument : [argument, {}]
        return String(text).replaceAll(/\$\{(!?)([^}]+)\}/g, (_, literal: string, key: string) => {
          if (literal !== '') return `\${${key}}`
          if (Object.hasOwn(values, key)) return String(this.#resolve(values[key]))
          const [logicalId = '', attribute] = key.split(/\.(.*)/s)
          return attribute === undefined ? String(this.#parameterOrRef(key)) : this.#attribute(logicalId, attribute)
        })
      }
      default:
        return listFunction(name, (this.#resolve(Array.isArray(argument) ? argument : [argument]) ?? []) as unknown[], (condition) =>
          this.#condition(condition),
        )
    }
  }

  #parameterOrRef(name: string): unknown {
    if (name === 'AWS::NoValue') return undefined
    if (name === 'AWS::StackName') return this.name
    if (name === 'AWS::StackId') return arnOf('cloudformation', `stack/${this.name}/00000000-0000-0000-0000-000000000000`)
    const parameter = this.#template.Parameters?.[name] as { readonly Default?: unknown } | undefined
    return pseudoParameters[name] ?? parameter?.Default ?? this.#ref(name)
  }
}

interface RawResource {
  readonly Type: string
  readonly Condition?: string
  readonly Properties?: Json
}

function listFunction(name: string, args: unknown[], condition: (name: string) => boolean): unknown {
  const [first, second, third] = args
  switch (name) {
    case 'Fn::Join':
      return (second as unknown[]).join(String(first))
    case 'Fn::Split':
      return String(second).split(String(first))
    case 'Fn::Select':
      return (second as unknown[])[Number(first)]
    case 'Fn::If':
      return condition(String(first)) ? second : third
    case 'Fn::Equals':
      return first === second
    case 'Fn::Not':
      return first !== true
    case 'Fn::And':
      return args.every((arg) => arg === true)
    case 'Fn::Or':
      return args.some((arg) => arg === true)
    default:
      throw new Error(`${name} is not resolved here`)
  }
}

/** A name as CloudFormation generates it: the stack, the logical id and a suffix. */
function generatedName(stack: string, logicalId: string, type: string): string {
  const suffix = createHash('sha256').update(logicalId).digest('hex').slice(0, 12)
  const name = `${stack}-${logicalId.slice(0, 24)}-${suffix}`
  return type === 'AWS::S3::Bucket' ? name.toLowerCase() : name
}

function stackName(folder: string): string {
  const { artifacts } = JSON.parse(readFileSync(join(folder, 'manifest.json'), 'utf8'))
  const stacks = Object.keys(artifacts).filter((id) => artifacts[id].type === 'aws:cloudformation:stack')
  if (stacks.length !== 1 || stacks[0] === undefined) throw new Error(`${folder} holds the stacks ${stacks.join(', ')}; one is wanted`)
  return stacks[0]
}
