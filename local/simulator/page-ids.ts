import type { Settings } from './options.ts'
import type { Cursor } from './pages.ts'
import type { Snapshot } from './query.ts'

export interface NextPage {
  readonly snapshot: Snapshot
  readonly cursor: Cursor
  /** The key that the page id was given to. */
  readonly key: string
  readonly bornAt: number
}

/** The oldest ids beyond this number die, whatever `pageIdLifeMs` says. */
const pageIdsMax = 20_000

/** The page ids that the vendor has given out, in the order of their birth. */
export class PageIds {
  readonly #pages = new Map<string, NextPage>()

  add(pageId: string, page: NextPage, { pageIdLifeMs }: Settings): void {
    this.#pages.set(pageId, page)
    for (const [oldest, { bornAt }] of this.#pages) {
      const isDead = pageIdLifeMs > 0 && page.bornAt - bornAt > pageIdLifeMs
      if (!isDead && this.#pages.size <= pageIdsMax) break
      this.#pages.delete(oldest)
    }
  }

  /** Returns the page, or undefined when the id is unknown, dead or useless for this caller. */
  use(pageId: string, caller: { readonly key: string; readonly customer: string }, now: number, settings: Settings): NextPage | undefined {
    const { pageIdLifeMs, pageIdBoundToKey, pageIdSingleUse } = settings
    const page = this.#pages.get(pageId)
    if (page === undefined) return undefined
    const isDead = pageIdLifeMs > 0 && now - page.bornAt > pageIdLifeMs
    const isOwn = pageIdBoundToKey ? page.key === caller.key : page.snapshot.customer === caller.customer
    if (isDead || !isOwn) return undefined
    if (pageIdSingleUse) this.#pages.delete(pageId)
    return page
  }
}
