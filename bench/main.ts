import { parseArgs } from 'node:util'
import { measureThroughput } from './throughput.ts'
const { values } = parseArgs({ options: { events: { type: 'string', default: '1000000' }, profile: { type: 'string' } } })
console.log(await measureThroughput({ events: Number(values.events), profileDir: values.profile }))
process.exit()
