export interface SavedQuery {
  readonly name: string
  /** The question that it answers, and the meaning of each `?`. */
  readonly doc: string
  /** SQL of Athena. Each query has a condition on `dt`, so that it reads those days only. */
  readonly sql: string
}

/** A condition on `dt`: arrived within these days, today included (UTC). */
const lastDays = (days: number) => `dt >= date_format(current_date - interval '${days - 1}' day, '%Y-%m-%d')`

/** Minutes from the event to its receipt. */
const delay = `(ingested_at - "timestamp") / 60000e0`

/** Questions of a security team, saved in the console of Athena. */
export const savedQueries: readonly SavedQuery[] = [
  {
    name: 'Ingestion of the last hour',
    doc: 'Do events arrive? Counts by tenant and connector of the last 60 minutes, with the newest event of each.',
    sql: `
      SELECT tenant, connector_id, event_type, count(*) AS events,
        from_unixtime(max(ingested_at) / 1000e0) AS last_received,
        from_unixtime(max("timestamp") / 1000e0) AS newest_event
      FROM syslog
      WHERE ${lastDays(2)} AND ingested_at >= CAST(to_unixtime(current_timestamp - interval '1' hour) * 1000 AS bigint)
      GROUP BY tenant, connector_id, event_type
      ORDER BY tenant, connector_id, event_type`,
  },
  {
    name: 'Top threats',
    doc: 'The most frequent threats of the last 7 days: events, affected users, and how many of the events were high or critical.',
    sql: `
      SELECT threat_name, threat_type, tenant, count(*) AS events, count(DISTINCT "user") AS users,
        count_if(severity IN ('high', 'critical')) AS high_or_critical,
        from_unixtime(max("timestamp") / 1000e0) AS last_seen
      FROM syslog
      WHERE ${lastDays(7)} AND threat_name IS NOT NULL
      GROUP BY threat_name, threat_type, tenant
      ORDER BY events DESC
      LIMIT 50`,
  },
  {
    name: 'Data loss prevention by policy',
    doc: 'Data security findings of the last 7 days by tenant, policy, matched template and action. A finding that matched two templates counts for both.',
    sql: `
      SELECT tenant, policy_name, template, action, count(*) AS events, count(DISTINCT "user") AS users
      FROM (SELECT * FROM syslog WHERE ${lastDays(7)} AND class_uid = 2006) AS findings
      CROSS JOIN UNNEST(coalesce(dlp_templates, ARRAY['(none named)'])) AS matched (template)
      GROUP BY tenant, policy_name, template, action
      ORDER BY events DESC`,
  },
  {
    name: 'Events of one user',
    doc: 'All events of one user in the last 30 days, newest first. ? is the user, in single quotes, in upper or lower case. It reads all records of these days: 0.4 GB or $0.002 for each million records. Athena ends it above athenaScanLimitGb (100 GB are $0.50): then name fewer days.',
    sql: `
      SELECT from_unixtime("timestamp" / 1000e0) AS event_time, tenant, service, event_type, severity, threat_name, policy_name, action, outcome,
        file_name, email_subject, location, id
      FROM syslog
      WHERE ${lastDays(30)} AND lower("user") = lower(?)
      ORDER BY "timestamp" DESC
      LIMIT 1000`,
  },
  {
    name: 'OCSF classes',
    doc: 'Findings of the last 7 days by OCSF class and severity.',
    sql: `
      SELECT dt, class_uid, type_uid, severity_id, count(*) AS events
      FROM syslog
      WHERE ${lastDays(7)}
      GROUP BY dt, class_uid, type_uid, severity_id
      ORDER BY dt DESC, class_uid, severity_id DESC`,
  },
  {
    name: 'Delay from event to arrival',
    doc: 'Minutes from event to receipt in the last 7 days, by day and connector, of events that were read live. The vendor’s own delay is included; delivery to the lake adds about a minute.',
    sql: `
      SELECT dt, connector_id, event_type, count(*) AS events,
        round(approx_percentile(${delay}, 0.5), 1) AS p50_minutes,
        round(approx_percentile(${delay}, 0.99), 1) AS p99_minutes,
        round(max(${delay}), 1) AS max_minutes
      FROM syslog
      WHERE ${lastDays(7)} AND ingest_mode = 'live'
      GROUP BY dt, connector_id, event_type
      ORDER BY dt DESC, connector_id, event_type`,
  },
  {
    name: 'Duplicates',
    doc: 'Records of the last 7 days that are in the lake more than once. A crash or a lost response of Firehose repeats at most a page. The views syslog and syslog_exact show each event once.',
    sql: `
      SELECT connector_id, count(*) AS events, sum(copies) AS records, max(copies) AS max_copies,
        from_unixtime(min(first_received) / 1000e0) AS first_received, from_unixtime(max(last_received) / 1000e0) AS last_received
      FROM (
        SELECT connector_id, id, count(*) AS copies, min(ingested_at) AS first_received, max(ingested_at) AS last_received
        FROM syslog_raw
        WHERE ${lastDays(7)}
        GROUP BY connector_id, id
        HAVING count(*) > 1
      ) AS repeated
      GROUP BY connector_id
      ORDER BY records DESC`,
  },
  {
    name: 'Malformed records',
    doc: 'Items of the last 7 days that do not match the vendor’s documentation. The column raw has each item as received.',
    sql: `
      SELECT dt, hour, tenant, connector_id, service, event_type, raw_encoding, raw, id
      FROM syslog
      WHERE ${lastDays(7)} AND malformed
      ORDER BY dt DESC, hour DESC
      LIMIT 1000`,
  },
  {
    name: 'Changes by people',
    doc: 'Changes of connectors that people made or tried in the last 7 days, newest first. says is a name that somebody typed; CloudTrail names the person by aws_request_id.',
    sql: `
      SELECT from_unixtime("at" / 1000e0) AS changed_at, tenant, connector_id, action, outcome, message, caller, says, aws_request_id, before, after
      FROM operations
      WHERE ${lastDays(7)}
      ORDER BY "at" DESC
      LIMIT 1000`,
  },
].map(({ sql, ...query }) => ({ ...query, sql: sql.replaceAll(/\n {6}/g, '\n').trim() }))
