import type { CommittedOffset, Kafka, TopicSelection } from '../kafka/port.ts'
import type { Clock } from '../runtime/clock.ts'
import { MaxbrodError } from '../runtime/errors.ts'
import { PartitionMap, partitionName } from '../runtime/topic-partition.ts'
import type { TopicPartition } from '../runtime/topic-partition.ts'
import { decodeCommitNote } from './commit-note.ts'
import type { BackupResult } from './result.ts'

/** What `--once` backs up: everything that was committed when it began. */
export interface OnceTargets {
  /** Last stable end of each partition at the start, and the incarnation of its topic. */
  readonly ends: PartitionMap<{ readonly end: number; readonly topicId: string | undefined }>
  readonly behindOpenTransaction: BackupResult['behindOpenTransaction']
}

const POLL_MS = 300

/** Captures the ends of all selected partitions. Throws for topics that may not be read: an end must not be forgotten. */
export async function captureTargets({ admin }: Kafka, selection: TopicSelection): Promise<OnceTargets> {
  const topics = (await admin.topics()).filter(topic => selection.matches(topic))
  const partitions = topics.flatMap(({ name, partitions: count }) =>
    Array.from({ length: count }, (_, partition) => ({ topic: name, partition })),
  )
  const [stable, watermarks] = await Promise.all([
    admin.offsets('last stable', partitions),
    admin.offsets('high watermark', partitions),
  ])
  for (const [partition, trouble] of stable.failed) {
    throw new MaxbrodError('KAFKA_GAVE_UP', `cannot tell where ${partitionName(partition)} ends: ${trouble}`, {
      ...partition,
    })
  }
  const behindOpenTransaction = [...stable.offsets].flatMap(([{ topic, partition }, end]) => {
    const records = (watermarks.offsets.get({ topic, partition }) ?? end) - end
    return records > 0 ? [{ topic, partition, records }] : []
  })
  const ids = new Map(topics.map(({ name, topicId }) => [name, topicId]))
  const ends = new PartitionMap(
    [...stable.offsets].map(([partition, end]) => [partition, { end, topicId: ids.get(partition.topic) }] as const),
  )
  return { ends, behindOpenTransaction }
}

/**
 * Resolves when the group has committed every target, whichever worker owns the partition, or when all that is missing are
 * partitions that stopped here. Rejects when the signal aborts.
 */
export async function targetsReached(
  { ends }: OnceTargets,
  { admin }: Kafka,
  groupId: string,
  clock: Clock,
  isStopped: (partition: TopicPartition) => boolean,
  signal: AbortSignal,
): Promise<void> {
  const left = new PartitionMap(ends)
  while (left.size > 0) {
    signal.throwIfAborted()
    const committed = await admin.committed(groupId, [...left.keys()])
    for (const [partition, target] of left) {
      if (isReached(committed.get(partition), target) || isStopped(partition)) left.delete(partition)
    }
    if (left.size > 0) await clock.sleep(POLL_MS, signal)
  }
}

/** A commit counts when it speaks of the same incarnation: offsets of a deleted topic stay in the group. */
function isReached(
  committed: CommittedOffset | undefined,
  { end, topicId }: { end: number; topicId: string | undefined },
): boolean {
  return committed !== undefined && committed.offset >= end && decodeCommitNote(committed.metadata)?.topicId === topicId
}
