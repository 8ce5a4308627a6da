import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import type { AttributeValue } from '@aws-sdk/client-dynamodb'
import * as z from 'zod'
import { type StateTable, stateTable } from '../../functions/adapters/state-table/state-table.ts'
import { acceptConnector } from '../../functions/flows/accept-connector.ts'
import { collectConnector } from '../../functions/flows/collect/collect-connector.ts'
import { compareTables } from '../../functions/flows/compare-tables.ts'
import { dispatchDue } from '../../functions/flows/dispatch-due.ts'
import { measureFleet } from '../../functions/flows/measure-fleet.ts'
import { reconcileConnectors } from '../../functions/flows/reconcile-connectors.ts'
import { retireConnector } from '../../functions/flows/retire-connector.ts'
import { vendors } from '../../functions/vendors/index.ts'
import { presentNames, type Tables, translationBy, untilRelease020 } from './translation.ts'
import { fromText, toText } from './typed-json.ts'

/** The functions of this release that a deployment runs. */
const present = {
  stateTable,
  acceptConnector,
  reconcileConnectors,
  compareTables,
  retireConnector,
  collectConnector,
  dispatchDue,
  measureFleet,
  vendors,
}

/**
 * The functions of a release. A former release gets the ports of this one under its own names, and uses those that it knows. It
 * has its own state table adapter.
 */
export type Functions = typeof present

export interface Release {
  readonly name: string
  readonly functions: Functions
}

export const presentRelease: Release = { name: 'this release', functions: present }

/** The file of each function, for the bundle of a release. */
export const exportedFrom = {
  acceptConnector: 'functions/flows/accept-connector.ts',
  reconcileConnectors: 'functions/flows/reconcile-connectors.ts',
  compareTables: 'functions/flows/compare-tables.ts',
  retireConnector: 'functions/flows/retire-connector.ts',
  collectConnector: 'functions/flows/collect/collect-connector.ts',
  dispatchDue: 'functions/flows/dispatch-due.ts',
  measureFleet: 'functions/flows/measure-fleet.ts',
  stateTable: 'functions/adapters/state-table/state-table.ts',
  vendors: 'functions/vendors/index.ts',
} as const satisfies Record<keyof Functions, string>

/** A bundle before its translation: its functions take and return values under the names of their release. */
const bundle = z.object({
  acceptConnector: flow(),
  reconcileConnectors: flow(),
  // Releases before 0.4.0 have none.
  compareTables: z.optional(flow()),
  retireConnector: flow(),
  collectConnector: flow(),
  dispatchDue: flow(),
  measureFleet: flow(),
  stateTable: z.custom<(options: unknown) => unknown>(isFunction),
  vendors: z.custom<unknown>((value) => value instanceof Map),
} satisfies Record<keyof Functions, z.ZodType>)

function flow() {
  return z.custom<(...given: unknown[]) => Promise<never>>(isFunction)
}

function isFunction(value: unknown): boolean {
  return typeof value === 'function'
}

/** The functions of a former release, for callers that use the present names. */
function inPresentWords(former: z.output<typeof bundle>, { ports, policy, stateTable, vendors }: Translations): Functions {
  const given = (all: object) => ports.toFormer(all)
  return {
    acceptConnector: (all, rules, connectorId, item) => former.acceptConnector(given(all), policy.toFormer(rules), connectorId, item),
    reconcileConnectors: (all, rules, items) => former.reconcileConnectors(given(all), policy.toFormer(rules), items),
    compareTables: async (all, rules, items, tickAt) => former.compareTables?.(given(all), policy.toFormer(rules), items, tickAt),
    retireConnector: (all, connectorId) => former.retireConnector(given(all), connectorId),
    collectConnector: (all, connectorId, deadline) => former.collectConnector(given(all), connectorId, deadline),
    dispatchDue: (all) => former.dispatchDue(given(all)),
    measureFleet: (all) => former.measureFleet(given(all)),
    stateTable: (options) => stateTable.toPresent(former.stateTable(options)) as StateTable,
    vendors: vendors.toPresent(former.vendors) as Functions['vendors'],
  }
}

type Translations = ReturnType<typeof translationBy>

/** Every release that is frozen beside this file, the oldest first, with its names. */
const frozen: Readonly<Record<string, Tables>> = { '0.1.0': untilRelease020, '0.2.0': untilRelease020, '0.3.0': presentNames }

export const frozenVersions = Object.keys(frozen)

const storedState = z.object({ at: z.number(), items: z.array(z.record(z.string(), z.custom<AttributeValue>())) })

/** All items of a state table in DynamoDB's typed JSON, as a release wrote them, and the time (epoch ms) of the last of them. */
export type StoredState = z.output<typeof storedState>

function place(version: string, file: string): URL {
  return new URL(`./${version}/${file}`, import.meta.url)
}

/** Loads the release of a bundle. A bundle that was just made, and is not frozen yet, has the present names. */
export async function loadRelease(version: string, names = frozen[version] ?? presentNames): Promise<Release> {
  const functions = bundle.parse(await import(fileURLToPath(place(version, 'functions.mjs'))))
  return { name: `release ${version}`, functions: inPresentWords(functions, translationBy(names)) }
}

export async function loadState(version: string): Promise<StoredState> {
  return storedState.parse(fromText(await readFile(place(version, 'state.json'), 'utf8')))
}

/** Writes one item a line, so that two states can be compared, and binary as base64. */
export function stateText({ at, items }: StoredState): string {
  return `{"at":${at},"items":[\n${items.map(toText).sort().join(',\n')}\n]}\n`
}
