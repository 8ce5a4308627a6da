import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ok } from '../../functions/domain/result.ts'
import type { ConnectorStatus } from '../../functions/domain/status/status.ts'
import type { AskPorts } from '../../functions/flows/operate/carry.ts'
import { ask } from '../../functions/flows/operate/operate.ts'
import { showView } from '../../functions/widget/show-view.ts'
import { servePage } from '../../local/page/server.ts'
import { policy, type World } from '../../simulation/world.ts'

/** The lake of the tests: one event. */
const rows = [
  { id: 'e1', timestamp: Date.UTC(2026, 10, 24, 12), tenant: 'acme', service: 'sharepoint', file_name: '<b>bill</b>', raw: '{}' },
]
const queryLake = async () => ok(rows)

/** The page over a simulated world, whose items are in `items`. */
export async function serveWorld(world: World, items: readonly Readonly<Record<string, unknown>>[]) {
  const { vendors, clock, state, digest } = world.ports(0)
  const notHere = () => Promise.reject(new Error('a page that only reads writes nothing'))
  const operator: AskPorts = {
    clock,
    state,
    digest,
    items: { readItem: async (id) => items.find(({ connectorId }) => connectorId === id), writeItem: notHere, deleteItem: notHere },
    policy: { ...policy, vendors },
  }
  const errors: unknown[] = []
  const caller = { tenant: 'all', awsRequestId: 'test' }
  const dataDir = await mkdtemp(join(tmpdir(), 'page-'))
  const page = await servePage({
    show: (call, theme) =>
      showView({ ask: (question) => ask(operator, question, caller), vendors, clock: world.clock, queryLake }, call, {
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
