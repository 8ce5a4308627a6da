/** The first API key of a world. */
export const key = 'simulated-key-0123456789abcdef'

const person = 'svc-backup'

/**
 * A body of the simulated vendor in which one of its persons has the key in the name, so that events hold it. Every second page writes the
 * key in escapes of JSON: what is the same event must stay one.
 */
export function withKeyInEvents(body: string, page: number): string {
  const escapes = Array.from(key, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`).join('')
  return body.replaceAll(`${person}@`, `${person} ${page % 2 === 0 ? key : escapes}@`)
}

/** The canonical text of an item as the simulated vendor made it, with neither the key nor what stands in its place. */
export function asMade(canonical: string): string {
  return canonical.replaceAll(`${person} [redacted]@`, `${person}@`).replaceAll(`${person} ${key}@`, `${person}@`)
}
