import { partitionFolder } from '../../format/keys.ts'
import type { PartitionPlace } from '../../format/keys.ts'
import type { Ownership } from '../../kafka/port/membership.ts'
import type { Logger } from '../../observe/logger.ts'
import { encodeCommitNote } from '../../format/commit-note.ts'
import type { Committer } from '../resume/committer.ts'
import type { PartitionIdentity } from '../resume/identity.ts'

export interface ChainCommitsDeps {
  readonly place: PartitionPlace
  readonly identity: PartitionIdentity
  readonly ownership: Ownership
  /** The first offset ever covered. */
  readonly origin: number
  readonly committer: Committer
  readonly log: Logger
}

/** Tells the group how far a partition's chain is durable: a cache of what the store says, for the next owner. */
export class ChainCommits {
  readonly #deps: ChainCommitsDeps
  #committedTo: number
  #isOver = false
  #next = Promise.withResolvers<void>()

  constructor(committedTo: number, deps: ChainCommitsDeps) {
    this.#committedTo = committedTo
    this.#deps = deps
  }

  /** The offset that the group knows to be durable. */
  get committedTo(): number {
    return this.#committedTo
  }

  /** Resolves after the next commit, whatever became of it. */
  get next(): Promise<void> {
    return this.#next.promise
  }

  /** From now on nothing is committed: the committed offset speaks of another incarnation. */
  end(): void {
    this.#isOver = true
  }

  /** Commits the end of the chain; `lastFrom` is where its last tile begins. */
  async commit(offset: number, lastFrom: number | undefined, leaderEpoch: number): Promise<void> {
    if (this.#isOver) return
    const { place, identity, ownership, origin, committer, log } = this.#deps
    const { archiveId, topicId, lineage } = identity
    const metadata = encodeCommitNote({ archiveId, topicId, lineage, lastFrom, origin })
    const outcome = await committer.commit({ ownership, offset, leaderEpoch, metadata })
    if (outcome === 'committed') this.#committedTo = offset
    this.#next.resolve()
    this.#next = Promise.withResolvers()
    log.debug({ offset, outcome, folder: partitionFolder(place) }, 'commit')
  }
}
