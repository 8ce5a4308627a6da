/** The state table did not answer, or holds what no release writes. Nothing that is not already written may be assumed. */
export class StateUnavailable extends Error {
  override readonly name = 'StateUnavailable'
}

/** An item was written by a newer release. It was left as it is. */
export class NewerSchema extends Error {
  override readonly name = 'NewerSchema'

  /** `item` is its key in words. */
  constructor(item: string, found: number, known: number) {
    super(
      `The state item ${item} has schemaVersion ${found}, and this release knows up to ${known}. Nothing was written over it. Deploy the release that wrote it again, or a later one.`,
    )
  }
}
