import {
  CreateSecretCommand,
  PutSecretValueCommand,
  ResourceNotFoundException,
  SecretsManagerClient,
} from '@aws-sdk/client-secrets-manager'
import { secretNames } from '../../functions/adapters/secret-names.ts'
import { failed, ok } from '../../functions/domain/result.ts'
import type { PageKeys } from '../../functions/widget/form/form-views.ts'
import { secretPrefix } from '../control.ts'
import type { Services } from '../services/services.ts'

/** The longest key (characters): no server takes a longer header. */
const keyMax = 4_096

/** The secrets of this machine, for its page: a key that is typed there is stored as `key set` stores it. */
export function pageKeys({ clientConfig, addresses }: Pick<Services, 'clientConfig' | 'addresses'>): Required<PageKeys> {
  const client = new SecretsManagerClient({ ...clientConfig, endpoint: addresses.secretsManager })
  return {
    prefix: secretPrefix,
    names: secretNames({ client, secretPrefix }),
    async store(secret, key) {
      const problem = nameProblem(secret) ?? keyProblem(key)
      if (problem !== undefined) return failed({ code: 'wrong', message: problem })
      try {
        return ok(await put(client, secret, key))
      } catch (thrown) {
        // The service writes these words, and they hold no key.
        return failed({ code: 'failed', message: `The key was not stored: ${thrown instanceof Error ? thrown.message : String(thrown)}` })
      }
    },
  }
}

async function put(client: SecretsManagerClient, Name: string, SecretString: string): Promise<void> {
  try {
    await client.send(new PutSecretValueCommand({ SecretId: Name, SecretString }))
  } catch (thrown) {
    if (!(thrown instanceof ResourceNotFoundException)) throw thrown
    await client.send(new CreateSecretCommand({ Name, SecretString }))
  }
}

function nameProblem(name: string): string | undefined {
  const isName = /^[\w/+=.@-]{1,512}$/.test(name) && /^[a-z0-9-]{1,40}\/./.test(name.slice(secretPrefix.length))
  return name.startsWith(secretPrefix) && isName
    ? undefined
    : `The key has no place under this name. Give ${secretPrefix}TENANT/NAME, such as ${secretPrefix}acme/cas.`
}

/** The words are about the key without a part of it. */
function keyProblem(key: string): string | undefined {
  if (key.length > keyMax) return `The key has ${key.length} characters, more than ${keyMax}: it is something else.`
  return /^[\x21-\x7e]+$/.test(key) ? undefined : 'The key has a blank, a line feed or a character that is not ASCII. Give the key alone.'
}
