import { readFileSync, writeFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { visibleLines } from '../../functions/domain/text.ts'
import { refuseSwallowedOptions } from '../../local/npm-options.ts'
import { installedDir, installPeers } from './install.ts'
import { type Measured, scenarios } from './measure.ts'
import { ours } from './ours.ts'
import { peers } from './peers.ts'
import { report } from './report.ts'

const scenarioNames = Object.keys(scenarios)
const peerNames = peers.map(({ name }) => name)
const page = new URL('../../docs/performance.md', import.meta.url).pathname
const [begin, end] = ['<!-- peers -->', '<!-- /peers -->']

const usage = `Usage: npm run bench:peers -- [options]

Installs other collectors into bench/peers/.installed, and measures them and Tributary against the simulator, in turns. It needs Linux, and Python 3.11, npm and Go for the peers that are written in them.

  --only NAME    run only backlog, kill, spike or streams; may be repeated
  --peers A,B    measure only these peers: ${peerNames.join(', ')}
  --rounds N     take so many turns of backlog and kill, 1 to 20 (3)
  --events N     collect this number of events in backlog and kill, 20000 to 1000000 (100000)
  --minutes N    run spike and streams for so long each, 5 to 60 (8)
  --help         print this text

Installing takes five minutes, once. On two busy cores a round of backlog takes four minutes and one of kill two; spike and streams take what --minutes says each, for all peers at the same time. With the defaults that is 35 minutes.
The figures are printed, and go to bench/peers/.installed/figures.json after each scenario. A run of every scenario with every peer writes them into docs/performance.md.
`

async function main(): Promise<void> {
  refuseSwallowedOptions('npm run bench:peers', usage)
  const { values } = parseArgs({
    options: {
      only: { type: 'string', multiple: true, default: scenarioNames },
      peers: { type: 'string', default: peerNames.join(',') },
      rounds: { type: 'string', default: '3' },
      events: { type: 'string', default: '100000' },
      minutes: { type: 'string', default: '8' },
      help: { type: 'boolean', short: 'h', default: false },
    },
  })
  if (values.help) {
    process.stdout.write(usage)
    return
  }
  if (process.platform !== 'linux') throw new Error('It reads the memory of processes from /proc, which only Linux has.')
  const rounds = wholeNumber('rounds', values.rounds, 1, 20)
  const events = wholeNumber('events', values.events, 20_000, 1_000_000)
  const minutes = wholeNumber('minutes', values.minutes, 5, 60)
  const only = known('only', values.only, scenarioNames)
  const wanted = known('peers', values.peers.split(','), peerNames)

  const isWhole = only.length === scenarioNames.length && wanted.length === peerNames.length
  // A page without the part is told before the half hour, not after it.
  if (isWhole) splitPage()
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130))

  const say = (line: string) => void process.stderr.write(`${line}\n`)
  const installed = installPeers(
    peers.filter(({ name }) => wanted.includes(name)),
    say,
  )
  const contenders = [ours, ...installed.flatMap(({ contender }) => (contender === undefined ? [] : [contender]))]
  const measured: Measured = {}
  for (const [name, measure] of Object.entries(scenarios)) {
    if (!only.includes(name)) continue
    say(`Scenario ${name}`)
    Object.assign(measured, await measure({ contenders, rounds, events, minutes, say }))
    writeFileSync(join(installedDir, 'figures.json'), JSON.stringify(measured))
  }
  const month = new Date().toLocaleString('en', { month: 'long', year: 'numeric', timeZone: 'UTC' })
  const conditions = { rounds, events, minutes, cores: availableParallelism(), node: process.versions.node, month }
  const text = report(measured, installed, conditions)
  process.stdout.write(`${text}\n`)
  if (isWhole) writePage(text)
}

function writePage(text: string): void {
  const { before, after } = splitPage()
  writeFileSync(page, `${before}${begin}\n${text}\n${end}${after}`)
}

/** Throws if the page has no part for the figures. */
function splitPage(): { readonly before: string; readonly after: string } {
  const [before, rest] = readFileSync(page, 'utf8').split(begin)
  const after = rest?.split(end)[1]
  if (before === undefined || after === undefined) throw new Error(`docs/performance.md has no part ${begin} … ${end}.`)
  return { before, after }
}

function wholeNumber(option: string, text: string, min: number, max: number): number {
  const number = Number(text)
  if (!Number.isInteger(number) || number < min || number > max)
    throw new Error(`--${option} ${text}: give a whole number from ${min} to ${max}.`)
  return number
}

function known(option: string, names: readonly string[], all: readonly string[]): readonly string[] {
  const unknown = names.find((name) => !all.includes(name))
  if (unknown !== undefined) throw new Error(`--${option} ${unknown}: there is no such name. Give one of ${all.join(', ')}.`)
  return [...new Set(names)]
}

try {
  await main()
} catch (error) {
  process.stderr.write(
    `${visibleLines(error instanceof Error ? error.message : String(error))}\n"npm run bench:peers -- --help" lists the options.\n`,
  )
  process.exitCode = 1
}
