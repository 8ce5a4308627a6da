/** Time until the connection to a service of AWS is there (ms). Within a region it takes a few milliseconds. */
const connectionTimeout = 1_000
/** Time until a response begins, and the longest pause within it (ms). Without it a connection that went silent holds a run until Lambda stops it. */
const requestTimeout = 5_000

/**
 * The configuration of every client of AWS. With all its tries a call takes 15 s at most and some waits below a second: so long a lease
 * lasts beyond a request (`spareMs` in functions/flows/collect/stream-lease.ts), and the widget has 30 s. A write that is sent again is
 * known by its id, and of records that are sent again the lake shows one.
 * https://docs.aws.amazon.com/sdk-for-javascript/v3/developer-guide/node-configuring-timeouts.html
 */
export const awsClient = {
  maxAttempts: 3,
  requestHandler: { connectionTimeout, requestTimeout, socketTimeout: requestTimeout, throwOnRequestTimeout: true },
} as const
