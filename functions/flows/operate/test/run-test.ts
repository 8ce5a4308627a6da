import type { Connector } from '../../../domain/connector/connector.ts'
import { immutableProblems } from '../../../domain/connector/connector-edits.ts'
import { type ConnectorPolicy, parseConnector } from '../../../domain/connector/connector-schema.ts'
import type { Problem } from '../../../domain/connector/problems.ts'
import { fieldOf } from '../../../domain/operate/explanations.ts'
import { hasPassed, isFree, itemFailed, type StepState, stepOf, steps, written } from '../../../domain/operate/test/connector-test.ts'
import type { AcceptedConnector, AcceptedStore, ConnectorItems, LakeCheck, TestStore } from '../../../domain/ports.ts'
import type { Instant } from '../../../domain/time.ts'
import { digestItem } from '../../item-digest.ts'
import { type FindPorts, type KeyPorts, keysForTest, secretText, type TestKey } from '../../open-keys.ts'
import { movedKeys, type SecretOriginPorts } from '../../secret-origins.ts'
import { budgetStep } from './budget-step.ts'
import { type ClearPorts, clearFailed } from './clear-failed.ts'
import { type ProbePorts, probeVendor, type Subject } from './probe-vendor.ts'
import { Superseded, TestRecord } from './test-record.ts'

export interface TestPorts extends FindPorts, ProbePorts, SecretOriginPorts, ClearPorts, Pick<KeyPorts, 'digest' | 'sharedRateGroups'> {
  readonly state: FindPorts['state'] &
    ProbePorts['state'] &
    SecretOriginPorts['state'] &
    ClearPorts['state'] &
    TestStore &
    Pick<AcceptedStore, 'readAccepted'>
  readonly items: Pick<ConnectorItems, 'readItem'>
  readonly lakeCheck: LakeCheck
  readonly policy: ConnectorPolicy
}

/** A valid item. */
interface Valid {
  readonly connector: Connector
  /** The acceptance of this very item, if it was accepted. */
  readonly accepted?: AcceptedConnector
}

/**
 * Goes on with the Test of a connector until it ends (`done`) or the time of this process is up (`hand-over`: another one must go on). Steps 1
 * and 2 are taken by each process, because no state holds a key. Does nothing if there is no Test to go on with, or somebody works on it.
 * Throws when a table fails: the Test is over some minutes later.
 */
export async function runTest(ports: TestPorts, connectorId: string, deadline: Instant): Promise<'done' | 'hand-over'> {
  const { state, clock, log } = ports
  const stored = await state.readTest(connectorId)
  if (stored === undefined || !isFree(stored, clock.now())) return 'done'
  const held = written(stored, { holder: `${ports.process}:${ports.nextNumber()}` }, clock.now())
  if (!(await state.writeTest(held, stored))) return 'done'
  const record = new TestRecord(ports, held)
  try {
    if (await takeSteps(ports, record, deadline)) {
      log({
        level: 'info',
        event: 'test-ended',
        connectorId,
        message: hasPassed(record.test) ? 'every step passed' : 'not every step passed',
      })
      return 'done'
    }
    await record.letGo()
  } catch (error) {
    if (error instanceof Superseded) return 'done'
    throw error
  }
  return ports.stop.aborted ? 'done' : 'hand-over'
}

/** Returns false if another process must go on. */
async function takeSteps(ports: TestPorts, record: TestRecord, deadline: Instant): Promise<boolean> {
  const valid = await itemStep(ports, record)
  const subject = valid === undefined ? undefined : await secretsStep(ports, record, valid.connector)
  if (subject !== undefined && subject.keys.length > 0) {
    if (!(await probeVendor(ports, record, subject, deadline))) return false
    await noteSilence(ports, record, subject, valid?.accepted)
  } else {
    const why = valid === undefined ? 'The item must be valid first.' : 'There is no key to ask with.'
    const without =
      valid === undefined ? [steps.secrets, steps.address, steps.keys, steps.streams] : [steps.address, steps.keys, steps.streams]
    for (const number of without) await record.step(number, { kind: 'left-out', why })
  }
  await record.step(steps.lake, { kind: 'running', done: 0, of: 1 })
  await record.step(steps.lake, await lakeStep(ports))
  await record.step(steps.budget, await budgetStep(ports, subject))
  if (hasPassed(record.test) && valid?.accepted !== undefined) {
    const fingerprints = subject?.keys.map(({ key }) => key.fingerprint) ?? []
    await clearFailed(ports, valid.accepted, fingerprints)
  }
  await record.end()
  return true
}

