import { setFlagsFromString } from 'node:v8'

/**
 * V8 lets the heap of old objects grow by so much before it collects all of it again (%). By default it grows by less, and a backlog of 60,000
 * events took 67 full collections instead of 36. With 100 % the largest pages leave less than a third of the memory (`npm run bench -- --only memory`).
 * `NODE_OPTIONS` refuses the flag.
 */
const growingPercent = 60

setFlagsFromString(`--heap-growing-percent=${growingPercent}`)
