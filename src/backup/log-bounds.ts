import type { Kafka } from '../kafka/port.ts'
import { MaxbrodError } from '../runtime/errors.ts'
import { partitionName } from '../runtime/topic-partition.ts'
import type { TopicPartition } from '../runtime/topic-partition.ts'
import type { LogBounds } from './resume.ts'

/** Where a partition's log begins and ends for readers. Throws KAFKA_GAVE_UP when the cluster cannot tell. */
export async function readLogBounds({ admin }: Kafka, { topic, partition }: TopicPartition): Promise<LogBounds> {
  const where = { topic, partition }
  const [starts, ends] = await Promise.all([
    admin.offsets('log start', [where]),
    admin.offsets('high watermark', [where]),
  ])
  const logStart = starts.offsets.get(where)
  const highWatermark = ends.offsets.get(where)
  if (logStart !== undefined && highWatermark !== undefined) return { logStart, highWatermark }
  const reason = starts.failed.get(where) ?? ends.failed.get(where) ?? 'no answer'
  throw new MaxbrodError('KAFKA_GAVE_UP', `cannot tell where ${partitionName(where)} begins and ends: ${reason}`, {
    ...where,
  })
}
