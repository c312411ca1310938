import type { Kafka } from '../kafka/port.ts'
import type { TopicPartition } from '../runtime/topic-partition.ts'
import type { Configs } from './final-configs.ts'

/** What the broker will begin to delete once a topic has its own configs again. */
export interface Expiry {
  /** By partition: records that are older than `retention.ms`. */
  readonly expired: readonly (TopicPartition & { readonly records: number })[]
  /** What else its configs do to restored records, in words. */
  readonly remarks: readonly string[]
}

/**
 * Tells what a topic loses under the configs that it is about to get. Brokers delete whole segments, so that records stay
 * until the youngest of their segment is old enough; in the end all that is counted here goes.
 */
export async function predictExpiry(
  kafka: Kafka,
  partitions: readonly TopicPartition[],
  configs: Configs,
  nowMs: number,
): Promise<Expiry> {
  const policy = configs.get('cleanup.policy') ?? 'delete'
  const retentionMs = Number(configs.get('retention.ms') ?? -1)
  const retentionBytes = Number(configs.get('retention.bytes') ?? -1)
  const isDeleting = policy.split(',').includes('delete')
  const remarks = [
    ...(policy.split(',').includes('compact') ? ['compaction will keep the latest record of each key'] : []),
    ...(isDeleting && retentionBytes >= 0
      ? [`the oldest segments of partitions larger than ${retentionBytes} bytes will be deleted`]
      : []),
  ]
  if (!isDeleting || retentionMs < 0) return { expired: [], remarks }
  return { expired: await olderThan(kafka, partitions, nowMs - retentionMs), remarks }
}

async function olderThan(
  kafka: Kafka,
  partitions: readonly TopicPartition[],
  timeMs: number,
): Promise<Expiry['expired']> {
  const [starts, ends, young] = await Promise.all([
    kafka.admin.offsets('log start', partitions),
    kafka.admin.offsets('high watermark', partitions),
    kafka.admin.offsetsSince(timeMs, partitions),
  ])
  return partitions.flatMap(({ topic, partition }) => {
    const where = { topic, partition }
    const start = starts.offsets.get(where) ?? 0
    const first = young.offsets.get(where) ?? -1
    const records = (first < 0 ? (ends.offsets.get(where) ?? 0) : first) - start
    return records > 0 ? [{ ...where, records }] : []
  })
}
