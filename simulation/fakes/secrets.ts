import type { SecretReference } from '../../functions/domain/connector/connector.ts'
import { type Failure, failure } from '../../functions/domain/failures.ts'
import type { Secrets } from '../../functions/domain/ports.ts'
import { failed, ok } from '../../functions/domain/result.ts'
import type { Instant } from '../../functions/domain/time.ts'

/** Secrets in memory, by reference (`name` or `name#jsonKey`): the key, or the failure of reading it. */
export class MemorySecrets implements Secrets {
  readonly values = new Map<string, string | Failure>()
  /** By name: when the secret was stored. A secret that is not here has no known time. */
  readonly storedAt = new Map<string, Instant>()

  constructor(values: Readonly<Record<string, string | Failure>> = {}) {
    for (const [reference, value] of Object.entries(values)) this.values.set(reference, value)
  }

  async read({ secretName, jsonKey }: SecretReference) {
    const value = this.values.get(jsonKey === undefined ? secretName : `${secretName}#${jsonKey}`)
    if (value === undefined) return failed(failure('secret-missing', `There is no secret named ${secretName}`))
    if (typeof value !== 'string') return failed(value)
    const storedAt = this.storedAt.get(secretName)
    return ok({ apiKey: value, ...(storedAt === undefined ? {} : { storedAt }) })
  }
}
