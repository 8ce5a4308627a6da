import { idProblem, parseConnector } from '../../../domain/connector/connector-schema.ts'
import type { Problem } from '../../../domain/connector/problems.ts'
import type { Caller, Change, Refusal } from '../../../domain/operate/operation.ts'
import { isOver, itemFailed, newTest, progressText, steps, stepTitles, withStep } from '../../../domain/operate/test/connector-test.ts'
import { testAnswer, timeText } from '../../../domain/operate/test/test-answer.ts'
import { failed, ok, type Result } from '../../../domain/result.ts'
import type { Instant } from '../../../domain/time.ts'
import type { Ask, Carry, Done, OperatePorts } from '../carry.ts'
import { goOnLater } from '../go-on.ts'
import { runTest } from './run-test.ts'

type Asked = Extract<Change, { readonly action: 'test' }>

/**
 * Begins the Test of a connector, saved or not, and returns at once: another call carries it out. One connector has one Test at a time. The
 * Test of an unsaved item keeps of it what its steps need, until it ends.
 */
export const test: Carry<'test'> = async (ports, asked, caller) => {
  const { state, clock, policy } = ports
  const { connectorId, item: unsaved } = asked
  const wrongId = wrongIdOf(asked)
  if (wrongId !== undefined) return failed({ code: 'wrong', message: 'The request is wrong.', problems: [wrongId] })
  const saved = unsaved === undefined ? await ports.items.readItem(connectorId) : undefined
  const item = unsaved ?? saved
  if (item === undefined)
    return failed({ code: 'not-found', message: `There is no connector ${connectorId} to test. Save it, or test its values.` })
  const former = await state.readTest(connectorId)
  if (former !== undefined && !isOver(former, clock.now())) return running(former.begunAt, progressText(former), connectorId)
  const type = String(item['type'])
  const about = {
    connectorId,
    isUnsaved: unsaved !== undefined,
    ...(asked.says === undefined ? {} : { says: asked.says }),
    ...(policy.vendors.has(type) ? { vendor: type } : {}),
  }
  const checked = unsaved === undefined ? { item: {}, problems: [] } : await checkUnsaved(ports, unsaved)
  const fresh = newTest({ ...about, ...checked.item }, former, clock.now())
  const begun = checked.problems.length === 0 ? fresh : { ...fresh, steps: withStep(fresh.steps, steps.item, itemFailed(checked.problems)) }
  if (!(await state.writeTest(begun, former))) {
    const other = await state.readTest(connectorId)
    return running(other?.begunAt ?? clock.now(), other === undefined ? '' : progressText(other), connectorId)
  }
  try {
    // The state has the item already.
    const { item: _, ...change } = asked
    await goOnLater(ports, change, caller)
  } catch (error) {
    // Nobody will work on it, so it must not keep the next one out.
    await state.removeTest(begun)
    throw error
  }
  return ok({
    message: `The Test of ${connectorId} begins: ${stepTitles.length} steps. Some minutes may pass; its progress is shown meanwhile.`,
  })
}

/** Carries a Test out, and hands it over to another call when its own time is up. */
export async function goOnTest(ports: OperatePorts, asked: Asked, caller: Caller, until: Instant): Promise<void> {
  if ((await runTest(ports, asked.connectorId, until)) === 'hand-over') await goOnLater(ports, asked, caller)
}

/** The state of the last Test. */
export const testResult: Ask<'test-result'> = async ({ state, clock, policy }, { connectorId }) => {
  const last = await state.readTest(connectorId)
  if (last === undefined) return failed(noTest(connectorId))
  const vendor = last.vendor === undefined ? undefined : policy.vendors.get(last.vendor)
  return ok(testAnswer(last, vendor?.card, clock.now()))
}

/** Takes the result of the last Test away. */
export const dismiss: Carry<'dismiss'> = async ({ state, clock }, { connectorId }): Promise<Result<Done, Refusal>> => {
  const last = await state.readTest(connectorId)
  if (last === undefined) return failed(noTest(connectorId))
  if (!isOver(last, clock.now())) return running(last.begunAt, progressText(last), connectorId)
  await state.removeTest(last)
  return ok({ message: `The result of the Test of ${connectorId} is dismissed.` })
}

/** A tenant's operator is known by the id of the request, so the item may have no other one. */
function wrongIdOf({ connectorId, item }: Asked): Problem | undefined {
  const own = item?.['connectorId']
  if (item === undefined || own === undefined || own === connectorId) return idProblem(connectorId)
  return { path: 'connectorId', message: `The item has another id than the connector that is tested: ${connectorId}. Give both the same.` }
}

/**
 * The part of an item that the steps need, if it is valid. An invalid one is not kept: a key may have been pasted into any of its values.
 * The free texts are not needed, so they are not kept either.
 */
async function checkUnsaved(
  { state, policy }: OperatePorts,
  unsaved: Readonly<Record<string, unknown>>,
): Promise<{ readonly item: object; readonly problems: readonly Problem[] }> {
  const accepted = await state.readAccepted(String(unsaved['connectorId']))
  const parsed = parseConnector(unsaved, policy, accepted?.connector)
  if (!parsed.ok) return { item: {}, problems: parsed.problems }
  const { note: _, logFilters: __, identityIgnoredFields: ___, ...needed } = unsaved
  return { item: { item: needed }, problems: [] }
}

function running(since: number, progress: string, connectorId: string): Result<never, Refusal> {
  const message = `A Test of ${connectorId} runs since ${timeText(since)} (${progress}). Only one runs at a time: wait for its result.`
  return failed({ code: 'busy', message })
}

function noTest(connectorId: string): Refusal {
  return { code: 'not-found', message: `No Test of ${connectorId} is on record.` }
}
