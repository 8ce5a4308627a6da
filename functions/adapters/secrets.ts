import { GetSecretValueCommand, type SecretsManagerClient } from '@aws-sdk/client-secrets-manager'
import type { SecretReference } from '../domain/connector/connector.ts'
import { type Failure, failure } from '../domain/failures.ts'
import type { Clock, Secret, Secrets } from '../domain/ports.ts'
import { failed, ok, type Result } from '../domain/result.ts'
import { hour, type Instant } from '../domain/time.ts'

/** How long a secret stays in the cache (ms). A time below a connector's interval would never hit; a longer one keeps a replaced key in use. */
const cachedMs = 1 * hour

/** An editor may begin a file with it, and the secret may be made from the file. */
const byteOrderMark = /^\ufeff/

/** The longest API key (characters). A longer value is something else, because no server takes a longer header. */
const keyCharactersMax = 4096

/**
 * API keys from AWS Secrets Manager. Several reads of one secret share one request. A failure is not cached. `addRedaction` gets each key
 * before it is returned, so that no log line can show it.
 */
export function secretsManager(options: {
  readonly client: SecretsManagerClient
  readonly clock: Clock
  readonly addRedaction: (secret: string) => void
}): Secrets {
  const { client, clock, addRedaction } = options
  const cache = new Map<string, { readonly readAt: Instant; readonly value: Promise<Result<StoredText>> }>()

  function textOf(secretName: string, bypassCache: boolean): Promise<Result<StoredText>> {
    const cached = cache.get(secretName)
    if (cached !== undefined && !bypassCache && clock.now() < cached.readAt + cachedMs) return cached.value
    const entry = { readAt: clock.now(), value: request(client, secretName) }
    cache.set(secretName, entry)
    return entry.value.then((value) => {
      if (!value.ok && cache.get(secretName) === entry) cache.delete(secretName)
      return value
    })
  }

  return {
    async read(reference, { bypassCache = false } = {}) {
      const value = await textOf(reference.secretName, bypassCache)
      if (!value.ok) return value
      const { text, storedAt } = value.value
      const key = keyIn(text, reference)
      if (!key.ok) return key
      addRedaction(key.value.apiKey)
      return ok({ ...key.value, ...(storedAt === undefined ? {} : { storedAt }) })
    },
  }
}

interface StoredText {
  readonly text: string
  readonly storedAt?: Instant
}

async function request(client: SecretsManagerClient, secretName: string): Promise<Result<StoredText>> {
  try {
    const { SecretString, CreatedDate } = await client.send(new GetSecretValueCommand({ SecretId: secretName }))
    if (SecretString === undefined) return failed(failure('secret-malformed', `The secret ${secretName} is binary, not text`))
    return ok({ text: SecretString.replace(byteOrderMark, ''), ...(CreatedDate === undefined ? {} : { storedAt: CreatedDate.getTime() }) })
  } catch (thrown) {
    return failed(whyUnread(secretName, thrown instanceof Error ? thrown.name : 'an unknown error'))
  }
}

function whyUnread(secretName: string, error: string): Failure {
  if (error === 'ResourceNotFoundException') return failure('secret-missing', `There is no secret named ${secretName}`)
  if (error === 'InvalidRequestException') return failure('secret-missing', `The secret ${secretName} is being deleted`)
  return failure('secret-unreadable', `Reading the secret ${secretName} failed with ${error}`)
}

/** No message shows any part of the value, because a malformed value may still be a key. */
function keyIn(value: string, { secretName, jsonKey }: SecretReference): Result<Secret> {
  const malformed = (problem: string) => failed(failure('secret-malformed', `The secret ${secretName}${problem}`))

  let text: unknown = value
  if (jsonKey !== undefined) {
    const object = jsonObject(value)
    if (object === undefined) return malformed(` is not a JSON object, so there is no #${jsonKey} in it`)
    if (!Object.hasOwn(object, jsonKey)) return malformed(` has no key #${jsonKey}`)
    text = object[jsonKey]
    if (typeof text !== 'string') return malformed(`#${jsonKey} is not a text`)
  } else if (jsonObject(value) !== undefined) {
    return malformed(' is a JSON object: name the key inside it, as in name#jsonKey')
  }

  const apiKey = String(text).replace(/\r?\n$/, '')
  if (apiKey === '') return malformed(' is empty')
  if (apiKey.length > keyCharactersMax) return malformed(` is ${apiKey.length} characters long; at most ${keyCharactersMax} are allowed`)
  const bad = apiKey.search(/[^\x21-\x7e]/)
  if (bad !== -1) return malformed(` has a blank or a character that is not ASCII at position ${bad + 1}`)
  return ok({ apiKey })
}

/** Returns nothing if the text is not a JSON object. */
function jsonObject(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const parsed: unknown = JSON.parse(text)
    return typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed) ? { ...parsed } : undefined
  } catch {
    return undefined
  }
}
