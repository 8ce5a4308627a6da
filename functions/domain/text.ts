/** Cuts a text to `lengthMax` UTF-16 units, its `…` included. It never cuts a character in two: half a surrogate pair is no text. */
export function cutText(text: string, lengthMax: number): string {
  return text.length <= lengthMax ? text : `${wholeCharacters(text, lengthMax - 1)}…`
}

/** The first `lengthMax` UTF-16 units of a text, or one fewer where the last would be half a character. */
export function wholeCharacters(text: string, lengthMax: number): string {
  const cut = text.slice(0, Math.max(0, lengthMax))
  return cut.length < text.length && /[\ud800-\udbff]$/.test(cut) ? cut.slice(0, -1) : cut
}
