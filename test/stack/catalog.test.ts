import { App, Stack } from 'aws-cdk-lib'
import { Template } from 'aws-cdk-lib/assertions'
import { Bucket } from 'aws-cdk-lib/aws-s3'
import { describe, expect, it } from 'vitest'
import { operationFields } from '../../functions/domain/operate/history-line.ts'
import { glueColumns } from '../../functions/domain/record/glue.ts'
import { lakeFields } from '../../functions/vendors/index.ts'
import { Catalog } from '../../lib/lake/catalog.ts'
import { columnsOf, lakeViews, storedView } from '../../lib/lake/lake-views.ts'
import { layoutOf } from '../../local/services/firehose/s3-destination.ts'
import { readable } from './stack.ts'

interface GlueTable {
  readonly Name: string
  readonly TableType: string
  readonly Parameters: Readonly<Record<string, string>>
  readonly PartitionKeys: readonly { readonly Name: string; readonly Type: string }[]
  readonly StorageDescriptor: {
    readonly Columns: readonly { readonly Name: string; readonly Type: string; readonly Comment: string }[]
    readonly Location?: string
    readonly SerdeInfo: { readonly SerializationLibrary: string }
  }
  readonly ViewOriginalText?: string
}

/** Glue takes no longer comment. */
const commentCharactersMax = 255

function catalogOf(namePrefix = 'tributary') {
  const stack = new Stack(new App(), 'catalog')
  const { databaseName } = new Catalog(stack, 'Catalog', { namePrefix, bucket: new Bucket(stack, 'Bucket') })
  const template = Template.fromStack(stack)
  const tables = Object.values(template.findResources('AWS::Glue::Table')).map(
    ({ Properties }) => readable(Properties.TableInput) as GlueTable,
  )
  return { template, tables, databaseName }
}

const { template, tables } = catalogOf()
const records = tables.find(({ Name }) => Name === 'records')!

describe('the database', () => {
  it('the database is named as the stack, in letters that SQL takes without quotes', () => {
    template.hasResourceProperties('AWS::Glue::Database', { DatabaseInput: { Name: 'tributary' } })
    expect(catalogOf('Second-Lake').databaseName).toBe('second_lake')
  })
})

describe('the table of records', () => {
  it('the table has a column for every field of the lake and one for the history, with a comment that is short enough for Glue', () => {
    const columns = records.StorageDescriptor.Columns.map(({ Name, Type, Comment }) => ({ name: Name, type: Type, comment: Comment }))
    expect(columns).toEqual(glueColumns({ ...lakeFields, ...operationFields }))
    for (const { comment } of columns) expect(comment.length).toBeLessThanOrEqual(commentCharactersMax)
  })

  it('the table is gzipped NDJSON, read by the SerDe with stable results', () => {
    expect(records.TableType).toBe('EXTERNAL_TABLE')
    expect(records.Parameters).toMatchObject({ EXTERNAL: 'TRUE', classification: 'json', compressionType: 'gzip' })
    expect(records.StorageDescriptor.SerdeInfo.SerializationLibrary).toBe('org.apache.hive.hcatalog.data.JsonSerDe')
  })

  it('the table computes its partitions: each day from a fixed one up to now, each hour in two digits', () => {
    expect(records.PartitionKeys.map(({ Name, Type }) => [Name, Type])).toEqual([
      ['dt', 'string'],
      ['hour', 'string'],
    ])
    expect(records.Parameters).toMatchObject({
      'projection.enabled': 'true',
      'projection.dt.type': 'date',
      'projection.dt.format': 'yyyy-MM-dd',
      'projection.dt.range': '2026-11-01,NOW',
      'projection.dt.interval': '1',
      'projection.dt.interval.unit': 'DAYS',
      'projection.hour.type': 'integer',
      'projection.hour.range': '0,23',
      'projection.hour.digits': '2',
    })
  })

  it('the table looks for a partition where the objects of its hour are', () => {
    const bucket = 's3://<Bucket>/'
    const location = records.Parameters['storage.location.template']?.replace('$' + '{dt}', '2026-11-25').replace('$' + '{hour}', '09')
    expect(location).toBe(bucket + layoutOf().folder('2026-11-25T09:08:07.000Z'))
    expect(location?.startsWith(records.StorageDescriptor.Location!)).toBe(true)
  })
})

describe('the views', () => {
  it.each(lakeViews(lakeFields))('the view $name is stored as Athena stores a view', (view) => {
    const stored = tables.find(({ Name }) => Name === view.name)
    expect(stored).toMatchObject({
      TableType: 'VIRTUAL_VIEW',
      Parameters: { presto_view: 'true' },
      PartitionKeys: [],
      ViewExpandedText: '/* Presto View */',
      ViewOriginalText: storedView(view, 'tributary'),
    })
    expect(stored?.StorageDescriptor.Columns.map(({ Name }) => Name)).toEqual(columnsOf(view).map(({ name }) => name))
  })

  it('the catalog has five views beside the table', () => {
    expect(tables.map(({ Name }) => Name).sort()).toEqual([
      'operations',
      'records',
      'syslog',
      'syslog_exact',
      'syslog_newest',
      'syslog_raw',
    ])
  })
})
