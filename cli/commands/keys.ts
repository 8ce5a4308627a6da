import { day } from '../../functions/domain/time.ts'
import { formatTextTable } from '../../local/text-table.ts'
import { Mistake, type Outcome } from '../outcome.ts'
import { isConfirmed, type Session, sayPlace } from '../session.ts'
import { timeText } from '../tables.ts'
import { nothingChanged } from './changes.ts'

/** The secrets with the API keys. No key is an argument, and none is ever printed. */

/** The longest key (characters): no server takes a longer header. */
const keyMax = 4_096

/** The oldest first, and those of unknown age before them. */
export async function keyList(session: Session, { tenant }: { readonly tenant?: string }): Promise<Outcome> {
  const { place, terminal } = session
  const now = terminal.now()
  const found = await place.keys.list(tenant === undefined ? place.secretPrefix : `${place.secretPrefix}${tenant}/`)
  const keys = [...found].sort((a, b) => (a.changedAt ?? 0) - (b.changedAt ?? 0) || (a.name < b.name ? -1 : 1))
  const rows = keys.map(({ name, changedAt }) => ({
    secret: name,
    'stored (UTC)': changedAt === undefined ? '–' : timeText(changedAt),
    days: changedAt === undefined ? '–' : Math.floor((now - changedAt) / day),
  }))
  return {
    exit: 'done',
    result: { keys: keys.map(({ name, changedAt }) => ({ name, ...(changedAt === undefined ? {} : { changedAt }) })) },
    text: rows.length === 0 ? `No secret begins with ${place.secretPrefix}.\n` : formatTextTable(rows),
  }
}

/** `reference`: the secret as an item names it, `name` or `name#jsonKey`. The key comes from a question, or from stdin. */
export async function keySet(session: Session, reference: string): Promise<Outcome> {
  const { place, terminal } = session
  refuseForeignName(reference, place.secretPrefix)
  sayPlace(session)
  const typed = terminal.isInteractive ? await terminal.ask.secret(`API key for ${reference} (not shown)`) : await terminal.readStdin()
  const key = typed.replace(/\r?\n$/, '')
  refuseNoKey(key)
  if (terminal.isInteractive && !(await isConfirmed(session, `Store this key of ${key.length} characters in ${reference}?`, false))) {
    return nothingChanged
  }
  const how = await place.keys.set(reference, key)
  const next =
    how === 'new'
      ? 'Name it in apiKeySecrets of its connector. "test" tries it at once with a connector that names it already.'
      : 'A run may use the earlier key for an hour. Revoke that at the vendor afterwards.'
  const lines = [`${how === 'new' ? 'Stored a new secret' : 'Replaced the key in'} ${reference}. ${next}`]
  return {
    exit: 'done',
    result: { secret: reference, stored: how },
    text: `${[...lines, ...(place.notice === undefined ? [] : [place.notice])].join('\n')}\n`,
  }
}

function refuseForeignName(reference: string, prefix: string): void {
  const [name = '', member] = reference.split(/#(.*)/s)
  if (!name.startsWith(prefix) || !/^[\w/+=.@-]{1,512}$/.test(name) || name.length === prefix.length) {
    throw new Mistake(`This is no name of a secret here. Give ${prefix}TENANT/NAME, such as ${prefix}acme/cas. Never give the key itself.`)
  }
  if (member === '') throw new Mistake('The name of the key after # is empty. Give name#jsonKey, or the name alone.')
}

/** The words are about the key without a part of it. */
function refuseNoKey(key: string): void {
  if (key === '') throw new Mistake('The key is empty, so nothing was stored. Type it, or send it to stdin: tributary key set NAME < FILE.')
  if (key.length > keyMax)
    throw new Mistake(`The key has ${key.length} characters, more than ${keyMax}: it is something else. Nothing was stored.`)
  if (!/^[\x21-\x7e]+$/.test(key)) {
    throw new Mistake('The key has a blank, a line feed or a character that is not ASCII. Give the key alone. Nothing was stored.')
  }
}
