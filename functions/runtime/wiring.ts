import { randomBytes, randomUUID } from 'node:crypto'
import { DynamoDBClient } from '@aws-sdk/client-dynamodb'
import { EventBridgeClient } from '@aws-sdk/client-eventbridge'
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager'
import { eventBridgeBus } from '../adapters/bus.ts'
import { countClockSteps, systemClock } from '../adapters/clock.ts'
import { digest, keyedDigest } from '../adapters/digest.ts'
import { jsonLog } from '../adapters/log.ts'
import { embeddedMetrics } from '../adapters/metrics.ts'
import { secretsManager } from '../adapters/secrets.ts'
import type { PipelineTable } from '../adapters/state-table/pipeline-table.ts'
import type { StoreOptions } from '../adapters/state-table/store.ts'
import { tableClock } from '../adapters/table-clock.ts'
import { VendorClocks } from '../domain/vendor-clock.ts'
import { vendors } from '../vendors/index.ts'
import { awsClient } from './aws-client.ts'

interface CoreEnvironment {
  readonly STATE_TABLE: string
  readonly EVENT_BUS: string
  readonly METRICS_NAMESPACE: string
  readonly SHARED_RATE_GROUPS: readonly string[]
  readonly SECRETS_BOUND_TO_ORIGIN: boolean
}

/**
 * Makes the ports that every function which handles connectors needs, once, at cold start. `table`: the stores that the function uses, so
 * that its bundle has no others.
 */
export function wireCore<T extends PipelineTable>(env: CoreEnvironment, table: (options: StoreOptions) => T) {
  const clock = systemClock
  const { log, addRedaction } = jsonLog({ clock })
  const dynamodb = new DynamoDBClient(awsClient)
  const state = table({
    client: dynamodb,
    table: env.STATE_TABLE,
    now: clock.now,
    onUnreadable: (error) => log({ level: 'error', event: 'state-item-unreadable', message: error.message }),
  })
  const ownClock = tableClock(dynamodb, clock.now)
  const secrets = secretsManager({ client: new SecretsManagerClient(awsClient), clock, addRedaction })
  const stop = new AbortController()
  process.once('SIGTERM', () => stop.abort())
  let number = 0
  return {
    dynamodb,
    ports: {
      clock,
      state,
      ownClock,
      clockSteps: countClockSteps({ wallMs: Date.now, monotonicMs: () => performance.now() }),
      vendorClocks: new VendorClocks(),
      secrets,
      bus: eventBridgeBus({ client: new EventBridgeClient(awsClient), bus: env.EVENT_BUS }),
      publish: embeddedMetrics({ namespace: env.METRICS_NAMESPACE, clock }),
      log,
      digest,
      keyedDigest,
      vendors,
      sharedRateGroups: env.SHARED_RATE_GROUPS,
      secretsBoundToOrigin: env.SECRETS_BOUND_TO_ORIGIN,
      random: Math.random,
      newFingerprintKey: () => randomBytes(32).toString('hex'),
      process: randomUUID(),
      stop: stop.signal,
      nextNumber: () => {
        number += 1
        return number
      },
    },
  }
}
