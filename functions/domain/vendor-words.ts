/**
 * The words of a vendor that a failure shows, and so the log, the status, notifications and screens. Any text of a vendor may hold a key
 * or an event: a gateway echoes the request, an error quotes the mail that it is about. So a free text is shown only if it reads as a
 * plain sentence, and every other value only in the shape of its kind. Nothing shown is a code for another text, so nobody can decode
 * more than they read.
 */

/** A longer message is left out (characters), so nothing is ever cut in two. */
const messageLengthMax = 200
const traceIdLengthMax = 64
/** Names of fields are shorter (characters). */
const fieldLengthMax = 40
/** A text that decodes to so many printable characters in a row was encoded. Fewer come about by chance. */
const hiddenLengthMin = 8
/** Fewer bytes are UTF-8 by chance. */
const hiddenBytesMin = 5
/** A word of letters, in most languages (characters). */
const wordLengthMax = 23

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
  return isSentence(line) ? undefined : 'may hold an event'
}

const numbersMax = 3

/**
 * Words, and a few numbers that do not follow each other. JSON, CEF, addresses, paths, names of files, names with values and codes for
 * another text (hex, base64, escapes, also in groups) consist of something else.
 */
function isSentence(line: string): boolean {
  const parts = line.split(' ').map((part) => /^\(?(.*?)[).,;:!?]{0,3}$/u.exec(part)?.[1] ?? '')
  const areNumbers = parts.map((part) => number.test(part))
  const isPair = areNumbers.some((isNumber, index) => isNumber && areNumbers[index + 1] === true)
  // A second colon: names with values.
  if (isPair || areNumbers.filter(Boolean).length > numbersMax || /:.*:/.test(line)) return false
  return parts.every((part, index) => areNumbers[index] === true || part === '-' || isWord(part))
}

const number = /^[0-9]{1,10}$/

/** Words with hyphens or apostrophes inside; or a run of letters without case, whose languages have no blanks. */
function isWord(text: string): boolean {
  const isCased = text.length <= wordLengthMax && text.split(/['’-]/).every((part) => casedWord.test(part))
  return isCased || uncasedWords.test(text)
}

/** `invalid`, `Invalid`, `UTC` or `OneDrive`. Base64 mixes upper and lower case in other ways. */
const casedWord = /^(?:(?:\p{Lu}\p{M}*)?(?:\p{Ll}\p{M}*)+|\p{Lu}{1,12}|(?:\p{Lu}\p{Ll}{2,}){2})$/u
const uncasedWords = /^[\p{Lo}\p{Lm}\p{M}、。！？]{1,60}$/u

/** A run without a blank of 16 or more characters with letters and digits, or one that is longer than a word. */
function looksLikeKey(text: string): boolean {
  return (text.match(/\S{16,}/g) ?? []).some((run) => (/\p{L}/u.test(run) && /\p{N}/u.test(run)) || /[A-Za-z0-9]{24}/.test(run))
}

/** Whether a part of the text is text in base64, base64url or hex. */
function hidesText(text: string): boolean {
  const base64 = (text.match(/[\w+/-]+/g) ?? []).flatMap((run) => [0, 1, 2, 3].map((from) => fromBase64(run.slice(from))))
  const hex = (text.match(/(?:[0-9a-f][ :-]?)+/gi) ?? []).flatMap((run) =>
    [0, 1].map((from) => fromHex(run.replaceAll(/[ :-]/g, '').slice(from))),
  )
  return [...base64, ...hex].some(isText)
}

const printable = new RegExp(`[\\x20-\\x7e]{${hiddenLengthMin}}`)

/** `bytes`: a character for each. The second byte of an ASCII character in UTF-16 is 0. */
function isText(bytes: string): boolean {
  return printable.test(bytes.replaceAll('\0', '')) || (bytes.length >= hiddenBytesMin && isUtf8(bytes))
}

/** Whether all bytes together are UTF-8, of any script, without a control character. */
function isUtf8(bytes: string): boolean {
  const text = new TextDecoder().decode(Uint8Array.from(bytes, (each) => each.charCodeAt(0)))
  return !/[\ufffd\p{Cc}]/u.test(text)
}

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
  return `${url.protocol}//${isAddress ? url.hostname : shownHost(url.hostname)}${port}`
}

/** A host may be a key with dots, so of names that look like a key together only those without a digit are shown. */
function shownHost(host: string): string {
  const isKey = looksLikeKey(host)
  const isName = (text: string) => /^[\w-]{0,63}$/.test(text) && !looksLikeKey(text) && !hidesText(text) && !(isKey && /\d/.test(text))
  return host
    .split('.')
    .map((text) => (isName(text) ? text : '…'))
    .join('.')
}

/** The path of a field, `message.file_name`, with `…` for a name that is not written as names are. */
export function shownField(path: string): string {
  const [first = '', ...inner] = path.split('.')
  const names = inner.length === 0 ? [first] : [first, inner.join('.')]
  return names.map((name) => (isFieldName(name) ? name : '…')).join('.')
}

function isFieldName(name: string): boolean {
  return /^[a-z]+(?:_[a-z0-9]+)*$/.test(name) && name.length <= fieldLengthMax && !looksLikeKey(name) && !hidesText(name)
}

/** The number of an error, if it is one. */
export function shownCode(code: number): string {
  return Number.isSafeInteger(code) && /^-?[0-9]{1,10}$/.test(String(code)) ? `code ${code}` : 'an odd code'
}

/** The media type that a Content-Type header names, without its parameters. */
export function shownMediaType(contentType: string | undefined): string {
  if (contentType === undefined) return 'no content type'
  const [type = ''] = contentType.slice(0, messageLengthMax).split(';')
  return mediaType.test(type.trim()) ? type.trim().toLowerCase() : 'an odd content type'
}

/** Without digits, so it is no key. https://www.rfc-editor.org/rfc/rfc6838#section-4.2 */
const mediaType = /^(?:application|audio|font|image|message|model|multipart|text|video)\/[a-z][a-z.+-]{0,60}$/i
