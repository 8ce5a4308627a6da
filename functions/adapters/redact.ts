/** Shorter encoded forms are not searched for (characters), because they also occur in text that holds no secret. */
const encodedLengthMin = 6

/** A form is found by its first characters (count). */
const prefixLength = encodedLengthMin
/** The secrets that were added last are known (count). A run adds its keys, 20 at most, whenever it reads them. */
const secretsMax = 500

/**
 * Replaces secrets in a text, in upper or lower case: as plain text, JSON-escaped (once and twice), URL-encoded (once and twice), and in
 * base64 and base64url, also inside a longer text that was encoded. A text costs the same however many secrets are known, because the
 * forms are looked up by their beginning.
 */
export class Redactor {
  /** By secret, the oldest first. */
  private readonly forms = new Map<string, readonly string[]>()
  /** In lower case, by their first characters, the longest first. */
  private readonly byPrefix = new Map<string, readonly string[]>()
  /** Forms that are shorter than a prefix. */
  private short: readonly string[] = []

  constructor(...secrets: readonly string[]) {
    for (const secret of secrets) this.add(secret)
  }

  add(secret: string): void {
    const known = this.forms.get(secret)
    const forms = known ?? [...new Set(formsOf(secret).map(lowerCase))]
    this.forms.delete(secret)
    this.forms.set(secret, forms)
    if (known === undefined) for (const form of forms) this.index(form)
    if (this.forms.size > secretsMax) this.forgetOldest()
  }

  redact(text: string): string {
    if (this.forms.size === 0) return text
    const lower = lowerCase(text)
    const parts: string[] = []
    let copied = 0
    for (let at = 0; at < lower.length; ) {
      const form = this.formAt(lower, at)
      if (form === undefined) at++
      else {
        parts.push(text.slice(copied, at), '[redacted]')
        at += form.length
        copied = at
      }
    }
    return copied === 0 ? text : `${parts.join('')}${text.slice(copied)}`
  }

  private formAt(lower: string, at: number): string | undefined {
    const isHere = (form: string) => lower.startsWith(form, at)
    return this.byPrefix.get(lower.slice(at, at + prefixLength))?.find(isHere) ?? this.short.find(isHere)
  }

  private index(form: string): void {
    if (form.length < prefixLength) {
      this.short = longestFirst([...this.short, form])
      return
    }
    const prefix = form.slice(0, prefixLength)
    this.byPrefix.set(prefix, longestFirst([...(this.byPrefix.get(prefix) ?? []), form]))
  }

  /** The forms of another secret stay, also if they begin alike. */
  private forgetOldest(): void {
    const [oldest] = this.forms.keys()
    if (oldest === undefined) return
    const gone = this.forms.get(oldest) ?? []
    this.forms.delete(oldest)
    const kept = new Set([...this.forms.values()].flat())
    for (const form of gone.filter((each) => !kept.has(each))) {
      const prefix = form.slice(0, prefixLength)
      const rest = (this.byPrefix.get(prefix) ?? []).filter((each) => each !== form)
      if (rest.length === 0) this.byPrefix.delete(prefix)
      else this.byPrefix.set(prefix, rest)
      this.short = this.short.filter((each) => each !== form)
    }
  }
}

function longestFirst(forms: readonly string[]): readonly string[] {
  return [...new Set(forms)].sort((a, b) => b.length - a.length)
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
