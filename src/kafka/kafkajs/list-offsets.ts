import { MaxbrodError } from '../../runtime/errors.ts'
import { PartitionMap } from '../../runtime/topic-partition.ts'
import type { TopicPartition } from '../../runtime/topic-partition.ts'
import { KafkaError, isTemporary, kafkaErrorName } from '../kafka-errors.ts'
import type { KafkaErrorName } from '../kafka-errors.ts'
import type { OffsetKind, OffsetsAnswer } from '../port.ts'
import { EARLIEST, LATEST, LIST_OFFSETS, listOffsetsCall } from '../protocol/list-offsets.ts'
import type { ClusterView } from './cluster-view.ts'
import { describeTopics } from './describe-topics.ts'

const QUERIES = {
  'log start': { timestamp: EARLIEST, asker: -1, isolation: 0 },
  'high watermark': { timestamp: LATEST, asker: -1, isolation: 0 },
  'last stable': { timestamp: LATEST, asker: -1, isolation: 1 },
  // Only consumers are kept below the high watermark; a debugging client is shown where the leader's log ends.
  'log end': { timestamp: LATEST, asker: -2, isolation: 0 },
} as const

/** One offset of each partition, asked from its leader; see ClusterAdmin.offsets. */
export async function listOffsets(
  view: ClusterView,
  kind: OffsetKind,
  partitions: readonly TopicPartition[],
): Promise<OffsetsAnswer> {
  const { timestamp, asker, isolation } = QUERIES[kind]
  const offsets = new PartitionMap<number>()
  const failed = new PartitionMap<KafkaErrorName>()
  const left = new PartitionMap(partitions.map(partition => [partition, partition]))
  let isFirst = true
  const attempt = async () => {
    const topics = [...new Set([...left.keys()].map(({ topic }) => topic))]
    if (!isFirst || [...left.keys()].some(partition => view.leader(partition) === undefined))
      await view.metadata(topics)
    isFirst = false
    const byLeader = new Map<number, TopicPartition[]>()
    for (const partition of left.keys()) {
      const nodeId = view.leader(partition)?.nodeId ?? -1
      byLeader.set(nodeId, [...(byLeader.get(nodeId) ?? []), partition])
    }
    for (const partition of byLeader.get(-1) ?? []) failed.set(partition, 'LEADER_NOT_AVAILABLE')
    byLeader.delete(-1)
    const asked = [...byLeader].map(async ([nodeId, of]) => {
      const connection = view.connection(nodeId, 'admin')
      const version =
        (await connection.version(LIST_OFFSETS.apiKey, LIST_OFFSETS.newest, LIST_OFFSETS.oldest)) ?? LIST_OFFSETS.oldest
      return connection.send(
        listOffsetsCall(
          version,
          asker,
          isolation,
          of.map(partition => ({ ...partition, timestamp })),
        ),
      )
    })
    const settled = await Promise.allSettled(asked)
    for (const { topic, partition, errorCode, offset } of settled.flatMap(one =>
      one.status === 'fulfilled' ? one.value : [],
    )) {
      const error = kafkaErrorName(errorCode)
      if (error === undefined) {
        offsets.set({ topic, partition }, offset)
        failed.delete({ topic, partition })
        left.delete({ topic, partition })
      } else {
        failed.set({ topic, partition }, error)
        if (!isTemporary(error)) left.delete({ topic, partition })
      }
    }
    const broken = settled.find(one => one.status === 'rejected')
    if (broken !== undefined) throw broken.reason
    await dropMissing(view, left, failed)
    if (left.size > 0)
      throw new KafkaError(
        [...failed.values()][0] ?? 'UNKNOWN_SERVER_ERROR',
        'ListOffsets',
        `of ${left.size} partitions`,
      )
  }
  try {
    await view.ask(`ask for the ${kind} of ${partitions.length} partitions`, attempt)
  } catch (error) {
    if (!(error instanceof MaxbrodError) || offsets.size + failed.size < partitions.length) throw error
  }
  return { offsets, failed }
}

/** Partitions of topics that do not exist are no temporary trouble: they have failed. */
async function dropMissing(
  view: ClusterView,
  left: PartitionMap<TopicPartition>,
  failed: PartitionMap<KafkaErrorName>,
): Promise<void> {
  const unsure = [...left.keys()].filter(partition =>
    ['UNKNOWN_TOPIC_OR_PARTITION', 'LEADER_NOT_AVAILABLE'].includes(failed.get(partition) ?? ''),
  )
  if (unsure.length === 0) return
  const existing = await describeTopics(view, [...new Set(unsure.map(({ topic }) => topic))])
  for (const { topic, partition } of unsure) {
    if (existing.some(one => one.name === topic && partition < one.partitions)) continue
    failed.set({ topic, partition }, 'UNKNOWN_TOPIC_OR_PARTITION')
    left.delete({ topic, partition })
  }
}
