/** Shorter encoded forms are not searched for (characters), because they also occur in text that holds no secret. */
const encodedLengthMin = 6

/**
 * Matches each of the secrets, in upper or lower case: as plain text, JSON-escaped (once and twice), URL-encoded (once and twice), and in
 * base64 and base64url, also inside a longer text that was encoded. Returns nothing if there is no secret.
 */
export function secretPattern(secrets: Iterable<string>): RegExp | undefined {
  const forms = [...new Set([...secrets].flatMap(formsOf))].sort((a, b) => b.length - a.length)
  return forms.length === 0 ? undefined : new RegExp(forms.map((form) => escapedForRegExp(form)).join('|'), 'gi')
}

export function redact(text: string, pattern: RegExp | undefined): string {
  return pattern === undefined ? text : text.replace(pattern, '[redacted]')
}

function formsOf(secret: string): string[] {
  if (secret === '') return []
  const urlEncoded = encodeURIComponent(secret.toWellFormed())
  const encoded = [
    jsonEscaped(secret),
    jsonEscaped(jsonEscaped(secret)),
    urlEncoded,
    encodeURIComponent(urlEncoded),
    ...base64Forms(secret),
  ]
  return [secret, ...encoded.filter((form) => form.length >= encodedLengthMin)]
}

function escapedForRegExp(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&')
}

function jsonEscaped(text: string): string {
  return JSON.stringify(text).slice(1, -1)
}

/** Base64 encodes groups of three bytes, so a secret has three forms, one for each place in a group where it can begin. Only the digits that depend on the secret alone are kept. */
function base64Forms(secret: string): string[] {
  const bytes = Buffer.from(secret, 'utf8')
  return [0, 1, 2].flatMap((before) => {
    const digits = Buffer.concat([Buffer.alloc(before), bytes]).toString('base64')
    const first = Math.ceil((before * 8) / 6)
    const end = Math.floor(((before + bytes.length) * 8) / 6)
    const form = digits.slice(first, end)
    return [form, form.replaceAll('+', '-').replaceAll('/', '_')]
  })
}
