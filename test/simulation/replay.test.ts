import { describe, expect, it } from 'vitest'
import { effectLine } from '../../simulation/effects.ts'
import { parseOptions, usage } from '../../simulation/options.ts'
import { summaryText } from '../../simulation/report.ts'
import { runScenario, type ScenarioRun } from '../../simulation/run-scenario.ts'
import {
  drawScenario,
  replayCommand,
  type Scenario,
  type ScenarioName,
  scenarioNames,
  seedMax,
  sizeDefault,
} from '../../simulation/scenario.ts'
import { secrets, type World } from '../../simulation/world.ts'
import { run } from '../local/program.ts'

const traceOf = ({ trace }: ScenarioRun) => trace.map(effectLine)

/** The claims that did not hold. */
const broken = ({ invariants }: ScenarioRun) => invariants.flatMap(({ claim, problems }) => (problems.length === 0 ? [] : [claim]))

describe('a seed of the simulation', () => {
  it.each(scenarioNames)('gives the same run of scenario %s each time, call by call', async (name) => {
    const [first, again] = [await runScenario(drawScenario(name, 12)), await runScenario(drawScenario(name, 12))]
    expect(traceOf(first).length).toBeGreaterThan(1_000)
    expect(traceOf(again)).toEqual(traceOf(first))
    expect(summaryText(again)).toBe(summaryText(first))
  })

  it('decides the whole scenario, and each scenario draws its own values', () => {
    expect(drawScenario('vendor', 12)).toEqual(drawScenario('vendor', 12))
    expect(drawScenario('vendor', 12).world).not.toEqual(drawScenario('vendor', 13).world)
    expect(drawScenario('vendor', 12).world.vendor).not.toEqual(drawScenario('everything', 12).world.vendor)
  })

  it('leaves no option of a world at one value in all runs', () => {
    const drawn = Array.from({ length: 200 }, (_, seed) => drawScenario('everything', seed).world)
    for (const option of Object.keys(drawn[0]!.vendor) as (keyof Scenario['world']['vendor'])[]) {
      const values = new Set(drawn.map(({ vendor }) => JSON.stringify(vendor[option])))
      expect(values.size, option).toBeGreaterThan(1)
    }
    for (const option of ['clocksOffMs', 'faults', 'clockStepRate', 'runsMax', 'sinkFaultRate', 'stateMs'] as const) {
      expect(new Set(drawn.map((world) => JSON.stringify(world[option]))).size, option).toBeGreaterThan(1)
    }
  })
})

