import { Alias, type IFunction } from 'aws-cdk-lib/aws-lambda'
import { everyTenant } from '../../functions/domain/operate/caller.ts'

/**
 * Aliases of a function that people invoke: one for the provider, and one for each tenant with operators of its own. IAM decides who may
 * invoke which, and the function acts for the tenant that the alias names. They point at the newest code, so a deploy leaves no versions.
 */
export function addAliases(handler: IFunction, tenants: readonly string[]): { readonly all: Alias } {
  const add = (tenant: string, description: string) =>
    new Alias(handler, `Alias-${tenant}`, { aliasName: tenant, version: handler.latestVersion, description })
  for (const tenant of tenants) add(tenant, `For operators of the tenant ${tenant}: its connectors only.`)
  return { all: add(everyTenant, 'For the provider: the connectors of all tenants.') }
}
