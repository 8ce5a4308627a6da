import * as z from 'zod'
import { second } from '../../functions/domain/time.ts'
import type { Item } from '../answers.ts'
import { parseItemFile } from '../connectors-file.ts'
import { Mistake, type Outcome, problemLines, Refused } from '../outcome.ts'
import { changeOf, isSelectionConfirmed, type Selection, type Session, sayPlace, selectedIds } from '../session.ts'
import { timeText } from '../tables.ts'
import { type ChangeResult, nothingChanged } from './changes.ts'

/** A Test runs on in the deployment after it was begun, so its result is asked for until it is there. */

const lookEveryMs = 2 * second
/** The answer to one look, as far as it is shown. */
const fault = z.looseObject({
  tried: z.string(),
  seen: z.string(),
  status: z.exactOptional(z.number()),
  name: z.string(),
  explanation: z.string(),
  recommendation: z.string(),
  traceId: z.exactOptional(z.string()),
  againAt: z.exactOptional(z.number()),
  field: z.exactOptional(z.string()),
})
const step = z.looseObject({ number: z.number(), title: z.string(), state: z.string(), words: z.string(), faults: z.array(fault) })
const resultSchema = z.looseObject({
  state: z.enum(['running', 'passed', 'failed', 'broken-off']),
  progress: z.string(),
  summary: z.string(),
  steps: z.array(step),
})
type TestResult = z.output<typeof resultSchema>

interface Tested {
  readonly connectorId: string
  readonly result?: TestResult
  /** The Test could not begin. */
  readonly refused?: ChangeResult
}

export async function testConnectors(session: Session, selection: Selection): Promise<Outcome> {
  sayPlace(session)
  const ids = await selectedIds(session, selection)
  if (!(await isSelectionConfirmed(session, 'test', ids, selection.ids.length > 0))) return nothingChanged
  const all: Tested[] = []
  for (const connectorId of ids) all.push(await testOne(session, connectorId))
  return outcomeOf(all)
}

/** Tests a connector that is not saved. */
export async function testItem(session: Session, file: string): Promise<Outcome> {
  sayPlace(session)
  const item = parseItemFile(file, session.terminal.readFile(file))
  const { connectorId } = item
  if (typeof connectorId !== 'string') throw new Mistake(`${file} has no connectorId. Give it one, a text such as acme.cas.`)
  return outcomeOf([await testOne(session, connectorId, item)])
}

async function testOne(session: Session, connectorId: string, item?: Item): Promise<Tested> {
  const { terminal, place } = session
  const begun = await place.operator.ask({
    action: 'test',
    ...changeOf(session),
    connectorId,
    ...(item === undefined ? {} : { item }),
  })
  if (!begun.ok) return { connectorId, refused: { connectorId, action: 'test', ...begun } }
  let shown = ''
  for (;;) {
    const result = await readResult(session, connectorId)
    const progress = `${connectorId}: ${result.progress}`
    if (progress !== shown) terminal.note(progress)
    shown = progress
    if (result.state !== 'running') return { connectorId, result }
    await terminal.sleep(lookEveryMs)
  }
}

async function readResult({ place }: Session, connectorId: string): Promise<TestResult> {
  const answer = await place.operator.ask({ action: 'test-result', connectorId })
  if (!answer.ok) throw new Refused(answer)
  const parsed = resultSchema.safeParse(answer)
  if (parsed.success) return parsed.data
  throw new Refused({
    code: 'failed',
    message: 'The deployment tells the result in a form that this release does not know. Use its release.',
  })
}

function outcomeOf(all: readonly Tested[]): Outcome {
  const isWell = all.every(({ result }) => result?.state === 'passed')
  return {
    exit: isWell ? 'done' : 'failed',
    result: { tests: all.map(({ connectorId, result, refused }) => ({ ...(result ?? refused), connectorId })) },
    text: all.map(testText).join('\n'),
  }
}

/** The longest state of a step: `left-out` (characters). */
const stateWidth = 8

/** Lines, because a table would cut the words. */
function testText({ connectorId, result, refused }: Tested): string {
  if (result === undefined) {
    const { message = '', problems = [] } = refused ?? {}
    return [`${connectorId}: refused: ${message}`, ...problemLines(problems), ''].join('\n')
  }
  const steps = result.steps.flatMap(({ number, title, state, words }) => [
    `${number}  ${state.padEnd(stateWidth)}  ${title}`,
    ...(words === '' ? [] : [`${' '.repeat(stateWidth + 5)}${words}`]),
  ])
  const faults = result.steps.flatMap((each) => each.faults.flatMap((one) => faultLines(each.number, one)))
  return [`${connectorId}: ${result.summary}`, ...steps, ...faults, ''].join('\n')
}

/** The columns of a fault, a line each: a table would cut them. */
function faultLines(
  step: number,
  { tried, seen, status, name, explanation, recommendation, traceId, againAt, field }: z.output<typeof fault>,
) {
  const head = `Step ${step}: ${[status, name].filter((part) => part !== undefined).join(' ')}`
  const lines: readonly (readonly [string, string | undefined])[] = [
    ['Tried', tried],
    ['Seen', seen],
    ['Explanation', explanation],
    ['Recommendation', recommendation],
    ['Edit', field],
    ['Tried again at', againAt === undefined ? undefined : `${timeText(againAt)} UTC`],
    ['Trace', traceId],
  ]
  return [head, ...lines.flatMap(([title, text = '']) => (text === '' ? [] : [`  ${title}: ${text}`]))]
}