/** Step 1: the rules by which an item is accepted, so a Test sends a key nowhere that acceptance would not. */
async function itemStep(ports: TestPorts, record: TestRecord): Promise<Valid | undefined> {
  const { state, items, policy, digest } = ports
  const { test } = record
  if (stepOf(test, steps.item).kind === 'failed') return undefined
  const item = test.isUnsaved ? test.item : await items.readItem(test.connectorId)
  const fail = async (problems: readonly Problem[]) => void (await record.step(steps.item, itemFailed(problems)))
  if (item === undefined) return fail([{ path: 'connectorId', message: 'The item was deleted meanwhile.' }])
  const accepted = await state.readAccepted(test.connectorId)
  const parsed = parseConnector(item, policy, accepted?.connector)
  if (!parsed.ok) return fail(parsed.problems)
  const { connector } = parsed
  const refused = accepted === undefined ? [] : immutableProblems(accepted.connector, connector)
  const problems = refused.length > 0 ? refused : await movedKeys(ports, accepted?.connector, connector)
  if (problems.length > 0) return fail(problems)
  await record.step(steps.item, { kind: 'passed', words: 'Every attribute is as the rules say.' })
  const isAccepted = !test.isUnsaved && accepted?.retiredAt === undefined && accepted?.itemDigest === digestItem(digest, item)
  return { connector, ...(isAccepted && accepted !== undefined ? { accepted } : {}) }
}

/** Step 2. The keys that can be read go on to the next steps, also if others cannot. */
async function secretsStep(ports: TestPorts, record: TestRecord, connector: Connector): Promise<Subject | undefined> {
  const vendor = ports.policy.vendors.get(connector.type)
  if (vendor === undefined) throw new Error(`No vendor has the type ${connector.type}, which the rules accepted.`)
  await record.step(steps.secrets, { kind: 'running', done: 0, of: connector.apiKeySecrets.length })
  const found = await keysForTest(ports, connector)
  await record.step(steps.secrets, secretsState(found))
  const apiKeys = new Set(found.flatMap(({ apiKey }) => apiKey ?? []))
  const keys = found.flatMap(({ key }, index) => (key.ok ? [{ key: key.value, field: `apiKeySecrets[${index}]` }] : []))
  const once = keys.filter(({ key }, index) => keys.findIndex((other) => other.key.fingerprint === key.fingerprint) === index)
  return { connector, vendor, keys: once, apiKeys }
}

function secretsState(found: readonly TestKey[]): StepState {
  const faults = found.flatMap(({ reference, key }, index) => {
    if (key.ok) return []
    const place = fieldOf(key.failure.code) === 'apiKeySecrets' ? `apiKeySecrets[${index}]` : fieldOf(key.failure.code)
    return [{ tried: `Reading ${secretText(reference)}`, failure: key.failure, ...(place === undefined ? {} : { field: place }) }]
  })
  const words = `${found.length - faults.length} of ${found.length} ${found.length === 1 ? 'secret holds a key' : 'secrets hold a key'} that this connector may use.`
  return faults.length === 0 ? { kind: 'passed', words } : { kind: 'failed', words, faults }
}

/** A connector that is answered and never had an event may have been left out of the vendor's own settings. */
async function noteSilence(
  { state }: Pick<TestPorts, 'state'>,
  record: TestRecord,
  { vendor }: Subject,
  accepted: AcceptedConnector | undefined,
): Promise<void> {
  const step = stepOf(record.test, steps.streams)
  if (accepted === undefined || step.kind !== 'passed' || record.test.probes.some(({ events }) => events > 0)) return
  const { streams } = await state.readRun(accepted.connector.connectorId)
  const wasRead = [...streams.values()].some(({ lastReadAt }) => lastReadAt !== undefined)
  const hadEvents = [...streams.values()].some(({ counts }) => counts.fetched > 0)
  if (!wasRead || hadEvents) return
  await record.step(steps.streams, { kind: 'passed', words: `${step.words} It has never delivered an event. ${vendor.card.noEvents}` })
}

/** Step 6. */
async function lakeStep({ lakeCheck }: Pick<TestPorts, 'lakeCheck'>): Promise<StepState> {
  const taken = await lakeCheck.takeLine()
  if (taken.ok) return { kind: 'passed', words: 'The stream of the lake took a line that is no record, and that no view shows.' }
  return {
    kind: 'failed',
    words: 'The stream of the lake took no line.',
    faults: [{ tried: 'A line for the lake', failure: taken.failure }],
  }
}
