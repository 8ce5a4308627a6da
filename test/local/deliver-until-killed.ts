import { randomBytes } from 'node:crypto'
import { FirehoseClient } from '@aws-sdk/client-firehose'
import { systemClock } from '../../functions/adapters/clock.ts'
import { firehoseSink } from '../../functions/adapters/firehose/sink.ts'
import { startServices } from '../../local/services/services.ts'
import { record } from '../../simulation/fakes/record.ts'

/**
 * Owns the data folder (first argument), delivers to it until it is killed, and prints the acknowledged ids. The second argument is
 * the prefix of the ids.
 */
const [dataDir = '', prefix = ''] = process.argv.slice(2)
const services = await startServices({ dataDir })
const client = new FirehoseClient({ ...services.clientConfig, endpoint: services.addresses.firehose })
const sink = firehoseSink({ client, deliveryStream: 'lake', clock: systemClock })

/** Random bytes in each record. They do not compress, so a batch takes a while to write. */
const rawBytes = 3_600

async function deliverForEver(lane: number): Promise<never> {
  for (let page = 0; ; page += 1) {
    const ids = Array.from({ length: 50 }, (_, n) => `${prefix}-${lane}-${page}-${n}`)
    const records = ids.map((id) => record(id, { raw: randomBytes(rawBytes).toString('base64') }))
    const result = await sink.deliver(records)
    if (!result.ok) throw new Error(result.failure.detail)
    process.stdout.write(`${ids.join(' ')}\n`)
  }
}

await Promise.all([0, 1, 2].map(deliverForEver))
