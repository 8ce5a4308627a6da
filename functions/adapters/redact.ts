/** A shorter encoded form would be found in innocent text. */
const encodedLengthMin = 6

/**
 * Matches any of the secrets, in any case: as it is, JSON-escaped (once, and inside JSON that is itself a JSON string),
 * URL-encoded (once and twice), and in base64 and base64url, also as part of something longer that was encoded. Absent: nothing to match.
 */
export function secretPattern(secrets: Iterable<string>): RegExp | undefined {
  const forms = [...new Set([...secrets].flatMap(formsOf))].sort((a, b) => b.length - a.length)
  return forms.length === 0 ? undefined : new RegExp(forms.map((form) => literally(form)).join('|'), 'gi')
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

function literally(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&')
}

function jsonEscaped(text: string): string {
  return JSON.stringify(text).slice(1, -1)
}

/** Base64 works on groups of three bytes, so the secret looks different for each place in a group where it can begin. Only the digits that depend on nothing around it are kept. */
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
