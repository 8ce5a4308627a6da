import { failed, ok } from '../../../domain/result.ts'
import type { Carry } from '../carry.ts'
import { notFound } from './edit-item.ts'

/** Records that somebody knows of the lost ranges. A range that is lost later is told again. */
export const acknowledge: Carry<'acknowledge'> = async ({ state, clock }, { connectorId, note, says }) => {
  const status = await state.readStatus(connectorId)
  if (status === undefined) return notFound(connectorId)
  const { lostRanges = 0 } = status
  if (lostRanges === 0) return failed({ code: 'wrong', message: `${connectorId} has lost nothing, so there is nothing to acknowledge.` })
  const at = clock.now()
  // More may be lost by now, and nobody has seen that.
  await state.updateStatus(connectorId, (before) =>
    before === undefined ? undefined : { ...before, acknowledged: { at, note, lostRanges, ...(says === undefined ? {} : { says }) } },
  )
  const count = lostRanges === 1 ? 'The lost time range' : `The ${lostRanges} lost time ranges`
  return ok({ message: `${count} of ${connectorId} ${lostRanges === 1 ? 'is' : 'are'} acknowledged.`, after: { note, lostRanges } })
}
