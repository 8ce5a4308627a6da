/** Findings of the judges of the template that are accepted, each with its reason. */

interface Explained {
  readonly why: string
  /** The resources of the finding without the digits of their ids, in the stack with the usual settings. Absent: no finding. */
  readonly usual?: readonly string[]
  /** The same for the stack with every setting. */
  readonly full?: readonly string[]
}

const functions = ['CollectFunction', 'ConnectorChangedFunction', 'DispatchFunction', 'OperateFunction', 'StatusWidgetFunction']
const functionRoles = ['CollectRole', 'ConnectorChangedRole', 'DispatchRole', 'OperateRole', 'StatusWidgetRole']
const logs = ['CollectLog', 'ConnectorChangedLog', 'DeliveryLogGroup', 'DispatchLog', 'OperateLog', 'StatusWidgetLog']
const tables = ['ConnectorsTable', 'StateTable']
const deadLetters = ['ChangeDeadLetters', 'WorkDeadLetters']
const lake = ['LakeBucket']

const byKey = 'A key of AWS encrypts it. The setting kmsKeyArn gives it a key of your own.'
const byVpc = 'The setting vpc puts the functions into a VPC. They need none: they accept no connection.'
const byAccessLogs = 'The setting accessLogBucket turns them on. The bucket for them is the customer’s.'
const noLock = 'A lock would keep what must be deletable: records after their retention, and a tenant that leaves. The bucket has versions.'

export const explained: Readonly<Record<string, Explained>> = {
  CKV_AWS_18: { why: byAccessLogs, usual: lake },
  CKV_AWS_26: {
    why: 'CloudWatch cannot use the key of AWS: its alarms would be lost. kmsKeyArn encrypts the topic.',
    usual: ['NoticesTopic'],
  },
  CKV_AWS_27: {
    why: 'A key of SQS encrypts the queues (SqsManagedSseEnabled). checkov knows KMS only.',
    usual: [...deadLetters, 'WorkQueue'],
  },
  CKV_AWS_111: {
    why: 'A network interface has no ARN before Lambda makes it. The actions are denied to the code of the function.',
    full: functionRoles,
  },
  CKV_AWS_115: {
    why: 'A new account may reserve nothing. The event source limits collect, which the setting reservedConcurrency can reserve for.',
    usual: functions,
    full: functions.filter((name) => name !== 'CollectFunction'),
  },
  CKV_AWS_116: {
    why: 'The queue and the stream keep what fails in dead-letter queues of their own. The next tick does the work of a failed one.',
    usual: functions,
    full: functions,
  },
  CKV_AWS_117: { why: byVpc, usual: functions },
  CKV_AWS_119: { why: byKey, usual: tables },
  CKV_AWS_158: { why: byKey, usual: logs },
  CKV_AWS_173: { why: byKey, usual: functions },

  IAM_NO_INLINE_POLICY_CHECK: {
    why: 'A policy within its role can be attached to nothing else, and goes with the role.',
    usual: ['AlarmsLakeErrorsRole', 'DeliveryRole', 'NoticesPublisher', ...functionRoles],
    full: ['AlarmsLakeErrorsRole', 'DeliveryRole', 'NoticesPublisher', ...functionRoles],
  },
  IAM_POLICYDOCUMENT_NO_WILDCARD_RESOURCE: {
    why: 'dynamodb:ListStreams and secretsmanager:ListSecrets take no resource. A network interface has no ARN before Lambda makes it.',
    usual: ['ConnectorChangedRole', 'OperateRole'],
    full: functionRoles,
  },
  S3_BUCKET_DEFAULT_LOCK_ENABLED: { why: noLock, usual: lake, full: lake },
  S3_BUCKET_LOGGING_ENABLED: { why: byAccessLogs, usual: lake },
  S3_BUCKET_NO_PUBLIC_RW_ACL: {
    why: 'The rule wants an ACL that is not public. The bucket has none: BucketOwnerEnforced switches ACLs off.',
    usual: lake,
    full: lake,
  },
  S3_BUCKET_REPLICATION_ENABLED: {
    why: 'A second copy in another region costs twice. S3 keeps each object in three zones.',
    usual: lake,
    full: lake,
  },
  S3_BUCKET_SSL_REQUESTS_ONLY: {
    why: 'The policy refuses requests without TLS with "false", which IAM takes for false. The rule of Control Tower for the same is met.',
    usual: [],
    full: [],
  },

  athena_workgroup_results_encrypted_at_rest_kms_check: { why: byKey, usual: ['QueriesWorkgroup'] },
  cloudwatch_log_group_encrypted_check: { why: byKey, usual: logs },
  cloudwatch_log_group_retention_period_check: {
    why: 'The rule wants a year. The logs hold no record, and the setting logRetentionDays may keep them longer than the 30 days.',
    usual: logs,
    full: logs,
  },
  dynamodb_table_encrypted_kms_check: { why: byKey, usual: tables },
  lambda_inside_vpc_check: { why: byVpc, usual: functions },
  s3_bucket_default_encryption_kms_check: { why: byKey, usual: lake },
  s3_bucket_logging_enabled_check: { why: byAccessLogs, usual: lake },
  s3_bucket_object_lock_enabled_check: { why: noLock, usual: lake, full: lake },
  sqs_dlq_check: { why: 'They are dead-letter queues themselves, and an alarm tells of a message.', usual: deadLetters, full: deadLetters },
}
