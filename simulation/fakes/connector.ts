import type { Connector } from '../../functions/domain/connector/connector.ts'

/** A valid connector, with the given attributes. */
export function connector(attributes: Partial<Connector> = {}): Connector {
  return {
    connectorId: 'a',
    type: 'some-vendor',
    name: 'tenant-type',
    tenantName: 'tenant',
    baseUrl: 'https://api.example.com',
    apiKeySecrets: [{ secretName: 'tributary/a' }],
    contentTypes: [],
    eventTypes: [],
    logFilters: [],
    disableTlsVerification: false,
    enabled: true,
    intervalMinutes: 5,
    requestsPerMinute: 20,
    initialBackfillMinutes: 10,
    lateArrivalMinutes: 10,
    sharedKey: false,
    sharedWith: [],
    identityIgnoredFields: [],
    ...attributes,
  }
}
