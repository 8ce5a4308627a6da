import * as z from 'zod'
import { recordObjects } from '../../../lib/lake-layout.ts'

/** `!{namespace:value}`, also where its end is missing. */
const expression = /!\{[^}]*\}?/g

/** Of Java's DateTimeFormatter; what is neither a letter nor a quote stands for itself. */
const timeField = /([A-Za-z'])\1*/g

const timeFields: Readonly<Record<string, (iso: string) => string>> = {
  yyyy: (iso) => iso.slice(0, 4),
  MM: (iso) => iso.slice(5, 7),
  dd: (iso) => iso.slice(8, 10),
  HH: (iso) => iso.slice(11, 13),
}

/** The pattern of `!{timestamp:pattern}`. */
function patternOf(whole: string): string | undefined {
  return /^!\{timestamp:(.+)\}$/.exec(whole)?.[1]
}

function isUnderstood(whole: string): boolean {
  const pattern = patternOf(whole)
  return pattern !== undefined && [...pattern.matchAll(timeField)].every(([field]) => Object.hasOwn(timeFields, field))
}

/**
 * Firehose's own properties of a destination in S3, as in CloudFormation's `ExtendedS3DestinationConfiguration`, and its own
 * defaults. Other properties make no difference to what is written here, but those that would are refused.
 * https://docs.aws.amazon.com/firehose/latest/dev/s3-prefixes.html
 */
const destinationSchema = z.object({
  /** Of expressions `!{timestamp:…}` alone are understood, made of yyyy, MM, dd and HH. */
  Prefix: z
    .string()
    .default('')
    .superRefine((prefix, context) => {
      for (const [whole] of prefix.matchAll(expression)) {
        if (isUnderstood(whole)) continue
        context.addIssue(`"${whole}" is not understood here, only !{timestamp:…} with yyyy, MM, dd and HH.`)
      }
    })
    .transform((prefix) => (prefix.includes('!{timestamp:') ? prefix : `${prefix}!{timestamp:yyyy/MM/dd/HH}/`)),
  CompressionFormat: z.enum(['UNCOMPRESSED', 'GZIP']).default('UNCOMPRESSED'),
  FileExtension: z
    .string()
    .regex(/^(\.[0-9a-z!\-_.*'()]+)?$/)
    .optional(),
  /** The size is counted before compression. */
  BufferingHints: z
    .object({ IntervalInSeconds: z.int().min(0).max(900).default(300), SizeInMBs: z.int().min(1).max(128).default(5) })
    .prefault({}),
  DataFormatConversionConfiguration: z.object({ Enabled: z.literal(false) }).optional(),
  DynamicPartitioningConfiguration: z.object({ Enabled: z.literal(false) }).optional(),
  ProcessingConfiguration: z.object({ Enabled: z.literal(false) }).optional(),
})

/** The stack's, but somebody watches a lake on one machine: they see what was delivered within a second. */
const localDestination: z.input<typeof destinationSchema> = { ...recordObjects, BufferingHints: { IntervalInSeconds: 1, SizeInMBs: 5 } }

/** How objects are written: a destination that was understood. */
export interface Layout {
  readonly gzip: boolean
  readonly extension: string
  readonly bufferedMsMax: number
  readonly bufferedBytesMax: number
  /** Of an object whose oldest record arrived at this time (ISO 8601, UTC). */
  folder(iso: string): string
}

/** Of Firehose's own properties, wherever they come from. Throws an error that names every property that is not understood. */
export function layoutOf(destination: unknown = localDestination): Layout {
  const parsed = destinationSchema.safeParse(destination)
  if (!parsed.success) throw new Error(`The delivery stream's destination is not to be had here.\n${z.prettifyError(parsed.error)}`)
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
