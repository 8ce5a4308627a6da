import { closest, quote } from '../functions/domain/connector/problems.ts'
import { Mistake } from './outcome.ts'

/** Throws `Mistake` for a word that is none of those known. `where`: the option or argument. `thing`: one of them, as in "no such state". */
export function refuseUnknownWord(where: string, word: string | undefined, thing: string, known: readonly string[]): void {
  if (word === undefined || known.includes(word)) return
  const meant = closest(word, known)
  throw new Mistake(
    `${where} ${quote(word)}: there is no such ${thing}. ${meant === undefined ? '' : `Did you mean ${meant}? `}Give one of: ${known.join(', ')}.`,
  )
}
