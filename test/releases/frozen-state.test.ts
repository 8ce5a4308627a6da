import { unmarshall } from '@aws-sdk/util-dynamodb'
import { describe, expect, it } from 'vitest'
import { kindsOf } from './everything.ts'
import { frozenVersions, loadState, type StoredState } from './release.ts'

/** Optional parts of a state, by their stored names. A frozen state is useful only if it has each of them. */
interface Parts {
  readonly kinds: readonly string[]
  readonly accepted: readonly string[]
  readonly connector: readonly string[]
  readonly streams: readonly string[]
  readonly sliceKinds: readonly string[]
  readonly statuses: readonly string[]
  readonly states: readonly string[]
  /** Attributes of the pending changes of state. */
  readonly changes: readonly string[]
  /** The values of `told` in the outages. */
  readonly outagesTold: readonly boolean[]
}

const parts010: Parts = {
  kinds: ['ACCEPTED', 'DUE', 'KEY', 'SEEN', 'STATUS', 'STREAM', 'TOKENS', 'USER'],
  accepted: ['lastPause', 'retiredAt'],
  connector: ['rateGroup', 'requestsPerDay'],
  streams: ['covered', 'hard', 'holes', 'lastReadAt', 'lease', 'reread', 'setAside', 'slice', 'trouble'],
  sliceKinds: ['reread', 'settling'],
  statuses: ['trouble', 'lastFailure', 'keys'],
  states: ['catching-up', 'failing', 'ok', 'paused', 'refused', 'retired', 'starting', 'throttled'],
  changes: [],
  outagesTold: [],
}

const parts020: Parts = {
  ...parts010,
  kinds: [...parts010.kinds, 'OUTAGE'],
  connector: [...parts010.connector, 'tlsCaPem'],
  sliceKinds: ['fresh', 'reread', 'settling', 'tail'],
  statuses: [...parts010.statuses, 'cause', 'changes', 'vendor', 'site', 'streamsBehind', 'holes', 'oldestKeyAt'],
  states: [...parts010.states, 'losing-data'],
  changes: ['cause', 'causeBefore', 'refusedEdit'],
  outagesTold: [false, true],
}

const parts: Readonly<Record<string, Parts>> = { '0.1.0': parts010, '0.2.0': parts020, '0.3.0': parts020 }

describe.each(frozenVersions)('the state that release %s wrote', (version) => {
  it('has every kind of item, and every optional part of each', async () => {
    const stored = await loadState(version)
    const { kinds, accepted, connector, streams, sliceKinds, statuses, states, changes, outagesTold } = parts[version]!
    expect(kindsOf(stored)).toEqual([...kinds].sort())
    const acceptances = itemsOf(stored, 'ACCEPTED')
    expect(attributesOf(acceptances)).toEqual(expect.arrayContaining([...accepted]))
    expect(attributesOf(acceptances.map((item) => item['connector']))).toEqual(expect.arrayContaining([...connector]))

    const ledgers = itemsOf(stored, 'STREAM#')
    expect(attributesOf(ledgers)).toEqual(expect.arrayContaining([...streams]))
    expect(valuesOf(ledgers.flatMap((item) => item['slice'] ?? []).map(({ kind }) => kind))).toEqual(sliceKinds)
    expect(valuesOf(ledgers.flatMap((item) => item['holes']).map(({ reason }) => reason))).toEqual(['horizon', 'paused', 'unreadable'])

    const known = itemsOf(stored, 'STATUS').map((item) => item['status'])
    expect(attributesOf(known)).toEqual(expect.arrayContaining([...statuses]))
    expect(valuesOf(known.map(({ state }) => state))).toEqual([...states].sort())
    expect(attributesOf(known.flatMap((status) => status.changes ?? []))).toEqual(expect.arrayContaining([...changes]))
    expect(valuesOf(itemsOf(stored, 'trendmicro-cas#').map((item) => item['told']))).toEqual(outagesTold)
  })
})

function itemsOf({ items }: StoredState, sortKey: string) {
  return items.map((item) => unmarshall(item)).filter(({ sk }) => String(sk).startsWith(sortKey))
}

function attributesOf(values: readonly object[]): string[] {
  return [...new Set(values.flatMap((value) => Object.keys(value)))]
}

function valuesOf<T>(values: readonly T[]): T[] {
  return [...new Set(values)].sort()
}
