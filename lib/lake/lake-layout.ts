/**
 * How objects lie in the lake's bucket: what the delivery stream writes, the Glue table finds and the lifecycle counts by. The local
 * delivery stream takes it as its default. Property names are Firehose's own.
 * https://docs.aws.amazon.com/firehose/latest/dev/s3-prefixes.html
 */

export const recordsFolder = 'syslog/'

/** What Firehose could not process. */
export const errorsFolder = 'errors/'

/** Results of Athena's queries. */
export const resultsFolder = 'athena-results/'

/** By arrival in UTC, since only arrival is known to come in order: a late event lies where today's query finds it. */
export const recordObjects = {
  Prefix: `${recordsFolder}dt=!{timestamp:yyyy-MM-dd}/hour=!{timestamp:HH}/`,
  CompressionFormat: 'GZIP',
  FileExtension: '.json.gz',
} as const

export const errorPrefix = `${errorsFolder}!{firehose:error-output-type}/dt=!{timestamp:yyyy-MM-dd}/`
