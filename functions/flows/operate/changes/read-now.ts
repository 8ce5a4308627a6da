import { unclaimedTime } from '../../../domain/dispatch.ts'
import type { Refusal } from '../../../domain/operate/operation.ts'
import type { AcceptedConnector } from '../../../domain/ports.ts'
import { failed, ok, type Result } from '../../../domain/result.ts'
import { requestReread, rereadProblem } from '../../../domain/stream/requested-reread.ts'
import { floorToSecond, type Instant, iso } from '../../../domain/time.ts'
import type { Carry, OperatePorts } from '../carry.ts'
import { notFound } from './edit-item.ts'

/** Makes the connector due: a run reads every stream up to now. */
export const collect: Carry<'collect'> = async (ports, { connectorId }) => {
  const accepted = await collecting(ports, connectorId)
  if (!accepted.ok) return accepted
  await makeDue(ports, connectorId)
  return ok({ message: `A run of ${connectorId} begins within a minute, and reads every stream up to now.` })
}

/** Other writers of one stream in a row (count): a run writes a checkpoint a page. */
const writeTriesMax = 50

/** Has the named streams read a time again. The next run begins with it once the live edges and the gaps are read. */
export const reread: Carry<'reread'> = async (ports, { connectorId, from, to, redeliver, streams: named }) => {
  const accepted = await collecting(ports, connectorId)
  if (!accepted.ok) return accepted
  const { connector } = accepted.value
  const vendor = ports.policy.vendors.get(connector.type)
  const all = vendor?.streams(connector) ?? []
  const unknown = named?.filter((stream) => !all.includes(stream)) ?? []
  if (vendor === undefined || unknown.length > 0) {
    return wrong('streams', `${connectorId} has no stream ${unknown.join(', ')}. Its streams are ${all.join(', ')}.`)
  }
  const interval = { from: floorToSecond(from), to: floorToSecond(to) }
  const problem = rereadProblem(interval, ports.clock.now(), vendor.retentionMs)
  if (problem !== undefined) return wrong(problem.path, problem.message)
  const wanted = named ?? all
  for (const stream of wanted) {
    if (!(await write(ports, connectorId, stream, { ...interval, ...(redeliver ? { redeliver: true as const } : {}) }))) {
      return failed({
        code: 'busy',
        message: `${stream} is being read without a pause. Try again: a stream that was asked already is not asked twice.`,
      })
    }
  }
  await makeDue(ports, connectorId)
  const sent = redeliver ? 'All of its events are sent to the lake again.' : 'Events that the lake has are left out.'
  const span = `${iso(interval.from)} to ${iso(interval.to)}`
  return ok({
    message: `${wanted.length} streams of ${connectorId} are read again from ${span}. ${sent}`,
    after: { ...interval, redeliver, streams: wanted },
  })
}

async function write(
  { state, clock }: OperatePorts,
  connectorId: string,
  id: string,
  request: Parameters<typeof requestReread>[1],
): Promise<boolean> {
  for (let tries = 0; tries < writeTriesMax; tries++) {
    const stream = (await state.readRun(connectorId)).streams.get(id)
    // A stream that was never read is read from its beginning anyway.
    if (stream === undefined) return true
    const next = requestReread(stream, request, clock.now())
    if (next === stream) return true
    if (await state.writeStream(connectorId, id, { ...next, version: stream.version + 1 })) return true
  }
  return false
}

async function collecting({ state }: OperatePorts, connectorId: string): Promise<Result<AcceptedConnector, Refusal>> {
  const accepted = await state.readAccepted(connectorId)
  if (accepted === undefined || accepted.retiredAt !== undefined) {
    const status = await state.readStatus(connectorId)
    if (status === undefined || accepted?.retiredAt !== undefined) return notFound(connectorId)
    return failed({ code: 'wrong', message: `${connectorId} was never accepted, so nothing is collected. ${status.reason}` })
  }
  if (accepted.connector.enabled) return ok(accepted)
  return failed({ code: 'wrong', message: `${connectorId} is paused. Resume it first.` })
}

async function makeDue({ state, clock, queue }: OperatePorts, connectorId: string): Promise<void> {
  const now: Instant = clock.now()
  if (await state.makeDue(connectorId, unclaimedTime(now), floorToSecond(now))) await queue.send(connectorId, 0)
}

function wrong(path: string, message: string): Result<never, Refusal> {
  return failed({ code: 'wrong', message: 'Nothing was changed.', problems: [{ path, message }] })
}
