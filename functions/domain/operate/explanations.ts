import { type Failure, type FailureCode, failures } from '../failures.ts'
import { type Instant, iso } from '../time.ts'
import type { VendorCard } from '../vendor.ts'

/** The full list of HTTP status codes, for a status that the table does not name. */
export const statusListUrl = 'https://developer.mozilla.org/en-US/docs/Web/HTTP/Reference/Status'

/** A failure for the person who can mend it. */
export interface Explanation {
  /** The standard name of the status, or that of the fault if there was no response. */
  readonly name: string
  readonly explanation: string
  /** Questions and the next step. */
  readonly recommendation: string
}

/** The vendor's own part of the words. */
export type Words = Pick<VendorCard, 'keyPermission'>

interface Row {
  readonly name: string
  readonly explanation: string
  /** The remedy of the failure code follows them. */
  readonly questions: string
}

/** The attribute of the item that mends the failure; absent if none does. */
type Field = 'baseUrl' | 'apiKeySecrets' | 'contentTypes' | 'requestsPerMinute' | 'tlsCaPem'

const rows: Readonly<Record<FailureCode, Row & { readonly field?: Field }>> = {
  'bad-request': {
    name: 'Bad Request',
    explanation: 'The vendor does not understand the request: something in the configuration of the connector does not fit it.',
    questions: 'Is the connector configured correctly? Does the vendor know the chosen content types and event types?',
    field: 'contentTypes',
  },
  unauthorized: {
    name: 'Unauthorized',
    explanation: 'The API key is invalid, or its owner may not use this API.',
    questions:
      'Was the key entered correctly and whole? Has it expired or been revoked? Does it belong to this region? Is the account licensed for this content?',
    field: 'apiKeySecrets',
  },
  forbidden: {
    name: 'Forbidden',
    explanation: 'The API key is valid, but its permission does not cover this request.',
    questions: 'Is it the key that was meant? Does it have the role or permission that this content needs?',
    field: 'apiKeySecrets',
  },
  'not-found': {
    name: 'Not Found',
    explanation: 'There is no such API at this address.',
    questions: 'Is the base URL correct: the host of your region, without a path?',
    field: 'baseUrl',
  },
  throttled: {
    name: 'Too Many Requests',
    explanation: 'The vendor has had too many requests from this key or this customer, or a quota of the licence is used up.',
    questions: 'Does another program use the same key? Does the vendor allow fewer requests than requestsPerMinute says?',
    field: 'requestsPerMinute',
  },
  'vendor-error': {
    name: 'Internal Server Error',
    explanation: 'The vendor has an error of its own.',
    questions: 'Does the vendor report an incident? Does it last for more than some minutes?',
  },
  'vendor-overloaded': {
    name: 'Service Unavailable',
    explanation: 'The vendor is overloaded or in maintenance.',
    questions: 'Has the vendor announced a maintenance?',
  },
  redirected: {
    name: 'Redirect',
    explanation: 'The address leads to another one. A redirect is never followed, because the key would go with it.',
    questions: 'Is the base URL that of the API, and not that of a console or a sign-in page?',
    field: 'baseUrl',
  },
  'unexpected-status': {
    name: 'Unexpected status',
    explanation: 'The vendor does not document this status.',
    questions: 'Does a proxy or a firewall stand between this deployment and the vendor?',
    field: 'baseUrl',
  },
  'timed-out': {
    name: 'Time-out',
    explanation: 'There was no complete response within the time of a request.',
    questions: 'Does a firewall drop the connection? Is the vendor slow for other programs too?',
    field: 'baseUrl',
  },
  unreachable: {
    name: 'No connection',
    explanation: 'The name of the host could not be resolved, or the host refused or broke the connection.',
    questions: 'Is the host of the base URL spelled correctly? Does its name resolve? May this deployment reach the internet?',
    field: 'baseUrl',
  },
  'tls-failed': {
    name: 'Certificate not trusted',
    explanation: 'The host answered with a certificate that proves nothing, so the key was not sent.',
    questions: 'Does a proxy open TLS connections with a CA of its own? Has the certificate expired? Is it for another host?',
    field: 'tlsCaPem',
  },
  'address-refused': {
    name: 'Private address',
    explanation: 'The host resolves to an address that is not on the public internet.',
    questions: 'Is the base URL correct? Does your DNS answer for the vendor’s host?',
    field: 'baseUrl',
  },
  'proxy-failed': {
    name: 'Proxy failed',
    explanation: 'The proxy of this deployment opened no connection to the vendor.',
    questions: 'Does the proxy run? Does it allow this host? Does it want other credentials?',
  },
  'host-refused': {
    name: 'Host not allowed',
    explanation: 'The base URL names a host that is none of the vendor’s, and the operator has not allowed it.',
    questions: 'Is the base URL the one that the vendor documents for your region?',
    field: 'baseUrl',
  },
  'too-large': {
    name: 'Response too large',
    explanation: 'The vendor answered with more than this deployment can hold.',
    questions: 'Does the content have unusually large events?',
  },
  'malformed-response': {
    name: 'Wrong body',
    explanation: 'There was a response, but it is not what the API documents.',
    questions: 'Is it a page of a proxy, a firewall or a sign-in? Is the base URL that of the API?',
    field: 'baseUrl',
  },
  'link-refused': {
    name: 'Link refused',
    explanation: 'A link in the response leads elsewhere or holds a key.',
    questions: 'Does a proxy rewrite the responses?',
  },
  'link-dead': {
    name: 'Link expired',
    explanation: 'A link of the vendor no longer works.',
    questions: 'Does it last?',
  },
  'link-repeats': {
    name: 'Endless links',
    explanation: 'The links of the vendor do not come to an end.',
    questions: 'Does it last?',
  },
  'secret-missing': {
    name: 'No such secret',
    explanation: 'The item names a secret that does not exist.',
    questions: 'Is the name spelled exactly as in Secrets Manager? Is the secret in this account and region?',
    field: 'apiKeySecrets',
  },
  'secret-unreadable': {
    name: 'Secret not readable',
    explanation: 'The secret exists, but this deployment may not read it.',
    questions: 'Does the policy of the secret, or the key that encrypts it, keep this deployment out?',
    field: 'apiKeySecrets',
  },
  'secret-malformed': {
    name: 'No API key in the secret',
    explanation: 'The secret can be read, but its value is no API key.',
    questions: 'Was the key copied with a blank, a line or quotes around it? Is it a JSON object whose member is not named?',
    field: 'apiKeySecrets',
  },
  'key-shared': {
    name: 'Key of another connector',
    explanation: 'The same API key belongs to another tenant, or to too many connectors.',
    questions: 'Was the key meant for this tenant?',
    field: 'apiKeySecrets',
  },
  'sink-throttled': {
    name: 'Lake throttled',
    explanation: 'The stream of the lake accepts nothing more for now.',
    questions: 'Does it last for more than a minute?',
  },
  'sink-failed': {
    name: 'Lake not writable',
    explanation: 'The stream of the lake could not be written.',
    questions: 'Does the delivery stream exist? May this function write to it?',
  },
  'record-refused': {
    name: 'Line refused',
    explanation: 'The stream of the lake did not take the line.',
    questions: 'Does it last?',
  },
  unknown: {
    name: 'Unknown failure',
    explanation: 'A newer release met a failure that this one does not know.',
    questions: 'Was the deployment rolled back?',
  },
}

