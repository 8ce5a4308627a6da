/**
 * Folders and names of the objects in the lake's bucket. The delivery stream, the Glue table and the lifecycle use them, and the local
 * delivery stream takes them as its default. Property names are Firehose's own.
 * https://docs.aws.amazon.com/firehose/latest/dev/s3-prefixes.html
 */

export const recordsFolder = 'syslog/'

/** Records that Firehose could not process. */
export const errorsFolder = 'errors/'

/** Results of Athena queries. */
export const resultsFolder = 'athena-results/'

/** Folders by time of arrival (UTC), so that a query of today finds an event that came late. */
export const recordObjects = {
  Prefix: `${recordsFolder}dt=!{timestamp:yyyy-MM-dd}/hour=!{timestamp:HH}/`,
  CompressionFormat: 'GZIP',
  FileExtension: '.json.gz',
} as const

export const errorPrefix = `${errorsFolder}!{firehose:error-output-type}/dt=!{timestamp:yyyy-MM-dd}/`
