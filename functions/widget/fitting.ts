/**
 * Cuts a page so that its JSON has at most `bytesMax` bytes: the rest is left out at the end of a row, a paragraph or a line, and `note` is
 * the last thing in the outermost element. A page that fits is unchanged. Both are markup of this program: their texts and attributes have
 * no `<` and no `>`.
 */
export function fitting(page: string, note: string, bytesMax: number): string {
  if (jsonBytes(page) <= bytesMax) return page
  const open: string[] = []
  let bytes = jsonBytes(note)
  let length = 0
  let best = note
  for (const part of page.match(/<[^>]*>|[^<\n]*\n|[^<\n]+/g) ?? []) {
    bytes += jsonBytes(part)
    if (bytes > bytesMax) break
    length += part.length
    follow(part, open)
    if (!isEnd(part, open)) continue
    const [outermost = '', ...inner] = open
    const closing = `${inner.toReversed().join('')}${note}${outermost}`
    if (bytes + jsonBytes(closing) - jsonBytes(note) <= bytesMax) best = `${page.slice(0, length)}${closing}`
  }
  return best
}

const encoder = new TextEncoder()

/** The size of a text inside a JSON text. */
function jsonBytes(text: string): number {
  return encoder.encode(JSON.stringify(text)).length - 2
}

/** Elements without an end. */
const isVoid = /^<(?:input|br|hr|img)\b|\/>$/

/** Keeps the closing tags of the elements that are open, the outermost first. */
function follow(part: string, open: string[]): void {
  if (!part.startsWith('<') || isVoid.test(part)) return
  if (part.startsWith('</')) open.pop()
  else open.push(`</${/[\w-]+/.exec(part)?.[0]}>`)
}

/** Whether the page may end behind this part. A form is whole or not there: a part of one must never be sent. */
function isEnd(part: string, open: readonly string[]): boolean {
  if (open.length === 0 || open.includes('</form>')) return false
  return /^<\/(?:tr|p|pre|dd|li|h2|h3|table|form|dl|svg)>$/.test(part) || (part.endsWith('\n') && open.at(-1) === '</pre>')
}
