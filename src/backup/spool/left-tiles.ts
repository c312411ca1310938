import { PartitionMap } from '../../runtime/topic-partition.ts'
import type { TopicPartition } from '../../runtime/topic-partition.ts'
import type { SpoolHead } from './spool-notes.ts'

interface LeftTile {
  readonly head: SpoolHead
  readonly sinceMs: number
}

/** The tiles of partitions that nobody in this process has now: of an earlier process, or of an earlier ownership. */
export class LeftTiles {
  readonly #tiles = new PartitionMap<LeftTile[]>()

  get all(): SpoolHead[] {
    return [...this.#tiles.values()].flat().map(({ head }) => head)
  }

  add(head: SpoolHead, sinceMs: number): void {
    const known = this.#tiles.get(head)
    if (known === undefined) this.#tiles.set(head, [{ head, sinceMs }])
    else known.push({ head, sinceMs })
  }

  /** Somebody has the partition again: what was left of it is theirs to keep or to drop, as far as it `isTheirs`. */
  take(partition: TopicPartition, isTheirs: (head: SpoolHead) => boolean = () => true): SpoolHead[] {
    const known = this.#tiles.get(partition) ?? []
    const kept = known.filter(({ head }) => !isTheirs(head))
    if (kept.length === 0) this.#tiles.delete(partition)
    else this.#tiles.set(partition, kept)
    return known.filter(({ head }) => isTheirs(head)).map(({ head }) => head)
  }

  /** Takes those that were left before `beforeMs`. */
  takeOlder(beforeMs: number): SpoolHead[] {
    const taken: SpoolHead[] = []
    for (const [partition, tiles] of this.#tiles) {
      const kept = tiles.filter(({ sinceMs }) => sinceMs > beforeMs)
      if (kept.length === tiles.length) continue
      taken.push(...tiles.filter(tile => !kept.includes(tile)).map(({ head }) => head))
      if (kept.length === 0) this.#tiles.delete(partition)
      else this.#tiles.set(partition, kept)
    }
    return taken
  }
}
