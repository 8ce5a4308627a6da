/**
 * The words of a vendor that a failure shows, and so the log, the status, notifications and screens. Any text of a vendor may hold a key
 * or an event: a gateway echoes the request, an error quotes the mail that it is about. So a free text is shown only if it reads as a
 * plain sentence, and every other value only in the shape of its kind. Nothing shown is a code for another text, so nobody can decode
 * more than they read.
 */

/** A longer message is left out (characters), so nothing is ever cut in two. */
const messageLengthMax = 200
const traceIdLengthMax = 64
/** A text that decodes to so many printable characters in a row was encoded. Fewer come about by chance. */
const hiddenLengthMin = 8

/** A free text in quotes, on one line; or that it is left out, and why. `''` if it is blank. */
export function shownMessage(text: string): string {
  const line = text
    .slice(0, 2 * messageLengthMax)
    .replace(/\s+/g, ' ')
    .trim()
  if (line === '') return ''
  const why = text.length > messageLengthMax ? `is longer than ${messageLengthMax}` : whyLeftOut(line)
  return why === undefined ? `"${line}"` : `a message of ${text.length} characters, left out because it ${why}`
}

function whyLeftOut(line: string): string | undefined {
  if (looksLikeKey(line) || line.includes('[redacted]')) return 'may hold a key'
  if (hidesText(line)) return 'may hold encoded text'
  return signsOfEvent.some((sign) => sign.test(line)) ? 'may hold an event' : undefined
}

/** Events consist of JSON or CEF, addresses, paths, names of files, and names with values. Plain sentences have none of that. */
const signsOfEvent: readonly RegExp[] = [
  // Syntax, `@` and `/`. The escapes of JSON, HTML and URLs begin with such a character too, so none of them has to be undone.
  /[^\p{L}\p{M}\p{N} .,;:'’!?()-]/u,
  // The name of a file or a host.
  /\.[^ )]/,
  // Names with values: more than one of them, or without a blank.
  /:[^ ]|:.*:/,
  // A quotation. An apostrophe is between letters.
  /(?<!\p{L})['’]|['’](?!\p{L})/u,
]

/** A run without a blank of 16 or more characters with letters and digits, or one that is longer than a word. */
function looksLikeKey(text: string): boolean {
  return (text.match(/\S{16,}/g) ?? []).some((run) => (/\p{L}/u.test(run) && /\p{N}/u.test(run)) || /[A-Za-z0-9]{24}/.test(run))
}

/** Whether a part of the text is printable text in base64, base64url or hex. */
function hidesText(text: string): boolean {
  const base64 = (text.match(/[\w+/-]+/g) ?? []).flatMap((run) => [0, 1, 2, 3].map((from) => fromBase64(run.slice(from))))
  const hex = (text.match(/(?:[0-9a-f][ :-]?)+/gi) ?? []).flatMap((run) =>
    [0, 1].map((from) => fromHex(run.replaceAll(/[ :-]/g, '').slice(from))),
  )
  return [...base64, ...hex].some((decoded) => printable.test(decoded))
}

const printable = new RegExp(`[\\x20-\\x7e]{${hiddenLengthMin}}`)

/** The bytes as characters, without those of an incomplete group. */
function fromBase64(run: string): string {
  return atob(
    run
      .slice(0, run.length - (run.length % 4))
      .replaceAll('-', '+')
      .replaceAll('_', '/'),
  )
}

function fromHex(digits: string): string {
  return (digits.match(/../g) ?? []).map((pair) => String.fromCharCode(Number.parseInt(pair, 16))).join('')
}

/** A trace id, if it is one: letters, digits and dashes. */
export function shownTraceId(text: string): string | undefined {
  return text.length <= traceIdLengthMax && /^[0-9a-z-]+$/i.test(text) && !hidesText(text) ? text : undefined
}

/** The origin of a web address, with `…` for a part of its host that is no name; nothing if it is no address. */
export function shownOrigin(address: string): string | undefined {
  const url = URL.parse(address)
  if (url === null || !/^https?:$/.test(url.protocol)) return undefined
  const port = url.port === '' ? '' : `:${url.port}`
  const isAddress = /^\[[0-9a-f:.]+\]$/.test(url.hostname)
  return `${url.protocol}//${isAddress ? url.hostname : shownNames(url.hostname)}${port}`
}

/**
 * Names with dots between them: those of a host, or the path of a field. `…` stands for one that looks like something else. A key may have
 * dots too, so of names that look like a key together only those without a digit are shown.
 */
export function shownNames(names: string): string {
  const isKey = looksLikeKey(names)
  const isName = (text: string) => /^[\w-]{0,63}$/.test(text) && !looksLikeKey(text) && !hidesText(text) && !(isKey && /\d/.test(text))
  return names
    .split('.')
    .map((text) => (isName(text) ? text : '…'))
    .join('.')
}

/** The media type that a Content-Type header names, without its parameters. */
export function shownMediaType(contentType: string | undefined): string {
  if (contentType === undefined) return 'no content type'
  const [type = ''] = contentType.slice(0, messageLengthMax).split(';')
  return mediaType.test(type.trim()) ? type.trim().toLowerCase() : 'an odd content type'
}

/** Without digits, so it is no key. https://www.rfc-editor.org/rfc/rfc6838#section-4.2 */
const mediaType = /^(?:application|audio|font|image|message|model|multipart|text|video)\/[a-z][a-z.+-]{0,60}$/i
