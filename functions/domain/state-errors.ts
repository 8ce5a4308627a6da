/** The state table did not respond, or holds an item that no release writes. The write under way may or may not have happened. */
export class StateUnavailable extends Error {
  override readonly name = 'StateUnavailable'
}

/** An item was written by a newer release. It was left as it is. */
export class NewerSchema extends Error {
  override readonly name = 'NewerSchema'

  /** `item`: the item's key in words. */
  constructor(item: string, found: number, known: number) {
    super(
      `The state item ${item} has schemaVersion ${found}, and this release knows up to ${known}. The item was left as it is. Deploy the release that wrote it, or a later one.`,
    )
  }
}
