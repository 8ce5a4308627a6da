/**
 * The regular expressions of log filters: RE2. Few connectors have any, and the package is a quarter of all the code of `collect`, so that a
 * run loads it only for a filter that needs it.
 */
let re2: typeof import('re2js') | undefined

export async function loadPatterns(): Promise<void> {
  re2 ??= await import('re2js')
}

/** The package. Throws before `loadPatterns` has ended. */
export function patterns(): typeof import('re2js') {
  if (re2 === undefined) throw new Error('A regular expression was read before loadPatterns.')
  return re2
}
