import type { DynamoDBClient } from '@aws-sdk/client-dynamodb'
import type { OwnClock } from '../domain/ports.ts'
import { type Instant, second } from '../domain/time.ts'

/**
 * Compares the clock of this process with the `Date` of DynamoDB's last response, which has whole seconds. The table set it between the
 * request and the response, so the error lies between two bounds; only what both agree on counts.
 */
export function tableClock(client: Pick<DynamoDBClient, 'middlewareStack'>, now: () => Instant): OwnClock {
  let errorMs = 0
  client.middlewareStack.add(
    (next) => async (args) => {
      const sentAt = now()
      const result = await next(args)
      errorMs = leastErrorMs(sentAt, now(), dateOf(result.response)) ?? errorMs
      return result
    },
    { step: 'deserialize', name: 'tableClock' },
  )
  return { errorMs: () => errorMs }
}

/** How far we are ahead of `date` at least (ms), or behind it (negative); 0 if we may be right. */
export function leastErrorMs(sentAt: Instant, receivedAt: Instant, date: string | undefined): number | undefined {
  const at = date === undefined ? Number.NaN : Date.parse(date)
  if (Number.isNaN(at)) return undefined
  const [aheadAtLeast, behindAtLeast] = [sentAt - (at + second), at - receivedAt]
  if (aheadAtLeast > 0) return aheadAtLeast
  return behindAtLeast > 0 ? -behindAtLeast : 0
}

function dateOf(response: unknown): string | undefined {
  const { headers } = (response ?? {}) as { readonly headers?: Readonly<Record<string, string>> }
  return headers?.['date']
}
