import { parseArgs } from 'node:util'
import { visibleLines } from '../functions/domain/text.ts'
import { refuseSwallowedOptions } from '../local/npm-options.ts'
import { formatTextTable } from '../local/text-table.ts'
import { type BesideSpike, simulateSpikes } from '../simulation/spike.ts'
import { type ConnectorCost, type Costs, computeCosts, type RunCost } from './costs.ts'
import { type ImportCost, measureImport } from './import.ts'
import { type LimitUse, measureLimit, type PassTime, simulateLimit, simulatePass } from './limiter.ts'
import { measureMemory, type PageMemory } from './memory.ts'
import { measureThroughput, type Throughput } from './throughput.ts'
import { compareTurns, rowOfTurn, type Turn, takeTurns } from './turns.ts'

const usage = `Usage: npm run bench -- [options]

Without options it runs every part: most in virtual time, and a million events collected in real time. The costs take four minutes, the rest about ten.

  --events N     collect this number of events, 20000 to 10000000 (1000000)
  --only PART    run only throughput, limiter, pass, spike, import, costs or memory; may be repeated
  --memory MB    measure the memory of collect with this setting collectMemoryMb, 256 to 10240 (320)
  --real         run the limiter also in real time, over several processes; takes five minutes more
  --before DIR   run throughput in turns with the collect of another checkout of Tributary, and compare them
  --rounds N     take so many turns with --before, 1 to 20 (4)
  --profile DIR  write the CPU profile of the collecting process to this folder
  --json         print the figures as one JSON object
  --help         print this text
`
const parts = ['throughput', 'limiter', 'pass', 'spike', 'import', 'costs', 'memory']

interface Figures {
  throughput?: Throughput
  turns?: readonly Turn[]
  limiter?: readonly LimitUse[]
  limiterInRealTime?: readonly LimitUse[]
  pass?: PassTime
  spike?: readonly BesideSpike[]
  import?: readonly ImportCost[]
  costs?: Costs
  memory?: readonly PageMemory[]
}

