import type { Connector } from '../domain/connector/connector.ts'
import { movedKeyProblems, newlySent, secretNamesOf } from '../domain/connector/connector-edits.ts'
import type { Problem } from '../domain/connector/problems.ts'
import type { SecretOriginStore } from '../domain/ports.ts'

export interface SecretOriginPorts {
  readonly state: SecretOriginStore
  /** Whether the key of a secret goes only to the origin that the secret was first accepted with. */
  readonly secretsBoundToOrigin: boolean
}

/** The problems of an item whose keys would go to another origin. It only reads, so a refused item binds nothing. */
export async function movedKeys(ports: SecretOriginPorts, before: Connector | undefined, after: Connector): Promise<readonly Problem[]> {
  if (!ports.secretsBoundToOrigin) return []
  const bound = new Map<string, string>()
  for (const name of newlySent(before, after)) {
    const origin = await ports.state.readSecretOrigin(name)
    if (origin !== undefined) bound.set(name, origin)
  }
  return movedKeyProblems(before, after, bound)
}

/**
 * Binds each secret of a connector to its origin, if it is not bound yet. One that is bound to another origin stays so: an earlier release
 * may have accepted two connectors with one secret and two origins.
 */
export async function bindSecrets({ state, secretsBoundToOrigin }: SecretOriginPorts, connector: Connector): Promise<void> {
  if (!secretsBoundToOrigin) return
  for (const name of secretNamesOf(connector)) await state.bindSecret(name, connector.baseUrl)
}
