import type { Outcome } from '../outcome.ts'
import type { Session } from '../session.ts'

/** Opens the pages of the place for a person at a screen, and says their address. Throws `Refused` if none are there. */
export async function open({ place, terminal }: Session): Promise<Outcome> {
  const address = place.page()
  const isOpened = terminal.isInteractive && (await terminal.openBrowser(address))
  return { exit: 'done', result: { address }, text: isOpened ? `Opened ${address}\n` : `${address}\n` }
}
