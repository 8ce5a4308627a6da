import type { environments } from '../../functions/env.ts'

/** Every function: its key in `functions/env.ts` and its name. Its file in `functions/` has that name, and its name in AWS ends with it. */
export const functionNames = {
  collect: 'collect',
  connectorChanged: 'connector-changed',
  dispatch: 'dispatch',
  operate: 'operate',
  statusWidget: 'status-widget',
} as const satisfies Record<keyof typeof environments, string>

export type FunctionKey = keyof typeof functionNames

/** The functions that accept, send out, collect and change. The status widget only reads. */
export const workingFunctions = ['collect', 'connectorChanged', 'dispatch', 'operate'] as const satisfies readonly FunctionKey[]

export const allFunctions = [...workingFunctions, 'statusWidget'] as const satisfies readonly FunctionKey[]

export type EachFunction<T> = Readonly<Record<FunctionKey, T>>

export type EachWorkingFunction<T> = Readonly<Record<(typeof workingFunctions)[number], T>>

export function mapFunctions<From, To>(each: EachFunction<From>, map: (from: From) => To): EachFunction<To> {
  const { collect, connectorChanged, dispatch, operate, statusWidget } = each
  return {
    collect: map(collect),
    connectorChanged: map(connectorChanged),
    dispatch: map(dispatch),
    operate: map(operate),
    statusWidget: map(statusWidget),
  }
}
