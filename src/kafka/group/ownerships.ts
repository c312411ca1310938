import { Aborted } from '../../runtime/aborted.ts'
import { PartitionMap } from '../../runtime/topic-partition.ts'
import type { TopicPartition } from '../../runtime/topic-partition.ts'
import type { Ownership } from '../port/membership.ts'

/** The partitions that a member owns, and the difference that a new assignment makes. */
export class Ownerships {
  readonly #owned = new PartitionMap<{ readonly ownership: Ownership; readonly end: AbortController }>()

  get all(): Ownership[] {
    return [...this.#owned.values()].map(({ ownership }) => ownership)
  }

  /** What an assignment takes away. */
  missingFrom(assigned: readonly TopicPartition[]): Ownership[] {
    const kept = new PartitionMap(assigned.map(partition => [partition, true]))
    return this.all.filter(ownership => !kept.has(ownership))
  }

  /** Begins to own what an assignment adds, and returns that. */
  add(assigned: readonly TopicPartition[]): Ownership[] {
    const added: Ownership[] = []
    for (const { topic, partition } of assigned) {
      if (this.#owned.has({ topic, partition })) continue
      const end = new AbortController()
      const ownership = { topic, partition, ended: end.signal }
      this.#owned.set(ownership, { ownership, end })
      added.push(ownership)
    }
    return added
  }

  /** Ends the ownerships. */
  end(ownerships: readonly Ownership[], reason: string): void {
    for (const ownership of ownerships) {
      const known = this.#owned.get(ownership)
      if (known?.ownership !== ownership) continue
      this.#owned.delete(ownership)
      known.end.abort(new Aborted(reason))
    }
  }
}
