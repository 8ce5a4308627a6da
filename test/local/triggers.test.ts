import { setTimeout as wait } from 'node:timers/promises'
import { DeleteItemCommand, DynamoDBClient, PutItemCommand } from '@aws-sdk/client-dynamodb'
import { GetQueueAttributesCommand, SQSClient } from '@aws-sdk/client-sqs'
import type { Context, DynamoDBStreamEvent, ScheduledEvent, SQSEvent } from 'aws-lambda'
import { describe, expect, it, onTestFinished } from 'vitest'
import { sqsQueue } from '../../functions/adapters/queue.ts'
import { connectorsTableName, type ServicesOptions } from '../../local/services/services.ts'
import { startQueueTrigger } from '../../local/triggers/queue-trigger.ts'
import { startRule } from '../../local/triggers/rule.ts'
import { startTableStream, tableStreamReader } from '../../local/triggers/table-stream.ts'
import { eventually } from '../eventually.ts'
import { localServices } from '../local-services.ts'

describe('the trigger of the queue', () => {
  async function open(options: Partial<ServicesOptions> = {}) {
    const { addresses, clientConfig } = await localServices(options)
    const client = new SQSClient({ ...clientConfig, endpoint: new URL(addresses.queueUrl).origin })
    const { queueUrl } = addresses
    const count = async (name: 'ApproximateNumberOfMessages' | 'ApproximateNumberOfMessagesNotVisible') => {
      const { Attributes } = await client.send(new GetQueueAttributesCommand({ QueueUrl: queueUrl, AttributeNames: [name] }))
      return Number(Attributes?.[name])
    }
    const start = (handler: (event: SQSEvent, context: Context) => Promise<unknown>, concurrencyMax = 10) => {
      const trigger = startQueueTrigger({ client, queueUrl, handler, concurrencyMax })
      onTestFinished(() => trigger.stop())
      return trigger
    }
    return { queue: sqsQueue({ client, queueUrl }), count, start }
  }

  it('calls the function with one message, as Lambda does, and deletes it', async () => {
    const { queue, count, start } = await open()
    const events: SQSEvent[] = []
    const left: number[] = []
    const trigger = start(async (event, context) => {
      events.push(event)
      left.push(context.getRemainingTimeInMillis())
    })
    await queue.send('acme', 0)
    await eventually(() => events.length).toBe(1)
    await trigger.stop()
    expect(events[0]?.Records).toMatchObject([
      {
        body: '{"connectorId":"acme"}',
        eventSource: 'aws:sqs',
        eventSourceARN: 'arn:aws:sqs:us-east-1:000000000000:tributary-work',
        attributes: { ApproximateReceiveCount: '1' },
      },
    ])
    expect(left[0]).toBeGreaterThan(299_000)
    expect(left[0]).toBeLessThanOrEqual(300_000)
    expect(await count('ApproximateNumberOfMessages')).toBe(0)
    expect(await count('ApproximateNumberOfMessagesNotVisible')).toBe(0)
  })

  it('passes a message again after its visibility timeout when its invocation failed', async () => {
    const { queue, start } = await open({ visibilitySeconds: 1 })
    const tries: string[] = []
    start(async ({ Records }) => {
      tries.push(Records[0]!.attributes.ApproximateReceiveCount)
      if (tries.length === 1) throw new Error('a bug')
    })
    await queue.send('acme', 0)
    await eventually(() => tries).toEqual(['1', '2'])
  })

  it('runs no more invocations at a time than allowed', async () => {
    const { queue, start } = await open()
    const release = Promise.withResolvers<void>()
    let running = 0
    let done = 0
    let runningMax = 0
    start(async () => {
      running += 1
      runningMax = Math.max(runningMax, running)
      await release.promise
      running -= 1
      done += 1
    }, 3)
    for (let n = 0; n < 7; n += 1) await queue.send(`c${n}`, 0)
    await eventually(() => running).toBe(3)
    release.resolve()
    await eventually(() => done).toBe(7)
    expect(runningMax).toBe(3)
  })

  it('ends when the invocations under way have ended, and leaves the other messages in the queue', async () => {
    const { queue, count, start } = await open()
    const begun = Promise.withResolvers<void>()
    const release = Promise.withResolvers<void>()
    let done = 0
    const trigger = start(async () => {
      begun.resolve()
      await release.promise
      done += 1
    }, 1)
    await queue.send('first', 0)
    await begun.promise
    await queue.send('second', 0)
    const stopped = trigger.stop()
    release.resolve()
    await stopped
    expect(done).toBe(1)
    expect(await count('ApproximateNumberOfMessages')).toBe(1)
  })
})

