import { PartitionMap } from '../runtime/topic-partition.ts'
import type { TopicPartition } from '../runtime/topic-partition.ts'

/**
 * Notices plan partitions of which no target grows. Target partitions take turns within one: a single one that waits says
 * nothing, all of them together say that no executor is at work there, or that it cannot go on.
 */
export class Movement {
  readonly #counts = new PartitionMap<number>()
  readonly #movedAtMs = new Map<number, number>()

  note(planPartition: number, target: TopicPartition, count: number, nowMs: number): void {
    if (this.#counts.get(target) === count) return
    this.#counts.set(target, count)
    this.#movedAtMs.set(planPartition, nowMs)
  }

  /** For how long none of its targets has grown. */
  stoodMs(planPartition: number, nowMs: number): number {
    return nowMs - (this.#movedAtMs.get(planPartition) ?? nowMs)
  }
}
