import type { Connectors } from '../../functions/domain/ports.ts'

/** The customer's table in memory, by `connectorId`. */
export class MemoryConnectors implements Connectors {
  readonly byId = new Map<string, Readonly<Record<string, unknown>>>()

  constructor(items: readonly Readonly<Record<string, unknown>>[] = []) {
    for (const item of items) this.put(item)
  }

  put(item: Readonly<Record<string, unknown>>): void {
    this.byId.set(String(item['connectorId']), item)
  }

  async *items() {
    for (const item of [...this.byId.values()]) yield structuredClone(item)
  }
}
