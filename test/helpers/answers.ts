import type { AppendAnswer } from '../../src/kafka/port/appending.ts'
import type { FetchPartition, FetchedBatches } from '../../src/kafka/port/fetching.ts'
import type { TopicPartition } from '../../src/runtime/topic-partition.ts'
import { decodeBatches } from './plain-batch.ts'

/** A partition to fetch. */
export function want(partition: TopicPartition, more: Partial<FetchPartition>): FetchPartition {
  const { topic, partition: number } = partition
  const { topicId, offset = 0, leaderEpoch = -1 } = more
  return { topic, partition: number, topicId, offset, leaderEpoch, maxBytes: 1_000_000 }
}

/** `acknowledged` and so on; for what was refused, the error. */
export function kindsOf(answers: readonly AppendAnswer[]): string[] {
  return answers.map(answer => (answer.kind === 'refused' ? answer.trouble.name : answer.kind))
}

export function troublesIn({ partitions }: FetchedBatches): (string | undefined)[] {
  return partitions.toSorted((a, b) => a.partition - b.partition).map(({ trouble }) => trouble?.name)
}

/** By partition, what the answer brings: whole batches, from wherever the first one begins. */
export function valuesOf({ partitions }: FetchedBatches): string[][] {
  return partitions
    .toSorted((a, b) => a.partition - b.partition)
    .map(({ records }) =>
      decodeBatches(records).flatMap(batch => batch.records.map(({ value }) => Buffer.from(value ?? '').toString())),
    )
}
