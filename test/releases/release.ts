import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import type { AttributeValue } from '@aws-sdk/client-dynamodb'
import * as z from 'zod'
import { stateTable } from '../../functions/adapters/state-table/state-table.ts'
import { acceptConnector, reconcileConnectors, retireConnector } from '../../functions/flows/accept-connector.ts'
import { collectConnector } from '../../functions/flows/collect/collect-connector.ts'
import { dispatchDue } from '../../functions/flows/dispatch-due.ts'
import { measureFleet } from '../../functions/flows/measure-fleet.ts'
import { vendors } from '../../functions/vendors/index.ts'

/** What of this release a deployment is made of. */
const present = {
  stateTable,
  acceptConnector,
  reconcileConnectors,
  retireConnector,
  collectConnector,
  dispatchDue,
  measureFleet,
  vendors,
}

/**
 * A release's functions. Those of a former one are told what this release's ports are, of which they use what their own time
 * knew; the state table that they are given is their own.
 */
export type Functions = typeof present

export interface Release {
  readonly name: string
  readonly functions: Functions
}

export const presentRelease: Release = { name: 'this release', functions: present }

/** Where each function is, for the bundle of a release. */
export const exportedFrom = {
  acceptConnector: 'functions/flows/accept-connector.ts',
  reconcileConnectors: 'functions/flows/accept-connector.ts',
  retireConnector: 'functions/flows/accept-connector.ts',
  collectConnector: 'functions/flows/collect/collect-connector.ts',
  dispatchDue: 'functions/flows/dispatch-due.ts',
  measureFleet: 'functions/flows/measure-fleet.ts',
  stateTable: 'functions/adapters/state-table/state-table.ts',
  vendors: 'functions/vendors/index.ts',
} as const satisfies Record<keyof Functions, string>

function fn<T>() {
  return z.custom<T>((value) => typeof value === 'function')
}

const bundle = z.object({
  acceptConnector: fn<Functions['acceptConnector']>(),
  reconcileConnectors: fn<Functions['reconcileConnectors']>(),
  retireConnector: fn<Functions['retireConnector']>(),
  collectConnector: fn<Functions['collectConnector']>(),
  dispatchDue: fn<Functions['dispatchDue']>(),
  measureFleet: fn<Functions['measureFleet']>(),
  stateTable: fn<Functions['stateTable']>(),
  vendors: z.custom<Functions['vendors']>((value) => value instanceof Map),
})

const storedState = z.object({ at: z.number(), items: z.array(z.record(z.string(), z.custom<AttributeValue>())) })

/** All items of a state table in DynamoDB's typed JSON, as a release wrote them, and the time (epoch ms) of the last of them. */
export type StoredState = z.output<typeof storedState>

function place(version: string, file: string): URL {
  return new URL(`./${version}/${file}`, import.meta.url)
}

export async function loadRelease(version: string): Promise<Release> {
  return { name: `release ${version}`, functions: bundle.parse(await import(fileURLToPath(place(version, 'functions.mjs')))) }
}

export async function loadState(version: string): Promise<StoredState> {
  const text = await readFile(place(version, 'state.json'), 'utf8')
  const binary = (name: string, value: unknown) => (name === 'B' && typeof value === 'string' ? Buffer.from(value, 'base64') : value)
  return storedState.parse(JSON.parse(text, binary))
}

/** One item a line, so that two states can be compared; binary as base64. */
export function stateText({ at, items }: StoredState): string {
  const lines = items.map((item) => JSON.stringify(item, (_, value: unknown) => binaryAsText(value)))
  return `{"at":${at},"items":[\n${lines.sort().join(',\n')}\n]}\n`
}

function binaryAsText(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || !('B' in value) || !(value.B instanceof Uint8Array)) return value
  return { B: Buffer.from(value.B).toString('base64') }
}
