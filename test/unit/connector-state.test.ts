import { describe, expect, it } from 'vitest'
import { fleetMetrics } from '../../functions/domain/metrics.ts'
import { connectorStates, isSwitchedOff, traitsOfState } from '../../functions/domain/status/connector-state.ts'

describe('the table of states', () => {
  it.each(connectorStates)('says in a whole sentence what to do about %s', (state) => {
    expect(traitsOfState(state).remedy).toMatch(/^[A-Z].*\.$/)
  })

  it('counts no two states under one metric, so that a metric means one thing', () => {
    const metrics = connectorStates.flatMap((state) => traitsOfState(state).metric ?? [])
    expect(new Set(metrics).size).toBe(metrics.length)
  })

  it('counts every problem, so that an alarm can be set on it', () => {
    const uncounted = connectorStates.filter((state) => traitsOfState(state).isProblem && traitsOfState(state).metric === undefined)
    expect(uncounted).toEqual([])
  })

  it('has a state for every metric that counts connectors by state', () => {
    const ofNoState = ['ConnectorsDroppedOff']
    const byState = Object.keys(fleetMetrics).filter((metric) => /^Connectors./.test(metric) && !ofNoState.includes(metric))
    const counted: readonly string[] = connectorStates.flatMap((state) => traitsOfState(state).metric ?? [])
    expect(byState.filter((metric) => !counted.includes(metric))).toEqual([])
  })

  it('has no problem after a state that is none, so that the widget shows problems first', () => {
    const firstWell = connectorStates.findIndex((state) => !traitsOfState(state).isProblem)
    expect(connectorStates.slice(firstWell).filter((state) => traitsOfState(state).isProblem)).toEqual([])
  })
})

it('only a paused and a retired connector are switched off', () => {
  expect(connectorStates.filter(isSwitchedOff)).toEqual(['paused', 'retired'])
})
