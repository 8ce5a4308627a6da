import { createHash } from 'node:crypto'
import type { Item } from '../../cli/answers.ts'
import { tenantOfId } from '../../functions/domain/connector/tenant.ts'

export const now = Date.UTC(2026, 10, 24, 12)

export function versionOf(item: Item): string {
  return createHash('sha256').update(JSON.stringify(item)).digest('hex')
}

export function itemOf(connectorId: string, more: Item = {}): Item {
  const tenant = tenantOfId(connectorId) ?? ''
  return {
    connectorId,
    type: 'trendmicro-cas',
    name: `${tenant}-cas`,
    tenantName: tenant,
    baseUrl: 'https://api.tmcas.trendmicro.com',
    apiKeySecrets: [`tributary/${tenant}/cas`],
    ...more,
  }
}
