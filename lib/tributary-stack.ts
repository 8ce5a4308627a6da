import { CfnElement, CfnOutput, RemovalPolicy, Stack } from 'aws-cdk-lib'
import { Key } from 'aws-cdk-lib/aws-kms'
import type { Construct } from 'constructs'
import { CollectFunction } from './functions/collect-function.ts'
import { ConnectorChangedFunction } from './functions/connector-changed-function.ts'
import { DispatchFunction } from './functions/dispatch-function.ts'
import { mapFunctions } from './functions/function-names.ts'
import { OperateFunction } from './functions/operate-function.ts'
import { StatusWidgetFunction } from './functions/status-widget-function.ts'
import { Catalog } from './lake/catalog.ts'
import { DeliveryStream } from './lake/delivery-stream.ts'
import { LakeBucket } from './lake/lake-bucket.ts'
import { QueryWorkgroup } from './lake/query-workgroup.ts'
import { Alarms } from './monitoring/alarms.ts'
import { Dashboard } from './monitoring/dashboard/dashboard.ts'
import { OperateDashboard, operateDashboardName } from './monitoring/dashboard/operate-dashboard.ts'
import { LogQueries } from './monitoring/log-queries.ts'
import { Notifications } from './monitoring/notifications.ts'
import type { ObservedPipeline } from './monitoring/observed-pipeline.ts'
import { acknowledgeFindings } from './nag.ts'
import type { Settings } from './settings.ts'
import { ConnectorsTable } from './state/connectors-table.ts'
import { DeadLetterQueue, WorkQueue } from './state/queues.ts'
import { StateTable } from './state/state-table.ts'

export interface TributaryStackProps {
  readonly settings: Settings
}

