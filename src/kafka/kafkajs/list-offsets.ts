import { isMaxbrodError } from '../../runtime/errors.ts'
import { PartitionMap, partitionName } from '../../runtime/topic-partition.ts'
import type { TopicPartition } from '../../runtime/topic-partition.ts'
import { KafkaError, isTemporary, kafkaErrorName } from '../kafka-errors.ts'
import type { KafkaErrorName } from '../kafka-errors.ts'
import type { OffsetKind, OffsetsAnswer } from '../port/admin.ts'
import {
  EARLIEST,
  EARLIEST_LOCAL,
  LATEST,
  LIST_LOCAL,
  LIST_OFFSETS,
  listOffsetsCall,
} from '../protocol/list-offsets.ts'
import type { ListedOffset } from '../protocol/list-offsets.ts'
import type { ClusterView } from './cluster-view.ts'
import { describeTopics } from './describe-topics.ts'

const QUERIES = {
  'log start': { timestamp: EARLIEST, asker: -1, isolation: 0 },
  'local log start': { timestamp: EARLIEST_LOCAL, asker: -1, isolation: 0 },
  'high watermark': { timestamp: LATEST, asker: -1, isolation: 0 },
  'last stable': { timestamp: LATEST, asker: -1, isolation: 1 },
  // Only consumers are kept below the high watermark; a debugging client is shown where the leader's log ends.
  'log end': { timestamp: LATEST, asker: -2, isolation: 0 },
} as const

const SINCE = { asker: -1, isolation: 0 } as const

/** What is asked for: an end of the log, or the first record since a time. */
type Query = OffsetKind | { readonly sinceMs: number }

/** One offset of each partition, asked from its leader; see ClusterAdmin.offsets. One broken broker does not touch the others. */
export async function listOffsets(
  view: ClusterView,
  kind: Query,
  partitions: readonly TopicPartition[],
): Promise<OffsetsAnswer> {
  const offsets = new PartitionMap<number>()
  const failed = new PartitionMap<KafkaErrorName>()
  const left = new PartitionMap(partitions.map(partition => [partition, true] as const))
  let isFirst = true
  const attempt = async () => {
    if (!isFirst || [...left.keys()].some(partition => view.leader(partition) === undefined))
      await view.metadata(topicsOf(left.keys()))
    isFirst = false
    for (const { topic, partition, errorCode, offset } of await askLeaders(view, kind, [...left.keys()], failed)) {
      const error = kafkaErrorName(errorCode)
      if (error === undefined) {
        offsets.set({ topic, partition }, offset)
        failed.delete({ topic, partition })
      } else failed.set({ topic, partition }, error)
      if (error === undefined || !isTemporary(error)) left.delete({ topic, partition })
    }
    await dropMissing(view, left, failed)
    const [first] = left.keys()
    if (first === undefined) return
    const detail = `${partitionName(first)}, one of ${left.size}`
    throw new KafkaError(failed.get(first) ?? 'UNKNOWN_SERVER_ERROR', 'ListOffsets', detail)
  }
  try {
    const what = typeof kind === 'string' ? kind : 'first offset since a time'
    await view.ask(`ask for the ${what} of ${partitions.length} partitions`, attempt)
  } catch (error) {
    // What the deadline has cut off is in `failed`, if there was any answer at all.
    if (!isMaxbrodError(error) || [...left.keys()].some(partition => !failed.has(partition))) throw error
  }
  return { offsets: new PartitionMap(offsets), failed: new PartitionMap(failed) }
}

/** Asks each leader for its partitions. What a broker does not answer is put into `failed`. */
async function askLeaders(
  view: ClusterView,
  kind: Query,
  partitions: readonly TopicPartition[],
  failed: PartitionMap<KafkaErrorName>,
): Promise<ListedOffset[]> {
  const byLeader = new Map<number, TopicPartition[]>()
  for (const partition of partitions) {
    const leader = view.leader(partition)
    if (leader === undefined) failed.set(partition, 'LEADER_NOT_AVAILABLE')
    else byLeader.set(leader.nodeId, [...(byLeader.get(leader.nodeId) ?? []), partition])
  }
  const listed = [...byLeader].map(async ([nodeId, of]) => {
    try {
      return await askLeader(view, kind, nodeId, of)
    } catch (error) {
      if (!(error instanceof KafkaError) || !isTemporary(error.error)) throw error
      for (const partition of of) failed.set(partition, error.error)
      return []
    }
  })
  return (await Promise.all(listed)).flat()
}

async function askLeader(
  view: ClusterView,
  kind: Query,
  nodeId: number,
  partitions: readonly TopicPartition[],
): Promise<ListedOffset[]> {
  const { timestamp, asker, isolation } =
    typeof kind === 'string' ? QUERIES[kind] : { ...SINCE, timestamp: kind.sinceMs }
  const connection = view.connection(nodeId, 'admin')
  const { apiKey, newest, oldest } = LIST_OFFSETS
  const version = (await connection.version(apiKey, newest, oldest)) ?? oldest
  // Before brokers could tell it, there was no other storage than the local one.
  const asked = timestamp === EARLIEST_LOCAL && version < LIST_LOCAL ? EARLIEST : timestamp
  const wanted = partitions.map(partition => ({ ...partition, timestamp: asked }))
  return connection.send(listOffsetsCall(version, asker, isolation, wanted))
}

/** Partitions of topics that do not exist are no temporary trouble: they have failed. */
async function dropMissing(
  view: ClusterView,
  left: PartitionMap<true>,
  failed: PartitionMap<KafkaErrorName>,
): Promise<void> {
  const unsure = [...left.keys()].filter(partition =>
    ['UNKNOWN_TOPIC_OR_PARTITION', 'LEADER_NOT_AVAILABLE'].includes(failed.get(partition) ?? ''),
  )
  if (unsure.length === 0) return
  const existing = new Map((await describeTopics(view, topicsOf(unsure))).map(topic => [topic.name, topic]))
  for (const partition of unsure) {
    const topic = existing.get(partition.topic)
    if (topic?.error === undefined && partition.partition < (topic?.partitions ?? 0)) continue
    failed.set(partition, topic?.error ?? 'UNKNOWN_TOPIC_OR_PARTITION')
    left.delete(partition)
  }
}

function topicsOf(partitions: Iterable<TopicPartition>): string[] {
  return [...new Set([...partitions].map(({ topic }) => topic))]
}
