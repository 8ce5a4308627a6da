import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ok } from '../../functions/domain/result.ts'
import type { ConnectorStatus } from '../../functions/domain/status/status.ts'
import { minute } from '../../functions/domain/time.ts'
import { answerCall } from '../../functions/flows/operate/call.ts'
import type { OperatePorts } from '../../functions/flows/operate/carry.ts'
import type { PageKeys } from '../../functions/widget/form/form-views.ts'
import { pageOperator } from '../../functions/widget/page-operator.ts'
import { showView } from '../../functions/widget/show-view.ts'
import { servePage } from '../../local/page/server.ts'
import { policy, type World } from '../../simulation/world.ts'
import { memoryItems, operatePorts, provider } from '../unit/operate-ports.ts'

/** The lake of the tests: one event. */
const rows = [
  { id: 'e1', timestamp: Date.UTC(2026, 10, 24, 12), tenant: 'acme', service: 'sharepoint', file_name: '<b>bill</b>', raw: '{}' },
]
const queryLake = async () => ok(rows)

/** The ports of `operate` over a simulated world. What is written into the table is accepted at once. */
export async function operatorOf(world: World, items: readonly Readonly<Record<string, unknown>>[]) {
  const { ports: others, effects } = await operatePorts()
  const table = new Map(items.map((item) => [String(item['connectorId']), item]))
  const { readItem, writeItem, deleteItem } = memoryItems(table)
  const operator: OperatePorts = {
    ...others,
    ...world.ports(0),
    state: world.state,
    policy: { ...policy, vendors: world.ports(0).vendors },
    items: {
      readItem,
      async writeItem(item, before) {
        const isWritten = await writeItem(item, before)
        if (isWritten) await world.put(item)
        return isWritten
      },
      async deleteItem(before) {
        const isDeleted = await deleteItem(before)
        if (isDeleted) await world.remove(String(before['connectorId']))
        return isDeleted
      },
    },
  }
  return { operator, table, called: effects.called }
}

/** The secrets of a simulated world. */
export function keysOf(world: World) {
  return {
    prefix: 'tributary/',
    names: async (tenant: string) => [...world.secrets.values.keys()].filter((name) => name.startsWith(`tributary/${tenant}/`)),
    async store(secret: string, key: string) {
      world.secrets.values.set(secret, key)
      return ok(undefined)
    },
  } satisfies PageKeys
}

/** The page over a simulated world, as the program serves it. */
export async function serveWorld(world: World, items: readonly Readonly<Record<string, unknown>>[]) {
  const { operator, table, called } = await operatorOf(world, items)
  const errors: unknown[] = []
  const answer = (page: object) => answerCall(operator, { page }, provider, Number.POSITIVE_INFINITY)
  const dataDir = await mkdtemp(join(tmpdir(), 'page-'))
  const page = await servePage({
    show: (call, theme) =>
      showView({ ...pageOperator(answer), vendors: world.ports(0).vendors, clock: world.clock, queryLake, keys: keysOf(world) }, call, {
        theme,
        endpoint: 'local',
        runsOn: 'this machine',
      }),
    onError: (error) => errors.push(error),
    dataDir,
    port: 0,
  })
  const [, url = ''] = /url=([^"]*)/.exec(await readFile(page.file, 'utf8')) ?? []
  return {
    address: page.address,
    url,
    errors,
    table,
    /** Carries out what `operate` has put off, such as a Test that was begun. */
    async goOn() {
      const going = called.splice(0).map(({ payload, caller }) => answerCall(operator, payload, caller, Number.POSITIVE_INFINITY))
      await Promise.all([world.run(3 * minute), ...going])
    },
    async close() {
      await page.close()
      await rm(dataDir, { recursive: true })
    },
  }
}

/** Writes the status of a connector, as a run does. */
export async function putStatus(world: World, connectorId: string, status: ConnectorStatus): Promise<void> {
  await world.state.updateStatus(connectorId, () => status)
}
