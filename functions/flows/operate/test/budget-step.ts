import { tenantOf } from '../../../domain/connector/tenant.ts'
import { type Asking, budgetOf, budgetText, limitPerMinute } from '../../../domain/operate/test/budget.ts'
import type { StepState } from '../../../domain/operate/test/connector-test.ts'
import type { AcceptedStore, Clock, KeyUserStore, TokenStore } from '../../../domain/ports.ts'
import { takenByOtherConsumers } from '../../../domain/token-bucket.ts'
import type { Vendor } from '../../../domain/vendor.ts'
import type { OpenKey } from '../../open-keys.ts'
import type { Subject } from './probe-vendor.ts'

export interface BudgetPorts {
  readonly clock: Clock
  readonly state: Pick<KeyUserStore, 'keyUsers'> & Pick<AcceptedStore, 'readAccepted'> & Pick<TokenStore, 'readTokens'>
  readonly policy: { readonly vendors: ReadonlyMap<string, Vendor> }
}

/** Users of a key whose demand is looked up at most (count): each costs a read. */
const usersMax = 50
/** Users that are named at most (count). */
const namedMax = 3

/** Step 7: the requests of the connector against what its keys have, with everybody who uses them. */
export async function budgetStep(ports: BudgetPorts, subject: Subject | undefined): Promise<StepState> {
  if (subject === undefined || subject.keys.length === 0)
    return { kind: 'left-out', why: 'Without a key there is no limit to count against.' }
  const { connector, vendor, keys } = subject
  // The keys of a rate group share its limit, whatever their number.
  const groups = keys.every(({ key }) => key.limiters.length > 1) ? keys.slice(0, 1) : keys
  const limiters = groups.flatMap(({ key }) => key.limiters[0] ?? [])
  const others = await othersOf(
    ports,
    connector.connectorId,
    groups.map(({ key }) => key),
  )
  const asking: Asking = {
    connectorId: connector.connectorId,
    streams: vendor.streams(connector).length,
    intervalMinutes: connector.intervalMinutes,
    keys: groups.length,
  }
  const limitOfKey = Math.min(...limiters.map(({ limit, perDay }) => limitPerMinute(limit, perDay)))
  const budget = budgetOf(asking, limitOfKey, others)
  const text = `${budgetText(budget, namesOf(others, tenantOf(connector)))}${await consumersText(ports, limiters)}`
  if (budget.fits) return { kind: 'passed', words: text }
  const message =
    'Together they ask for more than the keys have, so events come later and later. Add a key of its own, collect fewer streams, or raise intervalMinutes.'
  return { kind: 'failed', words: text, faults: [{ tried: 'The requests against the limit', field: 'apiKeySecrets', message }] }
}

async function othersOf({ state, clock, policy }: BudgetPorts, self: string, keys: readonly OpenKey[]): Promise<readonly Other[]> {
  const others: Other[] = []
  for (const { limiters } of keys) {
    const [first] = limiters
    const users = first === undefined ? [] : await state.keyUsers(first.bucket, clock.now())
    for (const { connectorId } of users.filter((user) => user.connectorId !== self).slice(0, usersMax)) {
      const accepted = await state.readAccepted(connectorId)
      if (accepted === undefined) continue
      const { connector } = accepted
      const streams = policy.vendors.get(connector.type)?.streams(connector).length ?? 0
      // All keys of a group are one limit.
      const own = limiters.length > 1 ? 1 : connector.apiKeySecrets.length
      others.push({ connectorId, tenant: tenantOf(connector), streams, intervalMinutes: connector.intervalMinutes, keys: own })
    }
  }
  return others
}

interface Other extends Asking {
  readonly tenant: string
}

/** Nobody learns the name of another tenant's connector. */
function namesOf(others: readonly Other[], tenant: string): readonly string[] {
  const own = [...new Set(others.flatMap((other) => (other.tenant === tenant ? [other.connectorId] : [])))]
  const foreign = new Set(others.flatMap((other) => (other.tenant === tenant ? [] : [other.connectorId]))).size
  const more = own.length - namedMax
  return [
    ...own.slice(0, namedMax),
    ...(more > 0 ? [`${more} more of the tenant`] : []),
    ...(foreign > 0 ? [`${foreign} of other tenants`] : []),
  ]
}

/** Consumers outside of this deployment, as the limiter has noticed them. */
async function consumersText({ state }: BudgetPorts, limiters: readonly { readonly bucket: string }[]): Promise<string> {
  const buckets = await Promise.all(limiters.map(({ bucket }) => state.readTokens(bucket)))
  const taken = buckets.reduce((sum, bucket) => sum + (bucket === undefined ? 0 : takenByOtherConsumers(bucket)), 0)
  return taken === 0 ? '' : ` About ${taken} requests a minute seem to go to another program that uses the key.`
}