async function main(): Promise<void> {
  refuseSwallowedOptions('npm run bench', usage)
  const { values } = parseArgs({
    options: {
      events: { type: 'string', default: '1000000' },
      only: { type: 'string', multiple: true, default: parts },
      memory: { type: 'string', default: '320' },
      real: { type: 'boolean', default: false },
      before: { type: 'string' },
      rounds: { type: 'string', default: '4' },
      profile: { type: 'string' },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  })
  if (values.help) {
    process.stdout.write(usage)
    return
  }
  const events = Number(values.events)
  if (!Number.isInteger(events) || events < 20_000 || events > 10_000_000)
    throw new Error(`--events ${values.events}: give a whole number from 20000 to 10000000.`)
  const memoryMb = Number(values.memory)
  if (!Number.isInteger(memoryMb) || memoryMb < 256 || memoryMb > 10_240)
    throw new Error(`--memory ${values.memory}: give a whole number from 256 to 10240.`)
  const rounds = Number(values.rounds)
  if (!Number.isInteger(rounds) || rounds < 1 || rounds > 20)
    throw new Error(`--rounds ${values.rounds}: give a whole number from 1 to 20.`)
  const unknown = values.only.find((part) => !parts.includes(part))
  if (unknown !== undefined) throw new Error(`--only ${unknown}: there is no such part. Give one of ${parts.join(', ')}.`)

  const figures: Figures = {}
  if (values.only.includes('pass')) figures.pass = await simulatePass()
  if (values.only.includes('spike')) figures.spike = await simulateSpikes()
  if (values.only.includes('limiter')) {
    figures.limiter = await simulateLimit()
    if (values.real) figures.limiterInRealTime = await measureLimit()
  }
  if (values.only.includes('import')) figures.import = await measureImport()
  if (values.only.includes('costs')) figures.costs = await computeCosts()
  if (values.only.includes('memory')) figures.memory = await measureMemory(memoryMb)
  if (values.only.includes('throughput') && values.before !== undefined) figures.turns = await takeTurns(values.before, { events, rounds })
  else if (values.only.includes('throughput')) figures.throughput = await measureThroughput({ events, profileDir: values.profile })
  process.stdout.write(values.json ? `${JSON.stringify(figures)}\n` : formatTables(figures))
}

function formatTables({ pass, spike, limiter, limiterInRealTime, throughput, turns, import: imported, costs, memory }: Figures): string {
  const sections: ([string, readonly Readonly<Record<string, unknown>>[]] | undefined)[] = [
    throughput && ['Throughput: a backlog at an unlimited rate, one collecting process', throughputRows(throughput)],
    turns && ['Throughput: before and now, in turns', turnRows(turns)],
    limiter && ['Limiter: a backlog on one key at 20 requests a minute, virtual time', limiter.map(limitRow)],
    limiterInRealTime && ['Limiter: the same in real time, three processes', limiterInRealTime.map(limitRow)],
    pass && [`One pass over ${pass.streams} streams on one key, virtual time`, [passRow(pass)]],
    spike && ['Live events of eleven quiet streams beside a spike of 30,000 events, virtual time', spike.map(spikeRow)],
    imported && ['Size and import of the collect bundle', imported.map(importRow)],
    imported && ['The largest packages in the collect bundle', imported[0]?.packages ?? []],
    memory && ['Memory: the largest pages, each shape in a process of its own', memory.map(memoryRow)],
    costs && ['Costs: one run of a connector (SharePoint, four event types, every 5 minutes)', costs.runs.map(runRow)],
    costs && ['Costs: one connector, $ a month', costs.connectors.map(costRow)],
    costs && [
      'Costs: the stack itself, $ a month',
      Object.entries(costs.stack).map(([item, cost]) => ({ item, cost: formatNumber(cost, 3) })),
    ],
  ]
  return sections.flatMap((section) => (section === undefined ? [] : [`\n${section[0]}\n\n${formatTextTable(section[1])}`])).join('')
}

function throughputRows(figures: Throughput): { readonly name: string; readonly figure: string }[] {
  const { perPage, rssMiB, liveHeapMiB } = figures
  const row = (name: string, value: number, digits = 0) => ({ name, figure: formatNumber(value, digits) })
  return [
    row('events delivered', figures.events),
    row('seconds', figures.seconds, 1),
    row('events/s', figures.eventsPerSecond),
    row('CPU of the collecting process, µs/event', figures.cpuMicrosPerEvent, 1),
    row('floor: as many bytes of the same items, µs/event', figures.floor.micros, 1),
    row('  the same with gzip', figures.floor.microsWithGzip, 1),
    row('  bytes compared with ours', figures.floor.timesOurBytes, 2),
    row('times the floor without gzip', figures.timesTheFloor, 1),
    row('peak RSS, MiB', figures.peakMiB),
    row('  maximum in the first tenth', rssMiB.at10),
    row('  maximum from 40 % to 50 %', rssMiB.at50),
    row('  maximum in the last tenth', rssMiB.at100),
    row('live heap, MiB: first tenth', liveHeapMiB.at10, 1),
    row('  from 40 % to 50 %', liveHeapMiB.at50, 1),
    row('  last tenth', liveHeapMiB.at100, 1),
    row('pages', figures.pages),
    row('requests/page', perPage.requests, 2),
    row('DynamoDB calls/page', perPage.dynamodb, 2),
    row('Firehose calls/page', perPage.firehose, 2),
    row('items that came twice, %', figures.alreadySeenPercent, 2),
  ]
}

function turnRows(turns: readonly Turn[]) {
  return [...compareTurns(turns), ...turns.map(rowOfTurn)].map(({ name, before, now, ratio }) => ({
    name,
    before: formatNumber(before, 1),
    now: formatNumber(now, 1),
    'now/before': formatNumber(ratio, 3),
  }))
}

function limitRow({ connectors, window, usedPercent, maxRequestsInAnyMinute, refused }: LimitUse) {
  return {
    connectors,
    window,
    'used, %': formatNumber(usedPercent, 1),
    'maximum in any 60 s': maxRequestsInAnyMinute,
    '429 responses': refused,
  }
}

function passRow({ seconds, minSeconds, refused }: PassTime) {
  const over = formatNumber(100 * (seconds / minSeconds - 1), 2)
  return { seconds, 'minimum possible': minSeconds, 'over it, %': over, '429 responses': refused }
}

function spikeRow({ intervalMinutes, comes, worstMs, medianMs, usedShare, spikeShare, spikeMs }: BesideSpike) {
  return {
    'interval, min': intervalMinutes,
    'spike comes': comes,
    'oldest, s': formatNumber(worstMs / 1_000, 0),
    'median, s': formatNumber(medianMs / 1_000, 0),
    'spike read in, s': formatNumber(spikeMs / 1_000, 0),
    'used, %': formatNumber(100 * usedShare, 0),
    'by the spike, %': formatNumber(100 * spikeShare, 0),
  }
}

function importRow({ subject, bytes, importMs, importCpuMs, firstCallCpuMs }: ImportCost) {
  return {
    bundle: subject,
    bytes: formatNumber(bytes, 0),
    'import, ms': formatNumber(importMs, 1),
    'CPU, ms': formatNumber(importCpuMs, 1),
    'CPU to the first call, ms': formatNumber(firstCallCpuMs, 1),
  }
}

function memoryRow({ page, bytes, delivered, peakMiB, freePercent }: PageMemory) {
  return {
    page,
    'body, MB': formatNumber(bytes / 1e6, 1),
    events: formatNumber(delivered, 0),
    'peak RSS, MiB': formatNumber(peakMiB, 0),
    'free, %': formatNumber(freePercent, 0),
  }
}

function runRow(run: RunCost) {
  return {
    connector: run.connector,
    'runs/h': formatNumber(run.runsPerHour, 1),
    'DynamoDB calls': formatNumber(run.calls, 1),
    'write units': formatNumber(run.writeUnits, 1),
    'read units': formatNumber(run.readUnits, 1),
    'billed ms': formatNumber(run.billedMs, 0),
    requests: formatNumber(run.requests, 1),
    events: formatNumber(run.events, 1),
  }
}

function costRow({ connector, connectors, ...cost }: ConnectorCost) {
  const dollars = Object.entries(cost).map(([name, value]) => [name, formatNumber(value, 4)])
  return { connector, connectors: formatNumber(connectors, 0), ...Object.fromEntries(dollars) }
}

function formatNumber(value: number, digits: number): string {
  return value.toLocaleString('en', { minimumFractionDigits: digits, maximumFractionDigits: digits })
}

try {
  await main()
} catch (error) {
  process.stderr.write(
    `${visibleLines(error instanceof Error ? error.message : String(error))}\n"npm run bench -- --help" lists the options.\n`,
  )
  process.exitCode = 1
}
