import type { Instant } from '../functions/domain/time.ts'
import { hour, minute } from '../functions/domain/time.ts'
import type { ConnectorItem } from '../functions/flows/item-digest.ts'
import { measureFleet } from '../functions/flows/measure-fleet.ts'
import { showStatus } from '../functions/widget/show-status.ts'
import { VendorModel } from '../local/simulator/model.ts'
import type { SimulatorOptions } from '../local/simulator/options.ts'
import { connectorItem, start, World } from '../simulation/world.ts'

/** Simulates a day of a few connectors, some of them in trouble, in virtual time: the shipped functions against a simulated vendor. */

/** One published value of a metric. */
export interface Figure {
  readonly at: Instant
  readonly name: string
  readonly dimensions: Readonly<Record<string, string>>
  readonly value: number
}

interface Tenant {
  readonly name: string
  /** The time when its connector comes into the table (hours after the start). */
  readonly joinsAtHour?: number
  readonly item?: ConnectorItem
  readonly vendor: SimulatorOptions
  /** The vendor behaves like this from this hour on. */
  readonly later?: { readonly fromHour: number; readonly vendor: SimulatorOptions }
}

const everyEvent = ['securityrisk', 'virtualanalyzer', 'ransomware', 'dlp']
const passed = { name: 'passed', conditions: [{ field: 'action', operator: 'equals', values: ['Pass'] }] }

const tenants: readonly Tenant[] = [
  { name: 'Acme', vendor: { eventsPerHour: 240 }, item: { contentTypes: ['sharepoint', 'onedrive'], logFilters: [passed] } },
  { name: 'Litware', vendor: { eventsPerHour: 90 } },
  { name: 'Contoso', vendor: { eventsPerHour: 900 }, joinsAtHour: 6, item: { initialBackfillMinutes: 4_310 } },
  { name: 'Adatum', vendor: { eventsPerHour: 1_800 }, joinsAtHour: 25, item: { initialBackfillMinutes: 4_310 } },
  { name: 'Fabrikam', vendor: { eventsPerHour: 60 }, later: { fromHour: 21, vendor: { revokedKeys: ['key-of-Fabrikam'] } } },
  {
    name: 'Northwind',
    vendor: { eventsPerHour: 40 },
    item: { contentTypes: ['sharepoint', 'onedrive', 'teams'] },
    later: { fromHour: 14, vendor: { otherRequestsPerMinute: 12 } },
  },
  { name: 'Tailspin', vendor: {}, joinsAtHour: 16, item: { intervalMinutes: 0 } },
]
/** The vendor responds with 503 to every request (hours after the start). */
const outage = { fromHour: 10, toHour: 10.75 }
const widgetArn = 'arn:aws:lambda:us-east-1:111122223333:function:tributary-status-widget:all'
/** Small pages make a backlog of few events. */
const pageItems = 50
const hours = 26
const shownHours = 24

export async function simulatedDay() {
  const world = new World({ pageItems })
  const hourNow = () => (world.clock.now() - start) / hour
  const models = new Map(tenants.map((tenant, i) => [`Bearer key-of-${tenant.name}`, modelsOf(tenant, i)]))
  world.model.respond = (request, now) => {
    const model = models.get(request.authorization ?? '')?.(hourNow())
    if (model === undefined) throw new Error('This key belongs to no tenant.')
    const isDown = hourNow() >= outage.fromHour && hourNow() < outage.toHour
    return isDown ? { status: 503, headers: {}, body: '{"code":-5030001,"msg":"Maintenance"}', delayMs: 0 } : model.respond(request, now)
  }
  for (const tenant of tenants) void join(world, tenant)
  void measure(world)
  await world.run(hours * hour)
  return {
    from: start + (hours - shownHours) * hour,
    to: start + hours * hour,
    figures: world.record.metrics.flatMap(
      ({ at, values, connectorId: _, ...dimensions }: (typeof world.record.metrics)[number] & { connectorId?: string }) =>
        Object.entries(values).map(([name, value]): Figure => ({ at, name, dimensions, value })),
    ),
    status: (theme: 'light' | 'dark') => showStatus({ ...world.ports(0), state: world.state }, { widgetContext: { theme } }, widgetArn),
  }
}

function modelsOf({ vendor, later }: Tenant, seed: number): (hour: number) => VendorModel {
  const common = { seed, account: 'totals' as const, lateShare: 0.05, ...vendor }
  const before = new VendorModel(common)
  const after = later === undefined ? before : new VendorModel({ ...common, ...later.vendor })
  return (hour) => (hour < (later?.fromHour ?? 0) ? before : after)
}

async function join(world: World, { name, joinsAtHour = 0, item }: Tenant): Promise<void> {
  const tenant = name.toLowerCase()
  const connectorId = `${tenant}.cas`
  const secret = `tributary/${tenant}/cas`
  world.secrets.values.set(secret, `key-of-${name}`)
  await world.clock.sleepUntil(start + joinsAtHour * hour)
  await world.put(
    connectorItem({ connectorId, name: `${tenant}-cas`, tenantName: name, apiKeySecrets: [secret], eventTypes: everyEvent, ...item }),
  )
}

/** Measures the fleet as often as `dispatch` does. */
async function measure(world: World): Promise<void> {
  for (;;) {
    await world.clock.sleepUntil(world.clock.now() + 5 * minute)
    await measureFleet({ ...world.ports(0), state: world.state })
  }
}
