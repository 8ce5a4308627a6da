import { DeleteMessageCommand, ReceiveMessageCommand, SQSClient } from '@aws-sdk/client-sqs'
import { describe, expect, it } from 'vitest'
import { sqsQueue } from '../../functions/adapters/queue.ts'
import type { Queue } from '../../functions/domain/ports.ts'
import { VirtualClock } from '../../simulation/fakes/clock.ts'
import { MemoryQueue } from '../../simulation/fakes/queue.ts'
import { localServices } from '../local-services.ts'

interface Open {
  readonly queue: Queue
  now(): number
  /** Waits up to 5 s for messages and takes them. */
  receive(): Promise<string[]>
}

async function openMemory(): Promise<Open> {
  const clock = new VirtualClock()
  const queue = new MemoryQueue(clock)
  return {
    queue,
    now: () => clock.now(),
    async receive() {
      for (let waitedMs = 0; waitedMs < 5_000; waitedMs += 100) {
        const received = queue.receive()
        if (received.length > 0) return received
        await clock.advance(100)
      }
      return []
    },
  }
}

async function openSqs(): Promise<Open> {
  const { addresses, clientConfig } = await localServices()
  const client = new SQSClient({ ...clientConfig, endpoint: new URL(addresses.queueUrl).origin })
  const QueueUrl = addresses.queueUrl
  return {
    queue: sqsQueue({ client, queueUrl: QueueUrl }),
    now: Date.now,
    async receive() {
      const { Messages = [] } = await client.send(new ReceiveMessageCommand({ QueueUrl, WaitTimeSeconds: 5, MaxNumberOfMessages: 10 }))
      for (const { ReceiptHandle } of Messages) await client.send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle }))
      return Messages.map(({ Body }) => JSON.parse(Body!).connectorId)
    },
  }
}

describe.each([
  ['in memory', openMemory],
  ['on SQS', openSqs],
])('the queue %s', (_, open) => {
  it('delivers each message that was sent', async () => {
    const { queue, receive } = await open()
    await queue.send('acme', 0)
    await queue.send('globex', 0)
    const first = await receive()
    expect([...first, ...(first.length < 2 ? await receive() : [])].sort()).toEqual(['acme', 'globex'])
  })

  it('holds a message back for its delay', async () => {
    const { queue, receive, now } = await open()
    const sentAt = now()
    await queue.send('later', 1)
    await queue.send('now', 0)
    expect(await receive()).toEqual(['now'])
    expect(await receive()).toEqual(['later'])
    expect(now() - sentAt).toBeGreaterThanOrEqual(1_000)
  })
})
