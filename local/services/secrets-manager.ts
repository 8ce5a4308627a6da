import { randomUUID } from 'node:crypto'
import * as z from 'zod'
import { AwsError, type Operation } from './aws-json.ts'

const getSecretValue = z.object({ SecretId: z.string() })

/** Serves Secrets Manager. Each request calls `secrets` for the text of a name, so a test can change it while it runs. */
export function secretsOperations(secrets: (name: string) => string | undefined): Readonly<Record<string, Operation>> {
  return {
    async 'secretsmanager.GetSecretValue'(input) {
      const { SecretId: name } = getSecretValue.parse(input)
      const value = secrets(name)
      if (value === undefined) throw new AwsError('ResourceNotFoundException', "Secrets Manager can't find the specified secret.")
      return {
        ARN: `arn:aws:secretsmanager:us-east-1:000000000000:secret:${name}`,
        Name: name,
        SecretString: value,
        VersionId: randomUUID(),
        VersionStages: ['AWSCURRENT'],
      }
    },
  }
}
