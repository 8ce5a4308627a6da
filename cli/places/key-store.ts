import {
  CreateSecretCommand,
  GetSecretValueCommand,
  InvalidRequestException,
  ListSecretsCommand,
  type ListSecretsCommandOutput,
  PutSecretValueCommand,
  ResourceNotFoundException,
  type SecretsManagerClient,
} from '@aws-sdk/client-secrets-manager'
import type { KeyName, KeyStore } from '../operator.ts'
import { Refused } from '../outcome.ts'

/** Secrets Manager, on AWS or in a data folder, with the credentials of the caller. No error that it throws holds a key. */
export function keyStore(client: SecretsManagerClient): KeyStore {
  return {
    async list(prefix) {
      const found: KeyName[] = []
      let next: ListSecretsCommandOutput['NextToken']
      do {
        const filters = [{ Key: 'name' as const, Values: [prefix] }]
        const page = await told(client.send(new ListSecretsCommand({ Filters: filters, NextToken: next })))
        for (const { Name: name = '', LastChangedDate: changed, CreatedDate: created } of page.SecretList ?? []) {
          const at = changed ?? created
          if (name.startsWith(prefix)) found.push({ name, ...(at === undefined ? {} : { changedAt: at.getTime() }) })
        }
        next = page.NextToken
      } while (next !== undefined)
      return found
    },

    async set(reference, key) {
      const { name, member } = partsOf(reference)
      const text = member === undefined ? key : await withMember(client, name, member, key)
      const isReplaced = await told(
        client.send(new PutSecretValueCommand({ SecretId: name, SecretString: text })).then(
          () => true,
          (error: unknown) => {
            if (error instanceof ResourceNotFoundException) return false
            throw error
          },
        ),
      )
      if (isReplaced) return 'replaced'
      await told(client.send(new CreateSecretCommand({ Name: name, SecretString: text })))
      return 'new'
    },
  }
}

/** A reference as an item has it: `name` or `name#jsonKey`. */
function partsOf(reference: string): { readonly name: string; readonly member?: string } {
  const at = reference.indexOf('#')
  return at < 0 ? { name: reference } : { name: reference.slice(0, at), member: reference.slice(at + 1) }
}

async function withMember(client: SecretsManagerClient, name: string, member: string, key: string): Promise<string> {
  const stored = await told(
    client.send(new GetSecretValueCommand({ SecretId: name })).then(
      ({ SecretString: text = '' }) => text,
      (error: unknown) => {
        if (error instanceof ResourceNotFoundException) return '{}'
        throw error
      },
    ),
  )
  return JSON.stringify({ ...objectIn(name, stored), [member]: key })
}

function objectIn(name: string, text: string): object {
  try {
    const value: unknown = JSON.parse(text)
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value
  } catch {
    // The text may be a key, so no word of it is told.
  }
  throw new Refused({
    code: 'wrong',
    message: `The secret ${name} holds no JSON object, so it has no place for a second key. Give the name without #, or another secret.`,
  })
}

async function told<T>(sent: Promise<T>): Promise<T> {
  try {
    return await sent
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error)
    // The secret is in no state to be written, whoever asks.
    const isOfSecret = error instanceof InvalidRequestException
    const message = isOfSecret
      ? `Nothing was stored: ${why}`
      : `Secrets Manager refused: ${why} Check your credentials, and that they allow it.`
    throw new Refused({ code: 'failed', message })
  }
}