/** The whole stack. It looks up nothing in an account or region, so one template fits all of them. */
export class TributaryStack extends Stack {
  constructor(scope: Construct, id: string, { settings }: TributaryStackProps) {
    super(scope, id, {
      stackName: settings.namePrefix,
      description: 'Tributary: security logs of SaaS vendors in a lake of your own',
      // The bill shows the cost of the stack by this tag.
      tags: { tributary: settings.namePrefix },
      terminationProtection: settings.removalPolicy !== 'destroy',
    })
    const { namePrefix } = settings
    const removalPolicy = settings.removalPolicy === 'destroy' ? RemovalPolicy.DESTROY : RemovalPolicy.RETAIN
    const encryptionKey = settings.kmsKeyArn === undefined ? undefined : Key.fromKeyArn(this, 'Key', settings.kmsKeyArn)
    const metricsNamespace = `Tributary/${namePrefix}`

    const connectorsTable = new ConnectorsTable(this, 'ConnectorsTable', { removalPolicy, encryptionKey })
    const stateTable = new StateTable(this, 'StateTable', { removalPolicy, encryptionKey })
    const { bucket } = new LakeBucket(this, 'Lake', {
      retentionDays: settings.lakeRetentionDays,
      encryptionKey,
      ...(settings.accessLogBucket === undefined ? {} : { accessLogs: { bucketName: settings.accessLogBucket, prefix: `${namePrefix}/` } }),
      removable: settings.removalPolicy === 'destroy',
    })
    this.pin('ConnectorsTable', connectorsTable)
    this.pin('StateTable', stateTable)
    this.pin('LakeBucket', bucket)

    const { deliveryStreamName, deliveryStreamArn } = new DeliveryStream(this, 'Delivery', {
      namePrefix,
      bucket,
      logRetention: settings.logRetentionDays,
    })
    const { databaseName } = new Catalog(this, 'Catalog', { namePrefix, bucket })
    const { workgroupName } = new QueryWorkgroup(this, 'Queries', {
      namePrefix,
      bucket,
      databaseName,
      scanBytesMax: settings.athenaScanLimitGb * 1024 ** 3,
    })
    const notifications = new Notifications(this, 'Notices', {
      namePrefix,
      topicArn: settings.alarmTopicArn,
      mails: settings.alarmEmails,
      encryptionKey,
    })
    const { bus, topic, ruleName: notificationsRuleName } = notifications

    const deadLetterQueues = {
      work: new DeadLetterQueue(this, 'WorkDeadLetters', { encryptionKey }),
      changes: new DeadLetterQueue(this, 'ChangeDeadLetters', { encryptionKey }),
    }
    const workQueue = new WorkQueue(this, 'WorkQueue', { encryptionKey, deadLetters: deadLetterQueues.work })

    const common = { settings, encryptionKey, metricsNamespace, stateTable, workQueue, bus }
    const functions = {
      collect: new CollectFunction(this, 'Collect', { ...common, deliveryStreamName, deliveryStreamArn }),
      connectorChanged: new ConnectorChangedFunction(this, 'ConnectorChanged', {
        ...common,
        connectorsTable,
        deadLetters: deadLetterQueues.changes,
      }),
      dispatch: new DispatchFunction(this, 'Dispatch', { ...common, connectorsTable }),
      operate: new OperateFunction(this, 'Operate', { ...common, connectorsTable, deliveryStreamName, deliveryStreamArn }),
      statusWidget: new StatusWidgetFunction(this, 'StatusWidget', { settings, encryptionKey, stateTable }),
    }
    const pipeline: ObservedPipeline = {
      namePrefix,
      metricsNamespace,
      functions: { ...mapFunctions(functions, ({ handler }) => handler), statusWidget: functions.statusWidget.all },
      logGroups: mapFunctions(functions, ({ logGroup }) => logGroup),
      tickRule: functions.dispatch.tickRule,
      workQueue,
      deadLetterQueues,
      deliveryStreamName,
      lakeBucket: bucket,
      stateTable,
      connectorsTable,
      bus,
      notificationsRuleName,
    }
    const alarms = new Alarms(this, 'Alarms', { pipeline, topic, lagMaxMinutes: settings.lagAlarmMinutes })
    new Dashboard(this, 'Dashboard', { pipeline, alarms: alarms.all })
    new OperateDashboard(this, 'OperateDashboard', { dashboardName: operateDashboardName(namePrefix), operate: functions.operate.all })
    new LogQueries(this, 'LogQueries', pipeline)
    acknowledgeFindings({ settings, functions, deadLetterQueues, notifications })

    this.output('ConnectorsTableName', connectorsTable.tableName, 'Table for the connectors that you write.')
    this.output('StateTableName', stateTable.tableName, 'Table of the functions’ own state. Only the functions write it.')
    this.output('SecretPrefix', settings.secretPrefix, 'Names of secrets with API keys must begin with it.')
    this.output('LakeBucketName', bucket.bucketName, 'Bucket of the records.')
    this.output('AthenaWorkgroupName', workgroupName, 'Workgroup for queries of the lake.')
    this.output('AthenaDatabaseName', databaseName, 'Database with the table and the views of the lake.')
    this.output('WorkDeadLettersUrl', deadLetterQueues.work.queueUrl, 'Runs that failed.')
    this.output('ChangeDeadLettersUrl', deadLetterQueues.changes.queueUrl, 'Changes of connectors that failed.')
    if (settings.alarmTopicArn !== undefined) {
      const description = 'Role that publishes notifications to your topic. The policy of a topic in another account must allow it.'
      this.output('NotificationsRoleArn', notifications.publisher.roleArn, description)
    }
    this.output('OperateFunctionName', functions.operate.handler.functionName, 'Function that people operate connectors with, by an alias.')
    this.output('DashboardName', namePrefix, 'Dashboard in CloudWatch.')
    this.output('OperateDashboardName', operateDashboardName(namePrefix), 'Dashboard in CloudWatch on which you operate connectors.')
  }

  /** A retained resource is imported into a new stack by its logical id, so that id must not change when code moves. */
  private pin(logicalId: string, { node: { defaultChild } }: Construct): void {
    if (CfnElement.isCfnElement(defaultChild)) this.renameLogicalId(this.getLogicalId(defaultChild), logicalId)
  }

  private output(name: string, value: string, description: string): void {
    new CfnOutput(this, name, { value, description })
  }
}