describe('the trace of a run', () => {
  it('shows each call, each log entry and each kill with its time and its process, but no key', async () => {
    const lines = traceOf(await runScenario(drawScenario('everything', 12)))
    expect(lines.filter((line) => !/^2026-11-24T\d\d:\d\d:\d\d\.\d{3}Z (p\d|queue|simulation) +\S/.test(line))).toEqual([])
    for (const what of [
      / source\.fetch\(\{url: https:/,
      / sink\.deliver\(/,
      / state\.write/,
      / log info page-read acme.cas /,
      / FAULT at /,
    ])
      expect(
        lines.some((line) => what.test(line)),
        String(what),
      ).toBe(true)
    for (const key of Object.values(secrets)) expect(lines.filter((line) => line.includes(key))).toEqual([])
  })
})

describe('a claim about every run', () => {
  const sound = drawScenario('vendor', 12)

  it('holds in a sound run', async () => {
    expect(broken(await runScenario(sound))).toEqual([])
  })

  it.each<[string, (world: World) => void, readonly string[]]>([
    [
      'acknowledges records without keeping them',
      (world) => {
        world.sink.deliver = async () => ({ ok: true, value: undefined })
      },
      [
        'Every event that a ledger calls covered is in the lake',
        'Live events are in the lake in time, from an hour after the last fault on',
        'No record holds a key of its connector, and each from which one was removed is counted',
      ],
    ],
    [
      'keeps every record twice',
      (world) => {
        const deliver = world.sink.deliver.bind(world.sink)
        world.sink.deliver = (records) => deliver([...records, ...records])
      },
      [
        'No event is in the lake twice, except for one page at each fault of a process or a service',
        'No record holds a key of its connector, and each from which one was removed is counted',
      ],
    ],
  ])('breaks when the lake %s', async (_, breakIt, claims) => {
    expect(broken(await runScenario(sound, { prepare: breakIt }))).toEqual(claims)
  })

  it('breaks when a run throws', async () => {
    const prepare = (world: World) => {
      world.state.readSeen = async () => {
        throw new Error('a bug')
      }
    }
    const failing = await runScenario(sound, { prepare })
    expect(broken(failing)).toContain('No run crashes')
    expect(failing.problems.join('\n')).toContain('a bug')
  })

  it('breaks when the connector may ask more often than the vendor allows', async () => {
    // Its vendor has enough events for more requests than are allowed.
    const busy = drawScenario('vendor', 5)
    const { problems } = await runScenario({
      ...busy,
      items: busy.items.map((item) => ({ ...item, requestsPerMinute: 6_000, initialBackfillMinutes: 4_000 })),
    })
    expect(problems.join('\n')).toMatch(/in any 60 s than it allows: tributary\/acme\/simulated: the vendor saw \d+ and allows 20/)
  })

  it('breaks when its run proves too few events', async () => {
    expect(broken(await runScenario({ ...sound, eventsMin: 1_000_000 }))).toEqual(['The run is long enough to prove something'])
  })
})

describe('npm run simulate', () => {
  const command = (...args: string[]) => run(args, 'simulation/main.ts')

  it('prints the trace of the run that the seed names, then its summary', async () => {
    const { code, out, err } = await command('--seed', '12', '--scenario', 'vendor')
    const expected = await runScenario(drawScenario('vendor', 12))
    expect(out).toBe(`${[...traceOf(expected), ''].join('\n')}${summaryText(expected)}`)
    expect(err).toMatch(/^It took [\d.]+ s\.\n$/)
    expect(code).toBe(0)
  })

  it('runs many seeds, each twice, and prints their events, the faults by kind and whether all held', async () => {
    const { code, out } = await command('--seeds', '3', '--seed', '7', '--hours', '1', '--connectors', '2')
    expect(out).toMatch(
      /^3 seeds, each run twice, in [\d.]+ s\nEvents: +\d+ proven complete, \d+ records delivered\nInvariants: all held\n/,
    )
    expect(out).toMatch(/\ncrash before a call +\d+ +\d\n/)
    expect(code).toBe(0)
  })

  it('says in a sentence which option is wrong', async () => {
    const { code, out, err } = await command('--seed', 'x')
    expect(err).toBe('--seed x: this is no whole number from 0 to 4294967295.\n"npm run simulate -- --help" lists the options.\n')
    expect({ code, out }).toEqual({ code: 1, out: '' })
  })
})

describe('the command line of the simulation', () => {
  it.each<[string[], string]>([
    [[], '--seed is missing'],
    [['--seed', '-1'], '--seed -1: this is no whole number from 0 to'],
    [['--seeds', '0'], '--seeds 0: this is no whole number from 1 to'],
    [['--hours', '-2', '--seed', '1'], '--hours -2: this is no whole number from 1 to 168.'],
    [['--hours', '2', '--seed', '1', '--scenario', 'kills'], '--hours and --connectors need --scenario everything, and it is kills.'],
    [['--fresh', '9', '--seed', '1'], '--fresh chooses the seeds itself.'],
    [['--seed', '1.5'], '--seed 1.5: this is no whole number'],
    [['--seed', ''], '--seed : this is no whole number'],
    [['--seed', String(seedMax + 1)], 'this is no whole number from 0 to'],
    [['--seed', '1', '--scenario', 'kill'], '--scenario kill: there is no scenario of this name. Give one of vendor, kills, everything.'],
    [['--sed', '1'], "Unknown option '--sed'"],
    [['12'], "Unexpected argument '12'"],
  ])('refuses %j and says what is allowed', (args, message) => {
    expect(() => parseOptions(args)).toThrow(message)
  })

  it.each(scenarioNames)('reads back the command that replays scenario %s', (name: ScenarioName) => {
    const scenario = { name, seed: seedMax, size: sizeDefault }
    const [, args = ''] = replayCommand(scenario).split(' -- ')
    expect(parseOptions(args.split(' '))).toEqual({ kind: 'one', seed: seedMax, scenario: name, size: sizeDefault, isSummaryOnly: false })
    expect(usage).toContain(`  ${name} `)
  })
})
