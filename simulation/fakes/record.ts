import type { LakeRecord } from '../../functions/domain/record/record.ts'

/** A complete and valid record of the lake, with the given attributes. */
export function record(id: string, changes: Partial<LakeRecord> = {}): LakeRecord {
  return {
    id,
    timestamp: Date.UTC(2026, 10, 24, 11, 59),
    timestamp_source: 'event',
    ingested_at: Date.UTC(2026, 10, 24, 12),
    ingest_mode: 'live',
    tenant: 'acme',
    tenant_name: 'acme',
    connector_id: 'acme-mail',
    connector_name: 'acme-mail',
    domain: 'https://api.example.com',
    msg_class: 'vendor_logs_mail',
    msg_origin: {
      vendor: 'vendor',
      source: 'vendor_mail',
      category: 'cloud_security',
      processor: { name: 'tributary', type: 'log_collector' },
    },
    event_type: 'dlp',
    service: 'mail',
    syslog: {
      facility: 4,
      severity: 4,
      priority: 36,
      timestamp: '2026-11-24T11:59:00.000Z',
      hostname: 'api.example.com',
      app_name: 'vendor',
      proc_id: '-',
      msg_id: 'dlp',
      message: `CEF:0|Vendor|Mail|1|100|dlp|Medium|externalId=${id}`,
    },
    class_uid: 2006,
    type_uid: 200601,
    severity_id: 3,
    raw: JSON.stringify({ id }),
    ...changes,
  }
}