describe('the stream of the connectors table', () => {
  async function open() {
    const { addresses, clientConfig } = await localServices()
    const client = new DynamoDBClient({ ...clientConfig, endpoint: addresses.dynamodb })
    const TableName = connectorsTableName
    const seen: [string | undefined, string | undefined, string | undefined][] = []
    const handler = async ({ Records }: DynamoDBStreamEvent): Promise<void> => {
      for (const { eventName, dynamodb } of Records) {
        if (dynamodb?.NewImage?.['name']?.S === 'poison') throw new Error('a bug')
        seen.push([eventName, dynamodb?.Keys?.['connectorId']?.S, dynamodb?.NewImage?.['name']?.S])
      }
    }
    return {
      client,
      seen,
      options: { client, table: TableName, handler },
      put: (id: string, name: string) =>
        client.send(new PutItemCommand({ TableName, Item: { connectorId: { S: id }, name: { S: name } } })),
      remove: (id: string) => client.send(new DeleteItemCommand({ TableName, Key: { connectorId: { S: id } } })),
    }
  }

  it('begins with every item of the table', async () => {
    const { put, options, seen } = await open()
    await put('a', 'one')
    await tableStreamReader(options).poll()
    expect(seen).toEqual([['INSERT', 'a', 'one']])
  })

  it('passes each change once', async () => {
    const { put, remove, options, seen } = await open()
    const reader = tableStreamReader(options)
    await put('a', 'one')
    await reader.poll()
    await put('a', 'two')
    await reader.poll()
    await reader.poll()
    await remove('a')
    await reader.poll()
    await reader.poll()
    expect(seen).toEqual([
      ['INSERT', 'a', 'one'],
      ['MODIFY', 'a', 'two'],
      ['REMOVE', 'a', undefined],
    ])
  })

  it('passes a deletion that happened while it did not run', async () => {
    const { put, remove, options, seen } = await open()
    await put('a', 'one')
    await tableStreamReader(options).poll()
    await remove('a')
    await tableStreamReader(options).poll()
    expect(seen.at(-1)).toEqual(['REMOVE', 'a', undefined])
  })

  it('delays only the record that fails, and passes it again until it succeeds', async () => {
    const { put, options, seen } = await open()
    const reader = tableStreamReader(options)
    for (const id of ['a', 'b', 'c', 'd', 'e']) await put(id, id === 'c' ? 'poison' : 'fine')
    await reader.poll()
    expect(new Set(seen.map(([, id]) => id))).toEqual(new Set(['a', 'b', 'd', 'e']))
    await put('c', 'mended')
    await reader.poll()
    expect(seen.at(-1)).toEqual(['INSERT', 'c', 'mended'])
  })

  it('passes a record that the function reports as failed again, alone, until it succeeds', async () => {
    const { put, options } = await open()
    const batches: [string | undefined, string | undefined][][] = []
    let isMended = false
    const handler = async ({ Records }: DynamoDBStreamEvent) => {
      batches.push(Records.map(({ eventName, dynamodb }) => [eventName, dynamodb?.Keys?.['connectorId']?.S]))
      const failed = Records.filter(({ dynamodb }) => dynamodb?.Keys?.['connectorId']?.S === 'b' && !isMended)
      return { batchItemFailures: failed.map(({ dynamodb }) => ({ itemIdentifier: dynamodb?.SequenceNumber ?? '' })) }
    }
    const said: string[] = []
    const reader = tableStreamReader({ ...options, handler, onError: (message) => said.push(message) })
    for (const id of ['a', 'b', 'c']) await put(id, 'one')
    await reader.poll()
    await reader.poll()
    await put('a', 'two')
    await reader.poll()
    isMended = true
    await reader.poll()
    await reader.poll()
    expect(batches.map((batch) => new Set(batch.map(([name, id]) => `${name} ${id}`)))).toEqual([
      new Set(['INSERT a', 'INSERT b', 'INSERT c']),
      new Set(['INSERT b']),
      new Set(['INSERT b', 'MODIFY a']),
      new Set(['INSERT b']),
    ])
    expect(said).toEqual([])
  })

  it('gives a record up after ten tries and reports it', async () => {
    const { put, options } = await open()
    const said: string[] = []
    const reader = tableStreamReader({ ...options, onError: (message) => said.push(message) })
    await put('a', 'poison')
    for (let n = 0; n < 12; n += 1) await reader.poll()
    expect(said).toEqual(['The change of connector a failed 10 times and is given up'])
  })

  it('gives a record that the function reports as failed up after ten tries as well', async () => {
    const { put, options } = await open()
    const said: string[] = []
    let calls = 0
    const handler = async ({ Records }: DynamoDBStreamEvent) => {
      calls += 1
      return { batchItemFailures: Records.map(({ dynamodb }) => ({ itemIdentifier: dynamodb?.SequenceNumber ?? '' })) }
    }
    const reader = tableStreamReader({ ...options, handler, onError: (message) => said.push(message) })
    await put('a', 'one')
    for (let n = 0; n < 12; n += 1) await reader.poll()
    expect([calls, said]).toEqual([10, ['The change of connector a failed 10 times and is given up']])
  })

  it('is polled until it is stopped', async () => {
    const { put, options, seen } = await open()
    const trigger = await startTableStream({ ...options, pollMs: 10 })
    await put('a', 'one')
    await eventually(() => seen.length).toBe(1)
    await trigger.stop()
  })
})