/** The standard names of other statuses. https://www.rfc-editor.org/rfc/rfc9110#section-15 */
const statusNames: Readonly<Record<number, string>> = {
  301: 'Moved Permanently',
  302: 'Found',
  303: 'See Other',
  307: 'Temporary Redirect',
  308: 'Permanent Redirect',
  402: 'Payment Required',
  405: 'Method Not Allowed',
  406: 'Not Acceptable',
  407: 'Proxy Authentication Required',
  408: 'Request Timeout',
  409: 'Conflict',
  410: 'Gone',
  413: 'Content Too Large',
  414: 'URI Too Long',
  415: 'Unsupported Media Type',
  421: 'Misdirected Request',
  422: 'Unprocessable Content',
  426: 'Upgrade Required',
  451: 'Unavailable For Legal Reasons',
  500: 'Internal Server Error',
  501: 'Not Implemented',
  502: 'Bad Gateway',
  503: 'Service Unavailable',
  504: 'Gateway Timeout',
  505: 'HTTP Version Not Supported',
}

/** `card`: the vendor's own words. `againAt`: when the request is tried again. */
export function explain(why: Failure, card: Words | undefined, againAt?: Instant): Explanation {
  const { name, explanation, questions } = rows[why.code]
  const permission = why.code === 'forbidden' && card !== undefined ? `It needs ${card.keyPermission}.` : ''
  const again = againAt === undefined ? '' : `It is tried again at ${iso(againAt).slice(11, 19)} UTC.`
  return {
    name: (why.status === undefined ? undefined : statusNames[why.status]) ?? name,
    explanation,
    recommendation: [questions, permission, failures[why.code].remedy, again].filter((part) => part !== '').join(' '),
  }
}

/** The attribute of the item that mends the failure, if one does. */
export function fieldOf(code: FailureCode): Field | undefined {
  return rows[code].field
}
