import { randomUUID } from 'node:crypto'
import * as z from 'zod'
import { AwsError, type Operation } from './aws-json.ts'
import type { KeptSecrets } from './kept-secrets.ts'

const getSecretValue = z.object({ SecretId: z.string() })
const putSecretValue = z.object({ SecretId: z.string(), SecretString: z.string().min(1) })
const createSecret = z.object({ Name: z.string().min(1).max(512), SecretString: z.string().min(1) })

/**
 * Serves Secrets Manager. Each read calls `given` for the text of a name, so a test can change it while it runs. A secret that is stored
 * goes to `kept`. One that was given comes from the demonstration, or from a file of the person who started the program: it counts, so
 * nothing is stored under its name.
 */
export function secretsOperations(
  given: { text(name: string): string | undefined; names(): readonly string[] },
  kept: KeptSecrets,
): Readonly<Record<string, Operation>> {
  function refuseGiven(name: string): void {
    if (given.names().includes(name)) {
      const message = `The secret ${name} comes from the demonstration or the file of --secrets, which count before a stored key. Store the key under another name, or change it in the file and start the program again.`
      throw new AwsError('InvalidRequestException', message)
    }
  }

  return {
    async 'secretsmanager.GetSecretValue'(input) {
      const { SecretId: name } = getSecretValue.parse(input)
      const stored = given.names().includes(name) ? undefined : kept.get(name)
      const value = given.text(name) ?? stored?.text
      if (value === undefined) throw missing()
      return {
        ...described(name),
        SecretString: value,
        VersionId: randomUUID(),
        VersionStages: ['AWSCURRENT'],
        ...(stored === undefined ? {} : { CreatedDate: stored.changedAt / 1_000 }),
      }
    },
    async 'secretsmanager.CreateSecret'(input) {
      const { Name: name, SecretString: text } = createSecret.parse(input)
      refuseGiven(name)
      if (kept.get(name) !== undefined) throw new AwsError('ResourceExistsException', 'A secret of this name exists.')
      await kept.set(name, text)
      return described(name)
    },
    async 'secretsmanager.PutSecretValue'(input) {
      const { SecretId: name, SecretString: text } = putSecretValue.parse(input)
      refuseGiven(name)
      if (kept.get(name) === undefined) throw missing()
      await kept.set(name, text)
      return described(name)
    },
    async 'secretsmanager.ListSecrets'() {
      const stored = kept.names().filter((name) => !given.names().includes(name))
      return {
        SecretList: [
          ...given.names().map(described),
          ...stored.map((name) => ({ ...described(name), LastChangedDate: (kept.get(name)?.changedAt ?? 0) / 1_000 })),
        ],
      }
    },
  }
}

function described(name: string) {
  return { ARN: `arn:aws:secretsmanager:us-east-1:000000000000:secret:${name}`, Name: name }
}

function missing(): AwsError {
  return new AwsError('ResourceNotFoundException', "Secrets Manager can't find the specified secret.")
}
