import { type FailureCode, failures } from '../functions/domain/failures.ts'

const byStoring =
  'Store it on the page, or with "npx --no tributary key set NAME" and the --data of this start: it is used at once. A secret of the file of --secrets is changed there, and needs a new start.'

/** The remedies that name a thing of AWS, for the thing on this machine. */
const remedies: Partial<Readonly<Record<FailureCode, string>>> = {
  unauthorized: `The vendor rejects the API key (401). Check that it has not expired and belongs to the origin in baseUrl, then give a new one. ${byStoring}`,
  unreachable: 'The host cannot be reached. Check baseUrl, DNS and that this machine may reach it.',
  'proxy-failed': 'The proxy opens no connection to the vendor. Check its address in HTTPS_PROXY, and that it allows the host.',
  'host-refused': "This host is not one of the vendor's. Set baseUrl to one of them, or allow this host with --allow-host.",
  'too-large': 'The response is larger than this program takes. Tributary reads a narrower range.',
  'secret-missing': `The secret does not exist. Give it under exactly this name. ${byStoring}`,
  'secret-unreadable': 'The process that holds the secrets does not respond. Tributary tries again; start it again if it lasts.',
  'secret-malformed': `The secret does not hold an API key: one line of visible ASCII, or a JSON object with the named key. Give it again. ${byStoring}`,
  'sink-throttled': 'The lake takes no more records for now. Tributary tries again.',
  'sink-failed': 'The lake refuses the records. Check the disk and the folder of --data.',
  'record-refused':
    'The lake refuses a record, or has a fault of its own. Tributary tries again; after three refusals it cuts a record that the lake takes in no other form.',
  unknown:
    'A newer release of Tributary met this failure, and this release does not know it. Tributary tries again; start the newer release to see more.',
}

const sentences: readonly (readonly [onAws: string, here: string])[] = [
  ...Object.entries(remedies).map(([code, here]) => [failures[code as FailureCode].remedy, here] as const),
  ['Firehose failed with', 'The lake failed with'],
  ['Firehose refused', 'The lake refused'],
  ['or ask the operator to allow this host', 'or allow this host with --allow-host'],
  ['and the operator does not allow it', 'and --allow-host does not allow it'],
  [' Give it as Secrets Manager shows it.', ' Give it as the file of --secrets has it.'],
  [
    'Is the name spelled exactly as in Secrets Manager? Is the secret in this account and region?',
    'Is the name spelled exactly as "npx --no tributary key list" shows it?',
  ],
  ['its secrets in Secrets Manager', 'its secrets in this folder'],
  ['its type in DynamoDB must be', 'its type must be'],
  [' (DynamoDB type L)', ''],
  ['that of DynamoDB, so', "that of this program's owner, so"],
  ['A change of the connectors table was not handled.', 'A change of the connectors was not handled.'],
]

/** Returns a text of the functions, which run on AWS elsewhere, with the things of this machine in place of those of AWS. */
export function localWords(text: string): string {
  return sentences.reduce((said, [onAws, here]) => said.replaceAll(onAws, here), text)
}

/** An item is the person's own, and an edit of it must find it as it is. */
const asStored: readonly string[] = ['item', 'accepted', 'connector', 'before', 'after']

/** Returns an answer of the function `operate` in these words, but for the items in it. */
export function inLocalWords<T>(answer: T, name = ''): T {
  if (asStored.includes(name)) return answer
  if (typeof answer === 'string') return localWords(answer) as T
  if (Array.isArray(answer)) return answer.map((one) => inLocalWords(one)) as T
  if (typeof answer !== 'object' || answer === null) return answer
  return Object.fromEntries(Object.entries(answer).map(([inner, one]) => [inner, inLocalWords(one, inner)])) as T
}

/** For a test: each of these is said by the functions. */
export const wordsOnAws: readonly string[] = sentences.map(([onAws]) => onAws)
