import { expect, test } from 'vitest'
import { demonstrationConnectors, demonstrationSecrets, demonstrationSimulatorOptions, trialKey } from '../../local/demonstration.ts'
import type { StreamName } from '../../local/simulator/catalogue.ts'
import { itemOf } from '../../local/simulator/messages.ts'
import { VendorModel } from '../../local/simulator/model.ts'
import { hour, noon } from './simulator-client.ts'

const connectors = demonstrationConnectors('http://127.0.0.1:1234') as readonly {
  tenantName: string
  apiKeySecrets: string[]
  contentTypes: string[]
  eventTypes?: string[]
}[]

test('two connectors of one tenant share a key, the other tenant has its own, and one key is left for trying', () => {
  expect(connectors.map(({ tenantName, apiKeySecrets }) => [tenantName, ...apiKeySecrets])).toEqual([
    ['acme', 'tributary/acme/key'],
    ['acme', 'tributary/acme/key'],
    ['globex', 'tributary/globex/key'],
  ])
  const keys = demonstrationSimulatorOptions().keys?.map(({ key }) => key)
  expect([...Object.values(demonstrationSecrets()), trialKey]).toEqual(keys)
})

test('a first pass over all streams fits into the 20 requests of a minute', () => {
  const streams = (name: string) =>
    connectors
      .filter(({ tenantName }) => tenantName === name)
      .reduce((sum, { contentTypes, eventTypes }) => sum + contentTypes.length * (eventTypes?.length ?? 4), 0)
  expect(streams('acme')).toBeLessThanOrEqual(10)
  expect(streams('globex')).toBeLessThanOrEqual(10)
})

test('the log filter drops some events, but not all', () => {
  const model = new VendorModel(demonstrationSimulatorOptions())
  const events = (['exchange/securityrisk', 'exchange/ransomware', 'exchange/dlp'] satisfies StreamName[]).flatMap((stream) => [
    ...model.eventsVisible(stream, noon - hour, noon),
  ])
  const passed = events.filter((event) => (itemOf(event) as { message: { action: string } }).message.action === 'Pass')
  expect(passed.length).toBeGreaterThan(events.length / 20)
  expect(passed.length).toBeLessThan(events.length / 2)
})
