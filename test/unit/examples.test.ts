import { readFileSync } from 'node:fs'
import { GetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager'
import { mockClient } from 'aws-sdk-client-mock'
import { describe, expect, it } from 'vitest'
import { plainItem } from '../../functions/adapters/connectors-table.ts'
import { secretsManager } from '../../functions/adapters/secrets.ts'
import { parseConnector } from '../../functions/domain/connector/connector-schema.ts'
import { vendors } from '../../functions/vendors/index.ts'

const policy = { vendors, secretPrefix: 'tributary/', allowedHosts: [], tlsVerificationOptional: false }
const example = (name: string) => readFileSync(new URL(`../../examples/${name}`, import.meta.url), 'utf8')

describe('the example', () => {
  it('connector.json is accepted as it is, and equals the item of connectors.json without its filters', () => {
    const item = plainItem(JSON.parse(example('connector.json')))
    expect(parseConnector(item, policy)).toMatchObject({ ok: true, connector: { connectorId: 'acme.cas' } })
    const [{ logFilters: _, ...other }] = JSON.parse(example('connectors.json'))
    expect(item).toEqual(other)
  })

  it('api-key.txt is read as a key when it is stored with `--secret-string file://`', async () => {
    const aws = mockClient(SecretsManagerClient)
    aws.on(GetSecretValueCommand).resolves({ SecretString: example('api-key.txt'), CreatedDate: new Date(1_000) })
    const clock = { now: () => 2_000, sleepUntil: async () => {} }
    const secrets = secretsManager({ client: new SecretsManagerClient({ region: 'us-east-1' }), clock, addRedaction: () => {} })
    expect(await secrets.read({ secretName: 'tributary/acme/cas' })).toEqual({
      ok: true,
      value: { apiKey: 'put-the-authentication-token-here', storedAt: 1_000 },
    })
  })

  it('secrets.json names the secret of the connector', () => {
    const [connector] = JSON.parse(example('connectors.json'))
    expect(Object.keys(JSON.parse(example('secrets.json')))).toEqual(connector.apiKeySecrets)
  })
})
