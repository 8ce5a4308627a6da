import type { DynamoDBRecord } from 'aws-lambda'
import { expect, test } from 'vitest'
import type { LogEntry } from '../../functions/domain/ports.ts'
import { eachRecord } from '../../functions/runtime/stream-batch.ts'

const record = (connectorId: string, sequence: string): DynamoDBRecord => ({
  dynamodb: { Keys: { connectorId: { S: connectorId } }, SequenceNumber: sequence },
})

test('a record that fails keeps none of the others back, but the later ones of the same item', async () => {
  const handled: string[] = []
  const log: LogEntry[] = []
  const records = [record('a', '1'), record('bad', '2'), record('b', '3'), record('bad', '4'), record('a', '5')]
  const response = await eachRecord(
    records,
    (entry) => log.push(entry),
    async ({ dynamodb }) => {
      if (dynamodb?.Keys?.['connectorId']?.S === 'bad') throw new Error('It always fails')
      handled.push(dynamodb?.SequenceNumber ?? '')
    },
  )
  expect(handled).toEqual(['1', '3', '5'])
  expect(response.batchItemFailures.map(({ itemIdentifier }) => itemIdentifier)).toEqual(['2', '4'])
  expect(log.map(({ event }) => event)).toEqual(['record-failed'])
})
