import { EventBridgeClient, PutEventsCommand } from '@aws-sdk/client-eventbridge'
import { mockClient } from 'aws-sdk-client-mock'
import { beforeEach, describe, expect, it } from 'vitest'
import { eventBridgeBus } from '../../functions/adapters/bus.ts'
import { changeNotification } from '../../functions/domain/status/notifications.ts'

const eventBridge = mockClient(EventBridgeClient)
const bus = eventBridgeBus({ client: new EventBridgeClient({ region: 'us-east-1' }), bus: 'acme' })
const notification = changeNotification(
  { connectorId: 'a', tenantName: 'Acme', vendor: 'v' },
  { from: 'ok', to: 'failing', reason: 'r', since: 0 },
)

beforeEach(() => {
  eventBridge.reset()
})

describe('the event bus', () => {
  it('gets each notification as an event of its type, with its detail as JSON', async () => {
    eventBridge.on(PutEventsCommand).resolves({ FailedEntryCount: 0 })
    await bus.put([notification])
    expect(eventBridge.commandCalls(PutEventsCommand)[0]?.args[0].input).toEqual({
      Entries: [
        { EventBusName: 'acme', Source: 'tributary', DetailType: 'Connector State Changed', Detail: JSON.stringify(notification.detail) },
      ],
    })
  })

  it('gets ten at a time at most, and nothing if there is none', async () => {
    eventBridge.on(PutEventsCommand).resolves({ FailedEntryCount: 0 })
    await bus.put([])
    await bus.put(Array.from({ length: 23 }, () => notification))
    expect(eventBridge.commandCalls(PutEventsCommand).map(({ args }) => args[0].input.Entries?.length)).toEqual([10, 10, 3])
  })

  it('fails with the number and the reason if it refuses some of them', async () => {
    eventBridge.on(PutEventsCommand).resolves({ FailedEntryCount: 1, Entries: [{ EventId: '1' }, { ErrorCode: 'ThrottlingException' }] })
    await expect(bus.put([notification, notification])).rejects.toThrow('EventBridge refused 1 of 2 events: ThrottlingException')
  })
})
