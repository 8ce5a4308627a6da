import { SendMessageCommand, SQSClient } from '@aws-sdk/client-sqs'
import { mockClient } from 'aws-sdk-client-mock'
import { beforeEach, describe, expect, it } from 'vitest'
import { sqsQueue } from '../../functions/adapters/queue.ts'

const sqs = mockClient(SQSClient)
const queue = sqsQueue({ client: new SQSClient({ region: 'us-east-1' }), queueUrl: 'https://sqs.us-east-1.amazonaws.com/1/work' })

beforeEach(() => sqs.reset())

describe('the queue on SQS', () => {
  it('gets the connector, its delay, and its group', async () => {
    sqs.on(SendMessageCommand).resolves({ MessageId: '1' })
    await queue.send('acme', 42)
    expect(sqs.commandCalls(SendMessageCommand)[0]?.args[0].input).toEqual({
      QueueUrl: 'https://sqs.us-east-1.amazonaws.com/1/work',
      MessageBody: '{"connectorId":"acme"}',
      DelaySeconds: 42,
      MessageGroupId: 'acme',
    })
  })

  it('gets the claim, and puts the connectors of one tenant into one group', async () => {
    sqs.on(SendMessageCommand).resolves({ MessageId: '1' })
    await queue.send('acme.cas', 0, 1_795_552_800_000)
    expect(sqs.commandCalls(SendMessageCommand)[0]?.args[0].input).toMatchObject({
      MessageBody: '{"connectorId":"acme.cas","claim":1795552800000}',
      MessageGroupId: 'acme',
    })
  })

  it('throws if a message cannot be sent, so that the tick is tried again', async () => {
    sqs.on(SendMessageCommand).rejects(Object.assign(new Error('gone'), { name: 'QueueDoesNotExist' }))
    await expect(queue.send('acme', 0)).rejects.toThrow('gone')
  })
})
