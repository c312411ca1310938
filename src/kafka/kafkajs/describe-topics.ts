import { kafkaErrorName } from '../kafka-errors.ts'
import type { TopicDescription } from '../port/admin.ts'
import type { ClusterView } from './cluster-view.ts'

/** The named topics that exist, or all of them; fresh. */
export async function describeTopics(
  view: ClusterView,
  names: readonly string[] | undefined,
  signal?: AbortSignal,
): Promise<TopicDescription[]> {
  const { topics } = await view.metadata(names, signal)
  return topics
    .map(({ name, topicId, isInternal, partitions, errorCode }) => ({
      name,
      topicId: topicId ?? undefined,
      isInternal,
      partitions: partitions.length,
      replicationFactor: partitions[0]?.replicas.length ?? 0,
      error: kafkaErrorName(errorCode),
    }))
    .filter(({ error }) => error !== 'UNKNOWN_TOPIC_OR_PARTITION' && error !== 'INVALID_TOPIC_EXCEPTION')
}
