import type { SimulatorOptions } from './simulator/options.ts'

/** The demonstration: `npm start` without --connectors collects these three connectors of two tenants, with two keys, from the simulator. */

// These keys are no secrets: only the simulator in this folder accepts them.
const acmeKey = '5f1c0d7be2a94386b1d0c47e9a3f62585c11ab07'
const globexKey = 'c83e6a01947d4b2fa5e0927b1df84c36e7705d9a'

/** A key of the simulator that no connector of the demonstration uses. */
export const trialKey = 'a94c7e15d3b8462f9a07c1e85d36b2f4908ce71d'

/** Returns items as a user writes them to the connectors table. */
export function demonstrationConnectors(baseUrl: string): readonly Readonly<Record<string, unknown>>[] {
  return [
    {
      connectorId: 'acme.sharepoint',
      type: 'trendmicro-cas',
      name: 'acme-sharepoint',
      tenantName: 'acme',
      baseUrl,
      apiKeySecrets: ['tributary/acme/key'],
      contentTypes: ['sharepoint'],
      initialBackfillMinutes: 15,
      lateArrivalMinutes: 5,
    },
    {
      connectorId: 'acme.exchange',
      type: 'trendmicro-cas',
      name: 'acme-exchange',
      tenantName: 'acme',
      baseUrl,
      apiKeySecrets: ['tributary/acme/key'],
      contentTypes: ['exchange'],
      initialBackfillMinutes: 15,
      lateArrivalMinutes: 5,
      eventTypes: ['securityrisk', 'ransomware', 'dlp'],
      logFilters: [{ name: 'passed-mail', action: 'exclude', conditions: [{ field: 'action', operator: 'equals', values: ['Pass'] }] }],
    },
    {
      connectorId: 'globex.onedrive',
      type: 'trendmicro-cas',
      name: 'globex-onedrive',
      tenantName: 'globex',
      baseUrl,
      apiKeySecrets: ['tributary/globex/key'],
      contentTypes: ['onedrive'],
      initialBackfillMinutes: 15,
      lateArrivalMinutes: 5,
      eventTypes: ['securityrisk', 'dlp'],
    },
  ]
}

/** Returns API keys by secret name. */
export function demonstrationSecrets(): Readonly<Record<string, string>> {
  return { 'tributary/acme/key': acmeKey, 'tributary/globex/key': globexKey }
}

/** Each stream has four events a minute at all times. Some of them are up to a minute late. */
export function demonstrationSimulatorOptions(): SimulatorOptions {
  return {
    keys: [
      { key: acmeKey, customer: 'acme' },
      { key: globexKey, customer: 'globex' },
      { key: trialKey, customer: 'trial' },
    ],
    eventsPerHour: 240,
    lateMaxMs: 60_000,
  }
}
