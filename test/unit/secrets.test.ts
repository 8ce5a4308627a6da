import { GetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager'
import { mockClient } from 'aws-sdk-client-mock'
import { beforeEach, describe, expect, it } from 'vitest'
import { secretsManager } from '../../functions/adapters/secrets.ts'
import type { Secrets } from '../../functions/domain/ports.ts'
import { hour } from '../../functions/domain/time.ts'
import { VirtualClock } from '../../simulation/fakes/clock.ts'

const aws = mockClient(SecretsManagerClient)
const reference = { secretName: 'tributary/acme/key' }
let clock: VirtualClock
let keptOut: string[]
let secrets: Secrets

beforeEach(() => {
  aws.reset()
  clock = new VirtualClock()
  keptOut = []
  secrets = secretsManager({ client: new SecretsManagerClient({ region: 'us-east-1' }), clock, addRedaction: (key) => keptOut.push(key) })
})

const calls = () => aws.commandCalls(GetSecretValueCommand).length
const hold = (SecretString: string) => aws.on(GetSecretValueCommand).resolves({ SecretString })

describe('the secrets of Secrets Manager', () => {
  it('are requested once an hour', async () => {
    hold('key-1')
    await secrets.read(reference)
    await clock.advance(hour - 1)
    await secrets.read(reference)
    expect(calls()).toBe(1)
    await clock.advance(1)
    await secrets.read(reference)
    expect(calls()).toBe(2)
  })

  it('are requested once for many readers at the same time, also for several JSON keys', async () => {
    hold('{"a":"key-1","b":"key-2"}')
    const read = await Promise.all(['a', 'b', 'a'].map((jsonKey) => secrets.read({ ...reference, jsonKey })))
    expect(read.map((each) => each.ok && each.value.apiKey)).toEqual(['key-1', 'key-2', 'key-1'])
    expect(calls()).toBe(1)
  })

  it('are replaced for every reader by a read without the cache', async () => {
    hold('key-1')
    await secrets.read(reference)
    hold('key-2')
    await secrets.read(reference, { bypassCache: true })
    expect(await secrets.read(reference)).toEqual({ ok: true, value: { apiKey: 'key-2' } })
    expect(calls()).toBe(2)
  })

  it('are requested again by the next read after a failure', async () => {
    aws.on(GetSecretValueCommand).rejectsOnce(new Error('no')).resolves({ SecretString: 'key-1' })
    expect((await secrets.read(reference)).ok).toBe(false)
    expect((await secrets.read(reference)).ok).toBe(true)
  })

  it('are registered for redaction before any caller gets them', async () => {
    hold('key-1\n')
    await secrets.read(reference)
    expect(keptOut).toEqual(['key-1'])
  })

  it.each(['key\n', 'key\r\n', 'key'])('lose one newline at their end, which an editor leaves: %j', async (text) => {
    hold(text)
    expect(await secrets.read(reference)).toEqual({ ok: true, value: { apiKey: 'key' } })
  })

  it('lose the byte order mark of the file that they were made from, also before JSON', async () => {
    hold('\ufeffkey')
    expect(await secrets.read(reference)).toEqual({ ok: true, value: { apiKey: 'key' } })
    hold('\ufeff{"a":"key-a"}')
    expect(await secrets.read({ ...reference, jsonKey: 'a' }, { bypassCache: true })).toEqual({ ok: true, value: { apiKey: 'key-a' } })
  })

  it.each([
    ['ResourceNotFoundException', 'secret-missing'],
    ['InvalidRequestException', 'secret-missing'],
    ['AccessDeniedException', 'secret-unreadable'],
    ['DecryptionFailure', 'secret-unreadable'],
    ['TimeoutError', 'secret-unreadable'],
  ])('turn the error %s into %s', async (name, code) => {
    aws.on(GetSecretValueCommand).rejects(Object.assign(new Error('m'), { name }))
    expect(await secrets.read(reference)).toMatchObject({ ok: false, failure: { code } })
  })

  it.each([
    ['', undefined, 'is empty'],
    ['\n', undefined, 'is empty'],
    ['Sesame open', undefined, 'a blank or a character that is not ASCII at position 7'],
    ['Sesame\n\n', undefined, 'at position 7'],
    ['Sesame\r\nX-Admin: 1', undefined, 'at position 7'],
    ['Sésame', undefined, 'at position 2'],
    ['S'.repeat(4097), undefined, 'is 4097 characters long; at most 4096'],
    ['{"key":"Sesame"}', undefined, 'name the key inside it'],
    ['Sesame', 'key', 'is not a JSON object'],
    ['["Sesame"]', 'key', 'is not a JSON object'],
    ['{"other":"Sesame"}', 'key', 'has no key #key'],
    ['{"key":5318008}', 'key', '#key is not a text'],
    ['{"key":"Sesame"}', 'constructor', 'has no key #constructor'],
  ])('are refused without showing their value if it is not an API key: %j %s', async (text, jsonKey, problem) => {
    hold(text)
    const result = await secrets.read(jsonKey === undefined ? reference : { ...reference, jsonKey })
    expect(result).toMatchObject({ ok: false, failure: { code: 'secret-malformed' } })
    if (result.ok) return
    expect(result.failure.detail).toContain('tributary/acme/key')
    expect(result.failure.detail).toContain(problem)
    expect(JSON.stringify(result)).not.toMatch(/sesame|sésame|5318008|SSSS/i)
  })

  it('are refused if they are binary', async () => {
    aws.on(GetSecretValueCommand).resolves({ SecretBinary: new Uint8Array([1]) })
    expect(await secrets.read(reference)).toMatchObject({ ok: false, failure: { code: 'secret-malformed' } })
  })
})
