/** Shorter encoded forms are not searched for (characters), because they also occur in text that holds no secret. */
const encodedLengthMin = 6

/** A form is found by its first characters (count). */
const prefixLength = encodedLengthMin
/**
 * Characters of forms that are compared for each character of a text, and beside that for each text. Ordinary texts need a thousandth. A
 * text that repeats the beginning of a long secret would take as many as the secret has.
 */
const comparedMax = { ofCharacter: 20, ofText: 100_000 }
export const replacement = '[redacted]'

/** How many forms with the same beginning have this length. */
interface FormLength {
  readonly length: number
  readonly count: number
}

/**
 * Replaces secrets in a text, in upper or lower case: as plain text, JSON-escaped (once and twice), URL-encoded (once and twice), and in
 * base64 and base64url, also inside a longer text that was encoded. A text costs the same however many secrets are known, because the
 * forms are looked up. Of a text that is made to cost more, nothing is returned but `[redacted]`.
 */
export class Redactor {
  /** By secret. */
  private readonly forms = new Map<string, readonly string[]>()
  /** How many secrets have each form. Forms are in lower case. */
  private readonly holders = new Map<string, number>()
  /** By the first characters of forms, the longest first. */
  private readonly lengths = new Map<string, readonly FormLength[]>()
  /** Forms that are shorter than a prefix. */
  private short: readonly string[] = []

  constructor(...secrets: readonly string[]) {
    for (const secret of secrets) this.add(secret)
  }

  add(secret: string): void {
    if (this.forms.has(secret)) return
    const forms = [...new Set(formsOf(secret).map(lowerCase))]
    this.forms.set(secret, forms)
    for (const form of forms) this.count(form, 1)
  }

  /** Forms that another secret has too stay. */
  remove(secret: string): void {
    for (const form of this.forms.get(secret) ?? []) this.count(form, -1)
    this.forms.delete(secret)
  }

  redact(text: string): string {
    if (this.forms.size === 0) return text
    const lower = lowerCase(text)
    const parts: string[] = []
    let copied = 0
    let compared = 0
    const most = comparedMax.ofCharacter * text.length + comparedMax.ofText
    for (let at = 0; at < lower.length; ) {
      const lengths = this.lengths.get(lower.slice(at, at + prefixLength)) ?? []
      for (const { length } of lengths) compared += length
      if (compared > most) return replacement
      const found = lengths.find(({ length }) => this.holders.has(lower.slice(at, at + length)))
      const length = found?.length ?? this.short.find((form) => lower.startsWith(form, at))?.length
      if (length === undefined) at++
      else {
        parts.push(text.slice(copied, at), replacement)
        at += length
        copied = at
      }
    }
    return copied === 0 ? text : `${parts.join('')}${text.slice(copied)}`
  }

  /** One more secret has the form, or one less. */
  private count(form: string, change: 1 | -1): void {
    const before = this.holders.get(form) ?? 0
    const after = before + change
    if (after === 0) this.holders.delete(form)
    else this.holders.set(form, after)
    if (before > 0 && after > 0) return
    if (form.length < prefixLength) {
      this.short = [...this.holders.keys()].filter(({ length }) => length < prefixLength).sort((a, b) => b.length - a.length)
      return
    }
    const prefix = form.slice(0, prefixLength)
    const lengths = this.lengths.get(prefix) ?? []
    const others = lengths.filter(({ length }) => length !== form.length)
    const count = (lengths.find(({ length }) => length === form.length)?.count ?? 0) + change
    const changed = count === 0 ? others : [...others, { length: form.length, count }]
    if (changed.length === 0) this.lengths.delete(prefix)
    else
      this.lengths.set(
        prefix,
        changed.sort((a, b) => b.length - a.length),
      )
  }
}

/** Changes ASCII letters only, because others may become longer. A key is ASCII. */
function lowerCase(text: string): string {
  return text.replace(/[A-Z]+/g, (letters) => letters.toLowerCase())
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
