import type { LogFilter } from './log-filters.ts'

/** The place of an API key: a Secrets Manager name and, for `name#jsonKey`, the key inside its JSON object. */
export interface SecretReference {
  readonly secretName: string
  readonly jsonKey?: string
}

/** A connector: an item that a user wrote, checked, with its defaults filled in. Events are collected for nothing else. */
export interface Connector {
  readonly connectorId: string
  readonly type: string
  readonly name: string
  readonly tenantName: string
  /** An origin: `https://host`. */
  readonly baseUrl: string
  readonly apiKeySecrets: readonly SecretReference[]
  readonly contentTypes: readonly string[]
  readonly eventTypes: readonly string[]
  readonly logFilters: readonly LogFilter[]
  readonly disableTlsVerification: boolean
  readonly tlsCaPem?: string
  readonly enabled: boolean
  readonly intervalMinutes: number
  readonly requestsPerMinute: number
  readonly requestsPerDay?: number
  readonly rateGroup?: string
  readonly initialBackfillMinutes: number
  readonly lateArrivalMinutes: number
  readonly sharedKey: boolean
  /** The tenants that may use the connector's keys as well, if they name its tenant too. */
  readonly sharedWith: readonly string[]
  /** Paths of an item's members that do not belong to its identity, such as `message.score`. */
  readonly identityIgnoredFields: readonly string[]
  /** A note for the next person. */
  readonly note?: string
  /** A file of connectors owns the item, and writes over every other edit. */
  readonly managedBy?: 'file'
}
