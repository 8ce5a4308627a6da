/**
 * The tenant that a connector's id names, as in `<tenant>.<name>`: 1 to 40 lower-case letters, digits and hyphens. Nothing if the id does
 * not follow the rule.
 */
export function tenantOfId(connectorId: string): string | undefined {
  return /^([a-z0-9-]{1,40})\.[A-Za-z0-9._-]+$/.exec(connectorId)?.[1]
}

/** A sentence for people about an id that names no tenant, if it does not. */
export function tenantNote(connectorId: string): readonly string[] {
  if (tenantOfId(connectorId) !== undefined) return []
  return [
    'The id of this connector names no tenant, so no policy can give it to the operator of one. A new connector must have an id such as acme.cas.',
  ]
}

/** The tenant of a connector. One whose id names none, because an earlier release accepted it, has a name that no id can spell. */
export function tenantOf({ connectorId, tenantName }: { readonly connectorId: string; readonly tenantName: string }): string {
  return tenantOfId(connectorId) ?? `~${tenantName}`
}
