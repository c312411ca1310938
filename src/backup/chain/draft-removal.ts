import type { Logger } from '../../observe/logger.ts'
import type { TileDraft } from './tile-draft.ts'

/** Removes the spool files of tiles that are durable or dropped. What cannot be removed now is swept at the next start. */
export class DraftRemoval {
  readonly #log: Logger
  #removing = Promise.resolve()

  constructor(log: Logger) {
    this.#log = log
  }

  /** Resolves when all are gone. */
  get done(): Promise<void> {
    return this.#removing
  }

  remove(drafts: readonly TileDraft[]): void {
    for (const draft of drafts) {
      const removed = draft
        .discard()
        .catch((error: unknown) => this.#log.warn({ err: error }, 'could not remove a spool file'))
      this.#removing = Promise.all([this.#removing, removed]).then(() => undefined)
    }
  }
}
