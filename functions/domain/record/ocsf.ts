import { type Severity, severities } from './fields.ts'

/** The OCSF 1.8 ids of an event. */
export interface OcsfIds {
  readonly class_uid: number
  readonly type_uid: number
  readonly severity_id: number
}

const classes = {
  /** Detection Finding. */
  detection: 2004,
  /** Data Security Finding. */
  'data-security': 2006,
} as const

/** A finding is made once and not updated. */
const activityCreate = 1

/** A `severity` of undefined is OCSF's 0, unknown. */
export function ocsfIds(finding: keyof typeof classes, severity: Severity | undefined): OcsfIds {
  const class_uid = classes[finding]
  return {
    class_uid,
    type_uid: class_uid * 100 + activityCreate,
    severity_id: severity === undefined ? 0 : severities.indexOf(severity) + 1,
  }
}
