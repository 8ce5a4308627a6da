import { ListSecretsCommand, type SecretsManagerClient } from '@aws-sdk/client-secrets-manager'

/** A form offers so many secrets of a tenant at most (count). */
const namesMax = 100

/**
 * Lists the secrets under the path of a tenant, by their full names. Their values are not read. At most 100, in the order in which Secrets
 * Manager lists them. Throws when it fails.
 */
export function secretNames(options: { readonly client: SecretsManagerClient; readonly secretPrefix: string }) {
  const { client, secretPrefix } = options
  return async (tenant: string): Promise<readonly string[]> => {
    const path = `${secretPrefix}${tenant}/`
    const names: string[] = []
    let next: string | undefined
    do {
      const page = await client.send(new ListSecretsCommand({ Filters: [{ Key: 'name', Values: [path] }], NextToken: next }))
      // The filter takes a name in parts too: that of another tenant may match.
      for (const { Name: name = '' } of page.SecretList ?? []) if (name.startsWith(path)) names.push(name)
      next = page.NextToken
    } while (next !== undefined && names.length < namesMax)
    return names.slice(0, namesMax)
  }
}
