import type { ConnectorItem } from '../functions/flows/item-digest.ts'

/** The changes of the connectors table when the program starts. A connector that somebody made on the page or with the command stays. */
export interface ChangesAtStart {
  readonly put: readonly ConnectorItem[]
  /** The ids of those that are deleted, so that they are retired. */
  readonly retired: readonly string[]
  /** The ids of those that stay although the file does not have them. */
  readonly left: readonly string[]
}

/** The file owns its connectors: they become as it says, and those that it no longer has are retired. */
export function changesByFile(items: readonly ConnectorItem[], stored: readonly ConnectorItem[]): ChangesAtStart {
  const wanted = new Set(items.map(({ connectorId }) => connectorId))
  const others = stored.filter(({ connectorId }) => !wanted.has(connectorId))
  const idsOf = (isOfFile: boolean) =>
    others.filter(({ managedBy }) => (managedBy === 'file') === isOfFile).map(({ connectorId }) => String(connectorId))
  return { put: items.map((item) => ({ ...item, managedBy: 'file' })), retired: idsOf(true), left: idsOf(false) }
}

/**
 * The demonstration is put into a folder once, and stays as people leave it. The port of its simulator may change from start to start:
 * each connector that reads from the former address reads from the new one.
 */
export function changesByDemonstration(
  items: readonly ConnectorItem[],
  stored: readonly ConnectorItem[],
  simulator: { readonly isNew: boolean; readonly url: string; readonly formerUrl: string | undefined },
): ChangesAtStart {
  const { isNew, url, formerUrl } = simulator
  const isMoved = ({ baseUrl }: ConnectorItem) =>
    formerUrl !== url && typeof baseUrl === 'string' && formerUrl !== undefined && URL.parse(baseUrl)?.origin === formerUrl
  const put = isNew ? items : stored.filter(isMoved).map((item) => ({ ...item, baseUrl: url }))
  return { put, retired: [], left: [] }
}
