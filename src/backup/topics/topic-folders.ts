import { claimTopicFolder } from '../../catalog/incarnation.ts'
import type { ObjectStore } from '../../storage/port.ts'

/** The folders of topics, each asked for once. */
export class TopicFolders {
  readonly #store: ObjectStore
  readonly #folders = new Map<string, Promise<string | undefined>>()

  constructor(store: ObjectStore) {
    this.#store = store
  }

  /** See claimTopicFolder. */
  of(topic: string, topicId: string | undefined): Promise<string | undefined> {
    const id = `${topic}@${topicId ?? ''}`
    let folder = this.#folders.get(id)
    if (folder === undefined) {
      folder = claimTopicFolder(this.#store, topic, topicId)
      this.#folders.set(id, folder)
      folder.catch(() => this.#folders.delete(id))
    }
    return folder
  }
}
