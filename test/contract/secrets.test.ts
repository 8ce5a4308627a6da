import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager'
import { describe, expect, it } from 'vitest'
import { secretsManager } from '../../functions/adapters/secrets.ts'
import { failure } from '../../functions/domain/failures.ts'
import type { Secrets } from '../../functions/domain/ports.ts'
import { AwsError } from '../../local/services/aws-json.ts'
import { VirtualClock } from '../../simulation/fakes/clock.ts'
import { MemorySecrets } from '../../simulation/fakes/secrets.ts'
import { localServices } from '../local-services.ts'

interface Open {
  readonly secrets: Secrets
  put(name: string, value: string): void
}

/** The secrets that each implementation holds at the beginning. */
const stored = { plain: 'key-0001', 'with-json': '{"first":"key-0002","second":"key-0003"}' }

async function openMemory(): Promise<Open> {
  const secrets = new MemorySecrets({
    plain: 'key-0001',
    'with-json#first': 'key-0002',
    'with-json#second': 'key-0003',
    forbidden: failure('secret-unreadable', 'Reading the secret forbidden failed with AccessDeniedException'),
  })
  return { secrets, put: (name, value) => void secrets.values.set(name, value) }
}

async function openSecretsManager(): Promise<Open> {
  const values = new Map(Object.entries(stored))
  const denied = (name: string) => (name === 'forbidden' ? new AwsError('AccessDeniedException', 'no') : undefined)
  const services = await localServices({ secrets: values, fault: { secrets: denied } })
  const client = new SecretsManagerClient({ ...services.clientConfig, endpoint: services.addresses.secretsManager })
  return {
    secrets: secretsManager({ client, clock: new VirtualClock(), addRedaction: () => undefined }),
    put: (name, value) => void values.set(name, value),
  }
}

describe.each([
  ['in memory', openMemory],
  ['in Secrets Manager', openSecretsManager],
])('the secrets %s', (_, open) => {
  it('are read by their name', async () => {
    const { secrets } = await open()
    expect(await secrets.read({ secretName: 'plain' })).toEqual({ ok: true, value: { apiKey: 'key-0001' } })
  })

  it('are read by a key inside their JSON', async () => {
    const { secrets } = await open()
    expect(await secrets.read({ secretName: 'with-json', jsonKey: 'second' })).toEqual({ ok: true, value: { apiKey: 'key-0003' } })
  })

  it('are reported as missing if they do not exist', async () => {
    const { secrets } = await open()
    expect(await secrets.read({ secretName: 'nothing' })).toEqual({
      ok: false,
      failure: failure('secret-missing', 'There is no secret named nothing'),
    })
  })

  it('are reported as unreadable if the permission is missing', async () => {
    const { secrets } = await open()
    expect(await secrets.read({ secretName: 'forbidden' })).toEqual({
      ok: false,
      failure: failure('secret-unreadable', 'Reading the secret forbidden failed with AccessDeniedException'),
    })
  })

  it('are read without the cache on request', async () => {
    const { secrets, put } = await open()
    await secrets.read({ secretName: 'plain' })
    put('plain', 'key-0004')
    expect(await secrets.read({ secretName: 'plain' }, { bypassCache: true })).toEqual({ ok: true, value: { apiKey: 'key-0004' } })
  })
})
