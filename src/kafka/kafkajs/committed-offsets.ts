import { PartitionMap } from '../../runtime/topic-partition.ts'
import type { TopicPartition } from '../../runtime/topic-partition.ts'
import { KafkaError, kafkaErrorName } from '../kafka-errors.ts'
import type { CommittedOffset } from '../port/admin.ts'
import { byTopic } from '../protocol/by-topic.ts'
import type { ClusterView } from './cluster-view.ts'
import { coordinatorOf } from './group-requests.ts'
import { kafkajsRequest } from './internals.ts'

/** What a group has committed for the partitions; see ClusterAdmin.committed. */
export async function committedOffsets(
  view: ClusterView,
  groupId: string,
  partitions: readonly TopicPartition[],
): Promise<PartitionMap<CommittedOffset>> {
  if (partitions.length === 0) return new PartitionMap() // an empty list would ask for all topics
  type Partition = { partition: number; offset: string; metadata: string | null; errorCode: number }
  type Answer = { errorCode: number; responses: { topic: string; partitions: Partition[] }[] }
  const topics = byTopic(partitions).map(([topic, of]) => ({ topic, partitions: of }))
  return view.ask(`ask what group ${groupId} has committed`, async () => {
    const connection = await coordinatorOf(view, groupId, 'admin')
    const answer = await connection.request(kafkajsRequest<Answer>('OffsetFetch', { groupId, topics }))
    const committed = new PartitionMap<CommittedOffset>()
    const failure = kafkaErrorName(answer.errorCode)
    if (failure !== undefined) throw new KafkaError(failure, 'OffsetFetch')
    for (const { topic, partitions: of } of answer.responses) {
      for (const { partition, offset, metadata, errorCode } of of) {
        const error = kafkaErrorName(errorCode)
        if (error !== undefined && error !== 'UNKNOWN_TOPIC_OR_PARTITION')
          throw new KafkaError(error, 'OffsetFetch', `${topic}-${partition}`)
        if (error === undefined && Number(offset) >= 0)
          committed.set({ topic, partition }, { offset: Number(offset), metadata: metadata ?? '' })
      }
    }
    return committed
  })
}
