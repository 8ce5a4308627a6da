import type { Connector } from '../../../domain/connector/connector.ts'
import { immutableProblems } from '../../../domain/connector/connector-edits.ts'
import { parseConnector } from '../../../domain/connector/connector-schema.ts'
import type { Problem } from '../../../domain/connector/problems.ts'
import type { Refusal } from '../../../domain/operate/operation.ts'
import { failed, ok, type Result } from '../../../domain/result.ts'
import type { ConnectorItem } from '../../item-digest.ts'
import { movedKeys } from '../../secret-origins.ts'
import type { OperatePorts } from '../carry.ts'

type CheckPorts = Pick<OperatePorts, 'policy' | 'secretsBoundToOrigin'> & {
  readonly state: Pick<OperatePorts['state'], 'readAccepted' | 'readSecretOrigin' | 'bindSecret'>
}

/**
 * Checks an item by the rules of acceptance, as far as they need no key: a key that another tenant has claimed is found when the item is
 * accepted, and told in the status.
 */
export async function checkItem(ports: CheckPorts, item: ConnectorItem): Promise<Result<Connector, Refusal>> {
  const { state, policy } = ports
  const connectorId = item['connectorId']
  const before = typeof connectorId === 'string' ? (await state.readAccepted(connectorId))?.connector : undefined
  const parsed = parseConnector(item, policy, before)
  if (!parsed.ok) return wrong(parsed.problems)
  const changed = before === undefined ? [] : immutableProblems(before, parsed.connector)
  const problems = changed.length > 0 ? changed : await movedKeys(ports, before, parsed.connector)
  return problems.length > 0 ? wrong(problems) : ok(parsed.connector)
}

function wrong(problems: readonly Problem[]): Result<never, Refusal> {
  const count = problems.length === 1 ? 'a problem' : `${problems.length} problems`
  return failed({ code: 'wrong', message: `The item has ${count}, so nothing was changed.`, problems })
}
