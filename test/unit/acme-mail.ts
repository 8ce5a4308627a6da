import * as z from 'zod'
import type { Connector } from '../../functions/domain/connector/connector.ts'
import { parseConnector } from '../../functions/domain/connector/connector-schema.ts'
import type { Vendor } from '../../functions/domain/vendor.ts'

function unused(): never {
  throw new Error('the schema has no use for it')
}

export const vendor: Vendor = {
  type: 'acme-mail',
  category: 'Mail Security',
  labels: {},
  offer: { contentTypes: ['mail', 'files'], eventTypes: [] },
  locate: () => ({}),
  card: {
    regions: [],
    baseUrlSteps: [],
    apiKeySteps: [],
    keyPermission: 'the permission Read',
    noEvents: 'Is a policy enabled?',
    keyLifeDays: 90,
    keysMax: 1,
    requestsPerMinute: 20,
    links: [],
  },
  title: 'Acme Mail',
  hosts: ['api.acme.example', 'api-eu.acme.example'],
  retentionMs: 72 * 3_600_000,
  pageItemsMax: 100,
  attributes: z.strictObject({
    contentTypes: z
      .array(z.enum(['mail', 'files'], { error: ({ input }) => `${JSON.stringify(input)} is none of mail, files` }))
      .default(['mail']),
    eventTypes: z.array(z.enum(['virus', 'sandbox'])).default(['virus', 'sandbox']),
  }),
  lateArrivalMinutes: ({ eventTypes }) => (eventTypes.includes('sandbox') ? 20 : 10),
  baseUrlOf: (pasted) => URL.parse(pasted)?.origin ?? pasted,
  streams: unused,
  describe: unused,
  firstRequest: unused,
  nextRequest: unused,
  parsePage: unused,
  normalise: unused,
}

export const policy = {
  vendors: new Map([[vendor.type, vendor]]),
  secretPrefix: 'tributary/',
  allowedHosts: ['localhost:8080', '10.0.0.7'],
  tlsVerificationOptional: true,
}

export const item = {
  connectorId: 'globex.mail',
  type: 'acme-mail',
  name: 'globex-mail',
  tenantName: 'Globex GmbH & Co. KG, Köln',
  baseUrl: 'https://api.acme.example',
  apiKeySecrets: ['tributary/globex/key'],
}

export function accepted(changes: object = {}): Connector {
  const parsed = parseConnector({ ...item, ...changes }, policy)
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems))
  return parsed.connector
}
