import { Stack } from 'aws-cdk-lib'
import { CfnDatabase, CfnTable } from 'aws-cdk-lib/aws-glue'
import type { IBucket } from 'aws-cdk-lib/aws-s3'
import { Construct } from 'constructs'
import { operationFields } from '../../functions/domain/operate/history-line.ts'
import { glueColumns } from '../../functions/domain/record/glue.ts'
import { lakeFields } from '../../functions/vendors/index.ts'
import { recordsFolder } from './lake-layout.ts'
import { columnsOf, lakeViews, partitionKeys, recordsTable, storedView } from './lake-views.ts'

export interface CatalogProps {
  /** Names the database, with `_` in place of each character that is neither a letter nor a digit. */
  readonly namePrefix: string
  readonly bucket: IBucket
}

/** Nothing was delivered before this day. Without a condition on dt, a query asks for the folder of each hour since then. */
const firstDay = '2026-11-01'

/** The lake as tables: `records`, made from the field table, and its views. */
export class Catalog extends Construct {
  readonly databaseName: string

  constructor(scope: Construct, id: string, props: CatalogProps) {
    super(scope, id)
    const { namePrefix, bucket } = props
    const catalogId = Stack.of(this).account
    this.databaseName = namePrefix.toLowerCase().replaceAll(/[^a-z0-9]/g, '_')

    const database = new CfnDatabase(this, 'Database', {
      catalogId,
      databaseInput: { name: this.databaseName, description: 'Security logs that Tributary collected.' },
    })
    const location = `s3://${bucket.bucketName}/${recordsFolder}`
    new CfnTable(this, 'Records', {
      catalogId,
      databaseName: database.ref,
      tableInput: {
        name: recordsTable,
        description: 'Every line as delivered: records, and the history of operations. The views show each of them once.',
        tableType: 'EXTERNAL_TABLE',
        partitionKeys: [...partitionKeys],
        parameters: {
          EXTERNAL: 'TRUE',
          classification: 'json',
          compressionType: 'gzip',
          ...projection,
          'storage.location.template': `${location}dt=\${dt}/hour=\${hour}/`,
        },
        storageDescriptor: {
          columns: glueColumns({ ...lakeFields, ...operationFields }),
          location,
          inputFormat: 'org.apache.hadoop.mapred.TextInputFormat',
          outputFormat: 'org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat',
          // Not the SerDe of OpenX: by Athena's guide its results can vary.
          // https://docs.aws.amazon.com/athena/latest/ug/openx-json-serde.html
          serdeInfo: { serializationLibrary: 'org.apache.hive.hcatalog.data.JsonSerDe' },
        },
      },
    })

    for (const view of lakeViews(lakeFields)) {
      const table = new CfnTable(this, view.name, {
        catalogId,
        databaseName: database.ref,
        tableInput: {
          name: view.name,
          description: view.doc,
          tableType: 'VIRTUAL_VIEW',
          parameters: { presto_view: 'true', comment: 'Presto View' },
          viewOriginalText: storedView(view, this.databaseName),
          viewExpandedText: '/* Presto View */',
          storageDescriptor: { columns: [...columnsOf(view)], serdeInfo: { name: '-', serializationLibrary: '-' } },
        },
      })
      // Athena needs the empty list, and the CDK leaves out an empty property.
      table.addPropertyOverride('TableInput.PartitionKeys', [])
    }
  }
}

/** Athena computes the partitions, so nobody has to add them: https://docs.aws.amazon.com/athena/latest/ug/partition-projection.html */
const projection = {
  'projection.enabled': 'true',
  'projection.dt.type': 'date',
  'projection.dt.format': 'yyyy-MM-dd',
  'projection.dt.range': `${firstDay},NOW`,
  'projection.dt.interval': '1',
  'projection.dt.interval.unit': 'DAYS',
  'projection.hour.type': 'integer',
  'projection.hour.range': '0,23',
  'projection.hour.digits': '2',
} as const
