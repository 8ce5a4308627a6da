import * as z from 'zod'
import { recordObjects } from '../../../lib/lake/lake-layout.ts'

/** Matches `!{namespace:value}`, and also one without its end, so that it can be refused. */
const expression = /!\{[^}]*\}?/g

/** Matches a field of Java's DateTimeFormatter. A character that is neither a letter nor a quote stands for itself. */
const timeField = /([A-Za-z'])\1*/g

const timeFields: Readonly<Record<string, (iso: string) => string>> = {
  yyyy: (iso) => iso.slice(0, 4),
  MM: (iso) => iso.slice(5, 7),
  dd: (iso) => iso.slice(8, 10),
  HH: (iso) => iso.slice(11, 13),
}

/** Returns the pattern in `!{timestamp:pattern}`. */
function patternOf(whole: string): string | undefined {
  return /^!\{timestamp:(.+)\}$/.exec(whole)?.[1]
}

function isSupported(whole: string): boolean {
  const pattern = patternOf(whole)
  return pattern !== undefined && [...pattern.matchAll(timeField)].every(([field]) => Object.hasOwn(timeFields, field))
}

/**
 * The properties and defaults are those of CloudFormation's `ExtendedS3DestinationConfiguration`. A property that would change
 * the objects, but is not supported here, is refused; every other one is ignored.
 * https://docs.aws.amazon.com/firehose/latest/dev/s3-prefixes.html
 */
const destinationSchema = z.object({
  /** The only expression that is supported is `!{timestamp:…}` with yyyy, MM, dd and HH. */
  Prefix: z
    .string()
    .default('')
    .superRefine((prefix, context) => {
      for (const [whole] of prefix.matchAll(expression)) {
        if (isSupported(whole)) continue
        context.addIssue(`"${whole}" is not supported here, only !{timestamp:…} with yyyy, MM, dd and HH.`)
      }
    })
    .transform((prefix) => (prefix.includes('!{timestamp:') ? prefix : `${prefix}!{timestamp:yyyy/MM/dd/HH}/`)),
  CompressionFormat: z.enum(['UNCOMPRESSED', 'GZIP']).default('UNCOMPRESSED'),
  FileExtension: z
    .string()
    .regex(/^(\.[0-9a-z!\-_.*'()]+)?$/)
    .optional(),
  /** The size is that before compression. */
  BufferingHints: z
    .object({ IntervalInSeconds: z.int().min(0).max(900).default(300), SizeInMBs: z.int().min(1).max(128).default(5) })
    .prefault({}),
  DataFormatConversionConfiguration: z.object({ Enabled: z.literal(false) }).optional(),
  DynamicPartitioningConfiguration: z.object({ Enabled: z.literal(false) }).optional(),
  ProcessingConfiguration: z.object({ Enabled: z.literal(false) }).optional(),
})

/** The stack's destination with a shorter buffer: somebody who watches a lake on one machine sees an event within a second. */
const localDestination: z.input<typeof destinationSchema> = { ...recordObjects, BufferingHints: { IntervalInSeconds: 1, SizeInMBs: 5 } }

/** The places and the form of objects, read from a destination. */
export interface Layout {
  readonly gzip: boolean
  readonly extension: string
  readonly bufferedMsMax: number
  readonly bufferedBytesMax: number
  /** Returns the folder of an object whose oldest record arrived at this time (ISO 8601, UTC). */
  folder(iso: string): string
}

/** Reads a destination. Throws an error that names every property that is wrong or not supported. */
export function layoutOf(destination: unknown = localDestination): Layout {
  const parsed = destinationSchema.safeParse(destination)
  if (!parsed.success) throw new Error(`The local delivery stream does not support this destination.\n${z.prettifyError(parsed.error)}`)
  const { Prefix, CompressionFormat, FileExtension, BufferingHints } = parsed.data
  const gzip = CompressionFormat === 'GZIP'
  return {
    gzip,
    extension: FileExtension ?? (gzip ? '.gz' : ''),
    bufferedMsMax: BufferingHints.IntervalInSeconds * 1_000,
    bufferedBytesMax: BufferingHints.SizeInMBs * 1024 * 1024,
    folder: (iso) =>
      Prefix.replaceAll(expression, (whole) =>
        (patternOf(whole) ?? whole).replaceAll(timeField, (field) => timeFields[field]?.(iso) ?? field),
      ),
  }
}
