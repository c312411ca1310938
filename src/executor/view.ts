import { messageOf } from '../runtime/errors.ts'
import type { PartitionMap, TopicPartition } from '../runtime/topic-partition.ts'
import type { RestoringTarget } from './restore-progress.ts'

/** What an executor is at, by what it knows itself. */
export interface ExecutorView {
  readonly planTopic: string
  readonly executor: string
  /** Partitions of the plan that it has now. */
  readonly planPartitions: number
  readonly targets: readonly RestoringTarget[]
  /** Chains that cannot go on, and why. */
  readonly failed: readonly (TopicPartition & { readonly message: string })[]
  /** Records that were acknowledged to it. */
  readonly recordsSent: number
}

/** Chains that cannot go on, as the view shows them. Pure. */
export function failuresOf(failed: PartitionMap<unknown>): ExecutorView['failed'] {
  return [...failed].map(([{ topic, partition }, error]) => ({ topic, partition, message: messageOf(error) }))
}
