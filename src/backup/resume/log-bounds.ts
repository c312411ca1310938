import { grantOnTopic } from '../../kafka/port/acl-command.ts'
import type { Kafka } from '../../kafka/port.ts'
import { MaxbrodError } from '../../runtime/errors.ts'
import { PartitionMap, partitionName } from '../../runtime/topic-partition.ts'
import type { TopicPartition } from '../../runtime/topic-partition.ts'
import type { LogBounds } from './resume.ts'

/** Where the logs of partitions begin and end for readers; for those that the cluster cannot tell of, the reason. */
export async function readLogBounds(
  { admin }: Kafka,
  partitions: readonly TopicPartition[],
): Promise<PartitionMap<LogBounds | MaxbrodError>> {
  const [starts, ends] = await Promise.all([
    admin.offsets('log start', partitions),
    admin.offsets('high watermark', partitions),
  ])
  const bounds = new PartitionMap<LogBounds | MaxbrodError>()
  for (const partition of partitions) {
    const logStart = starts.offsets.get(partition)
    const highWatermark = ends.offsets.get(partition)
    if (logStart !== undefined && highWatermark !== undefined) bounds.set(partition, { logStart, highWatermark })
    else bounds.set(partition, unknownOffset(partition, starts.failed.get(partition) ?? ends.failed.get(partition)))
  }
  return bounds
}

/** The error for a partition that the cluster does not tell the offsets of. */
export function unknownOffset(partition: TopicPartition, reason = 'no answer'): MaxbrodError {
  const message = `cannot tell where ${partitionName(partition)} begins and ends: ${reason}`
  if (reason !== 'TOPIC_AUTHORIZATION_FAILED') return new MaxbrodError('KAFKA_GAVE_UP', message, { ...partition })
  const hint = grantOnTopic(['Read', 'Describe'], partition.topic)
  return new MaxbrodError('KAFKA_AUTH', message, { ...partition, hint })
}
