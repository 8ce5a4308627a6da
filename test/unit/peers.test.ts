import { appendFileSync, mkdirSync, mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { agesOf } from '../../bench/peers/live.ts'
import { Output } from '../../bench/peers/output.ts'
import { report } from '../../bench/peers/report.ts'
import { airbyteState, farosState, singerState } from '../../bench/peers/state-messages.ts'

describe('the state that is kept for the next run of a peer', () => {
  const state = (name: string, at: string) => ({ type: 'STREAM', stream: { stream_descriptor: { name }, stream_state: { at } } })
  const lines = (...messages: readonly unknown[]) => messages.map((message) => `${JSON.stringify(message)}\n`).join('')

  it('is the last state of each stream of Airbyte, and the former one of a stream that sent none', () => {
    const output = lines({ type: 'STATE', state: state('a', '2') }, { type: 'RECORD' }, { type: 'STATE', state: state('a', '3') })
    expect(airbyteState([state('a', '1'), state('b', '1')], output)).toEqual([state('a', '3'), state('b', '1')])
  })

  it('is the last value of Singer and the last data of faros, and nothing without a state', () => {
    expect(singerState(lines({ type: 'STATE', value: 1 }, { type: 'STATE', value: 2 }, { type: 'RECORD' }))).toBe(2)
    expect(farosState(lines({ type: 'STATE', state: { data: 1 } }))).toBe(1)
    expect(singerState(lines({ type: 'RECORD' }))).toBeUndefined()
    expect(farosState('')).toBeUndefined()
  })

  it('does not come from a message that a kill cut short', () => {
    expect(singerState(`${lines({ type: 'STATE', value: 1 })}{"type":"STATE","val`)).toBe(1)
  })
})

describe('the output of a program', () => {
  const eventId = /"id":"(\w+)"/
  const folder = () => mkdtempSync(join(tmpdir(), 'tributary-output-'))

  it('has an event from the first look that finds its whole line', () => {
    const dir = folder()
    const file = join(dir, 'a.jsonl')
    const output = new Output(dir, eventId)
    writeFileSync(file, '{"id":"one"}\n{"id":"t')
    output.look(1)
    appendFileSync(file, 'wo"}\n')
    output.look(2)
    expect([...output.firstSeen]).toEqual([
      ['one', 1],
      ['two', 2],
    ])
    expect(output.bytes).toBe(26)
  })

  it('counts an event that is there twice, also in another file, and no line without an id', () => {
    const dir = folder()
    mkdirSync(join(dir, 'deep'))
    writeFileSync(join(dir, 'a.jsonl'), '{"id":"one"}\n{"state":1}\n')
    writeFileSync(join(dir, 'deep', 'b.json.gz'), gzipSync('{"id":"one"}\n{"id":"two"}\n'))
    const output = new Output(dir, eventId)
    output.look(1)
    output.look(2)
    expect([output.firstSeen.size, output.twice]).toEqual([2, 1])
  })

  it('is empty while its folder is not there', () => {
    const output = new Output(join(folder(), 'none'), eventId)
    output.look(1)
    expect(output.firstSeen.size).toBe(0)
  })
})

describe('the ages of events', () => {
  it('are from when the vendor shows an event to when it is there, and to the end if it never is', () => {
    const made = ['a', 'b', 'c'].map((id) => ({ id, stream: 's', visibleAt: 1_000 }))
    const seen = new Map([
      ['a', 2_000],
      ['b', 5_000],
    ])
    expect(agesOf(made, seen, 61_000)).toEqual({ events: 3, missing: 1, medianSeconds: 4, worstSeconds: 60 })
  })
})

describe('the report', () => {
  const conditions = { rounds: 2, events: 100_000, minutes: 8, cores: 2, node: '24', month: 'November 2026' }
  const turn = (cpuSeconds: number) => ({
    events: 100_000,
    cpuSeconds,
    seconds: 1,
    peakBytes: 2 ** 20,
    exitCode: 0,
    lost: 0,
    twice: 0,
    bytes: 1e8,
    requests: 1,
    start: { cpuSeconds: 1, peakBytes: 1 },
  })

  it('compares a peer with Tributary round by round', () => {
    const backlog = { Tributary: [turn(10), turn(40)], other: [turn(5), turn(10)] }
    const text = report({ backlog }, [], conditions)
    expect(text).toContain('| Tributary | 250 | 1.00 | 240 | 1.0 | 1 | 1,000 | 250 |')
    expect(text).toContain('| other | 75 | 0.38 | 65 | 1.0 | 1 | 1,000 | 75 |')
  })

  it('says why a program has no figures', () => {
    const text = report(
      { kill: { Tributary: [turn(1), { failed: 'It broke.' }] }, streams: { other: [{ failed: 'a | b' }] } },
      [],
      conditions,
    )
    expect(text).toContain('| Tributary | 0 / failed | 0 / failed |')
    expect(text).toContain('not measured: a \\| b')
  })
})
