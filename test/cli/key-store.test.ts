import { readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { GetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager'
import { describe, expect, it, onTestFinished } from 'vitest'
import { keyStore } from '../../cli/places/key-store.ts'
import { systemClock } from '../../functions/adapters/clock.ts'
import { secretsManager } from '../../functions/adapters/secrets.ts'
import { ok } from '../../functions/domain/result.ts'
import { type Services, startServices } from '../../local/services/services.ts'
import { localServices, temporaryFolder } from '../local-services.ts'

const key = 'f0a1b2c3d4e5f60718293a4b5c6d7e8f'
const later = 'a9b8c7d6e5f40312a9b8c7d6e5f40312'

function clientOf({ clientConfig, addresses }: Services): SecretsManagerClient {
  const client = new SecretsManagerClient({ ...clientConfig, endpoint: addresses.secretsManager })
  onTestFinished(() => client.destroy())
  return client
}

async function secretText(client: SecretsManagerClient, name: string): Promise<string | undefined> {
  return (await client.send(new GetSecretValueCommand({ SecretId: name }))).SecretString
}

describe('the keys of a data folder', () => {
  it('are stored anew and replaced, and a function reads them with the time when they were stored', async () => {
    const services = await localServices({ now: () => Date.UTC(2026, 10, 24) })
    const client = clientOf(services)
    const store = keyStore(client)
    expect(await store.set('tributary/acme/cas', key)).toBe('new')
    expect(await store.set('tributary/acme/cas', later)).toBe('replaced')
    const secrets = secretsManager({ client, clock: systemClock, addRedaction: () => undefined })
    expect(await secrets.read({ secretName: 'tributary/acme/cas' })).toEqual(ok({ apiKey: later, storedAt: Date.UTC(2026, 10, 24) }))
  })

  it('are there at the next start, in a file that only its owner can read', async () => {
    const dataDir = temporaryFolder()
    const first = await startServices({ dataDir })
    await keyStore(clientOf(first)).set('tributary/acme/cas', key)
    await first.close()
    expect(statSync(join(dataDir, 'keys.json')).mode & 0o777).toBe(0o600)
    expect(await secretText(clientOf(await localServices({ dataDir })), 'tributary/acme/cas')).toBe(key)
  })

  it('are listed with the time of their last value, and without it if they come from a file', async () => {
    const services = await localServices({ secrets: new Map([['tributary/acme/file', 'x']]), now: () => Date.UTC(2026, 10, 24) })
    const store = keyStore(clientOf(services))
    await store.set('tributary/acme/cas', key)
    await store.set('other/cas', key)
    expect(await store.list('tributary/')).toEqual([
      { name: 'tributary/acme/file' },
      { name: 'tributary/acme/cas', changedAt: Date.UTC(2026, 10, 24) },
    ])
  })

  it('of a file are not replaced behind its back', async () => {
    const services = await localServices({ secrets: new Map([['tributary/acme/file', 'x']]) })
    await expect(keyStore(clientOf(services)).set('tributary/acme/file', key)).rejects.toThrow(
      /^Nothing was stored: The secret tributary\/acme\/file comes from the demonstration or the file of --secrets, .* start the program again\.$/,
    )
    expect(await secretText(clientOf(services), 'tributary/acme/file')).toBe('x')
  })

  it('may be members of one secret', async () => {
    const client = clientOf(await localServices())
    const store = keyStore(client)
    await store.set('tributary/acme/both#first', key)
    await store.set('tributary/acme/both#second', later)
    expect(JSON.parse((await secretText(client, 'tributary/acme/both')) ?? '')).toEqual({ first: key, second: later })
  })

  it('are in no error, even if a secret is not what it should be', async () => {
    const store = keyStore(clientOf(await localServices()))
    await store.set('tributary/acme/cas', key)
    const error: Error = await store.set('tributary/acme/cas#second', later).catch((thrown) => thrown)
    expect(error.message).toContain('The secret tributary/acme/cas holds no JSON object')
    expect(error.message).not.toMatch(new RegExp(`${key}|${later}`))
  })

  it('in a damaged file are told at the start, without a word of it', async () => {
    const dataDir = temporaryFolder()
    const first = await startServices({ dataDir })
    await keyStore(clientOf(first)).set('tributary/acme/cas', key)
    await first.close()
    writeFileSync(join(dataDir, 'keys.json'), `${readFileSync(join(dataDir, 'keys.json'), 'utf8')}x`)
    const error: Error = await localServices({ dataDir }).then(
      () => new Error('it started'),
      (thrown) => thrown,
    )
    expect(error.message).toMatch(/keys\.json is damaged\. Delete this file/)
    expect(error.message).not.toContain(key)
  })
})
