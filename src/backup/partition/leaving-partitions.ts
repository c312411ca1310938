import type { Ownership } from '../../kafka/port/membership.ts'
import { PartitionMap } from '../../runtime/topic-partition.ts'
import type { PartitionBackup } from './partition.ts'

/** What partitions that were given up still have to do: uploads end, and the rest is left in the spool. None of it rejects. */
export class LeavingPartitions {
  readonly #leaving = new PartitionMap<Promise<void>>()

  /** Lets go of a partition once it has `finished`, and behind an earlier ownership of it; then calls `then`. */
  add(partition: PartitionBackup, finished: Promise<void>, then: () => void = () => undefined): void {
    const { ownership } = partition
    const before = this.#leaving.get(ownership)
    const leaving: Promise<void> = letGo(partition, finished)
      .then(() => before)
      .then(() => void (this.#leaving.get(ownership) === leaving && this.#leaving.delete(ownership)))
      .then(then)
    this.#leaving.set(ownership, leaving)
  }

  /** Resolves when the last ownership of a partition is over: what it leaves comes to the spool first. */
  async over(ownership: Ownership): Promise<void> {
    await this.#leaving.get(ownership)
  }

  /** Resolves when nothing is left to do. */
  async allOver(): Promise<void> {
    while (this.#leaving.size > 0) await Promise.all(this.#leaving.values())
  }
}

async function letGo(partition: PartitionBackup, finished: Promise<void>): Promise<void> {
  try {
    await finished
  } catch (error) {
    partition.log.error({ err: error }, 'could not keep what was read')
  }
  await partition.leave()
}
