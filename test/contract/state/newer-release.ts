import { type DynamoDBClient, PutItemCommand, ScanCommand } from '@aws-sdk/client-dynamodb'
import { marshall, unmarshall } from '@aws-sdk/util-dynamodb'
import { beforeEach, describe, expect, it } from 'vitest'
import { type StateTable, stateTable } from '../../../functions/adapters/state-table/state-table.ts'
import { newTest, written } from '../../../functions/domain/operate/test/connector-test.ts'
import { NewerSchema } from '../../../functions/domain/state-errors.ts'
import type { Outage } from '../../../functions/domain/status/outage.ts'
import { accepted, bucket, claim, fullStatus, heldKeys, list, page, start, status, stream, user } from './values.ts'

export interface OpenTable {
  readonly state: StateTable
  readonly table: string
  readonly client: DynamoDBClient
}

/** `open` makes a new, empty table, whose time is `start`. */
export function newerReleaseContract(open: () => Promise<OpenTable>): void {
  describe('an item of a newer release', () => {
    const test = newTest({ connectorId: 'a', isUnsaved: false }, undefined, start)
    const outage: Outage = { vendor: 'v', origin: 'https://a', since: start, cause: 'timed-out', reason: '', sent: false }
    let state: StateTable
    let table: string
    let client: DynamoDBClient

    beforeEach(async () => {
      ;({ state, table, client } = await open())
      await state.writeAccepted(accepted('a'), undefined)
      await state.makeDue('a', start, start)
      await state.updateStatus('a', () => status)
      await state.writeStream('a', 'x', stream(1))
      await state.writeTokens('k', bucket(1))
      await state.writeKeyUser('k', user('a'))
      await state.writeClaims('k', { revision: 1, claims: [claim('a')] })
      await state.writeHeldKeys('a', heldKeys)
      await state.writeSeen('a', 'x', page({ from: start, to: start + 4 }, 1))
      await state.fingerprintKey('aa')
      await state.beginOutage(outage)
      await state.writeTick({ at: start, waiting: 0, begun: 0 }, undefined)
      await state.writeOrigin('v', 'https://a', { version: 1 })
      await state.writeComparison({ claimedAt: start })
      await state.bindSecret('tributary/a', 'https://a')
      await state.writeTest(test, undefined)
      for (const item of await items()) {
        await client.send(new PutItemCommand({ TableName: table, Item: marshall({ ...item, schemaVersion: 2 }) }))
      }
    })

    const calls: [keyof StateTable, (state: StateTable) => Promise<unknown>][] = [
      ['readRun', (state) => state.readRun('a')],
      ['readAccepted', (state) => state.readAccepted('a')],
      ['writeAccepted', (state) => state.writeAccepted({ ...accepted('a'), retiredAt: start }, accepted('a'))],
      ['keepStreams', (state) => state.keepStreams({ ...accepted('a'), retiredAt: start })],
      ['claimDue', (state) => state.claimDue('a', start, start + 1)],
      ['beginDue', (state) => state.beginDue('a', start, start + 1)],
      ['readDue', (state) => state.readDue('a')],
      ['readTick', (state) => state.readTick()],
      ['writeTick', (state) => state.writeTick({ at: start, waiting: 0, begun: 0 }, start)],
      ['readComparison', (state) => state.readComparison()],
      ['writeComparison', (state) => state.writeComparison({})],
      ['readSecretOrigin', (state) => state.readSecretOrigin('tributary/a')],
      ['bindSecret', (state) => state.bindSecret('tributary/a', 'https://b')],
      ['hasFingerprintKey', () => stateTable({ client, table, now: () => start }).hasFingerprintKey()],
      ['readOrigin', (state) => state.readOrigin('v', 'https://a')],
      ['writeOrigin', (state) => state.writeOrigin('v', 'https://a', { version: 2 })],
      ['readTest', (state) => state.readTest('a')],
      ['writeTest', (state) => state.writeTest(written(test, {}, start), test)],
      ['setDue', (state) => state.setDue('a', start, start + 1)],
      ['makeDue', (state) => state.makeDue('a', start, start + 1)],
      ['removeDue', (state) => state.removeDue('a')],
      ['readStatus', (state) => state.readStatus('a')],
      ['updateStatus', (state) => state.updateStatus('a', () => fullStatus)],
      ['beginOutage', (state) => state.beginOutage(outage)],
      ['outageSent', (state) => state.outageSent(outage)],
      ['endOutage', (state) => state.endOutage(outage)],
      ['writeStream', (state) => state.writeStream('a', 'x', stream(2))],
      ['readSeen', (state) => state.readSeen('a', 'x', { from: start, to: start + 4 }, [1], () => {})],
      ['writeSeen', (state) => state.writeSeen('a', 'x', page({ from: start, to: start + 4 }, 1))],
      ['readTokens', (state) => state.readTokens('k')],
      ['writeTokens', (state) => state.writeTokens('k', bucket(2))],
      ['keyUsers', (state) => state.keyUsers('k', start)],
      ['writeKeyUser', (state) => state.writeKeyUser('k', user('a'))],
      ['removeKeyUser', (state) => state.removeKeyUser('k', 'a', start)],
      ['readClaims', (state) => state.readClaims('k')],
      ['writeClaims', (state) => state.writeClaims('k', { revision: 2, claims: [] })],
      ['readHeldKeys', (state) => state.readHeldKeys('a')],
      ['writeHeldKeys', (state) => state.writeHeldKeys('a', { ...heldKeys, revision: 2 })],
      ['readDue', (state) => state.readDue('a')],
      ['fingerprintKey', () => stateTable({ client, table, now: () => start }).fingerprintKey('bb')],
    ]

    it.each(calls)('makes %s throw NewerSchema, and stays as it is', async (_, call) => {
      const before = await items()
      const error = await call(state).catch((thrown: unknown) => thrown)
      expect(error).toBeInstanceOf(NewerSchema)
      expect((error as Error).message).toMatch(
        /^The state item (CONNECTOR#a|KEY#k|FINGERPRINT|OUTAGES|ORIGINS|DISPATCH|TEST#a|SECRET#tributary\/a) .*has schemaVersion 2, and this release knows up to 1\./,
      )
      expect(await items()).toEqual(before)
    })

    it('stops no listing: the others are listed, and it is reported', async () => {
      await state.makeDue('b', start, start)
      await state.writeAccepted(accepted('b'), undefined)
      await state.updateStatus('b', () => status)
      const other: Outage = { ...outage, origin: 'https://b' }
      await state.beginOutage(other)
      const unreadable: unknown[] = []
      const listing = stateTable({ client, table, now: () => start, onUnreadable: (error) => unreadable.push(error) })
      expect((await list(listing.dueBefore(start + 1))).map(({ connectorId }) => connectorId).sort()).toEqual(['a', 'b'])
      expect((await list(listing.allAccepted())).map(({ connector }) => connector.connectorId)).toEqual(['b'])
      expect((await list(listing.fleet())).map(({ connectorId }) => connectorId)).toEqual(['b'])
      expect(await listing.outages()).toEqual([other])
      expect(unreadable).toHaveLength(3)
      for (const error of unreadable) expect(error).toBeInstanceOf(NewerSchema)
    })

    async function items(): Promise<Record<string, unknown>[]> {
      const { Items } = await client.send(new ScanCommand({ TableName: table, ConsistentRead: true }))
      return (Items ?? []).map((item) => unmarshall(item))
    }
  })
}
