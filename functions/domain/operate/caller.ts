import { failed, ok, type Result } from '../result.ts'
import type { Caller, Refusal } from './operation.ts'

/** The alias for the connectors of all tenants. No tenant with operators of its own has this name. */
export const everyTenant = 'all'

/**
 * The caller of a function, by the ARN that was invoked. Lambda does not name the caller, and IAM cannot see a payload, but IAM decides
 * which alias of the function somebody may invoke:
 *
 *     …:function:tributary-operate:all     the provider: every tenant
 *     …:function:tributary-operate:acme    an operator of the tenant acme
 *     …:function:tributary-operate         refused, and so are $LATEST and the numbers of versions
 */
export function callerOf(invokedArn: string, awsRequestId: string): Result<Caller, Refusal> {
  const [, , , , , , functionName = '', alias] = invokedArn.split(':')
  // An alias is no number. A name that no tenant can have is no alias of ours.
  if (alias !== undefined && /^[a-z0-9-]{1,40}$/.test(alias) && !/^\d+$/.test(alias)) return ok({ tenant: alias, awsRequestId })
  return failed({
    code: 'not-allowed',
    message: `Call the function by an alias: ${functionName}:${everyTenant} for all tenants, or ${functionName}:TENANT for one of tenantsWithOperators. A call without an alias is refused.`,
  })
}