describe('the rule', () => {
  /** Returns the first ticks. The time goes on by `passes(n)` ms while the function handles the nth tick. */
  async function ticks(count: number, passes: (tick: number) => number): Promise<ScheduledEvent[]> {
    const events: ScheduledEvent[] = []
    let now = Date.UTC(2026, 10, 24, 12)
    const handler = async (event: ScheduledEvent): Promise<void> => {
      events.push(event)
      now += passes(events.length)
    }
    const rule = startRule({ handler, now: () => now })
    await eventually(() => events.length).toBeGreaterThanOrEqual(count)
    await rule.stop()
    return events.slice(0, count)
  }

  it('ticks at once and then every minute, with the time at which the tick was due', async () => {
    const events = await ticks(3, (tick) => 60_000 + tick)
    expect(events.map(({ time }) => time)).toEqual(['2026-11-24T12:00:00Z', '2026-11-24T12:01:00Z', '2026-11-24T12:02:00Z'])
    expect(events[0]).toMatchObject({ source: 'aws.events', 'detail-type': 'Scheduled Event', detail: {} })
    expect(new Set(events.map(({ id }) => id)).size).toBe(3)
  })

  it('leaves out ticks that a sleeping machine missed', async () => {
    const events = await ticks(3, (tick) => (tick === 1 ? 10 * 60_000 + 10 : 60_000))
    expect(events.map(({ time }) => time)).toEqual(['2026-11-24T12:00:00Z', '2026-11-24T12:10:00Z', '2026-11-24T12:11:00Z'])
  })

  it('does not wait for a slow function before the next tick, but waits for it at the end', async () => {
    const release = Promise.withResolvers<void>()
    let begun = 0
    let ended = 0
    const rule = startRule({
      handler: async () => {
        begun += 1
        await release.promise
        ended += 1
      },
      everyMs: 5,
    })
    await eventually(() => begun).toBeGreaterThan(2)
    const stopped = rule.stop()
    expect(await Promise.race([stopped.then(() => 'ended'), wait(20, 'waits')])).toBe('waits')
    release.resolve()
    await stopped
    expect(ended).toBe(begun)
  })

  it('continues when the function fails', async () => {
    let ticks = 0
    const rule = startRule({
      handler: async () => {
        ticks += 1
        throw new Error('a bug')
      },
      everyMs: 5,
    })
    await eventually(() => ticks).toBeGreaterThan(2)
    await rule.stop()
  })
})
