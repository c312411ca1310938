import type { ConfigEntry } from '../../kafka/port/admin.ts'
import type { Kafka } from '../../kafka/port.ts'
import type { TopicPartition } from '../../runtime/topic-partition.ts'

/** After which time a topic's records are deleted, in ms; undefined for never. Limits of size say nothing of time. */
export function retentionMs(configs: readonly Pick<ConfigEntry, 'name' | 'value'>[]): number | undefined {
  const valueOf = (name: string) => configs.find(config => config.name === name)?.value ?? ''
  const retention = Number(valueOf('retention.ms'))
  return valueOf('cleanup.policy').split(',').includes('delete') && retention > 0 ? retention : undefined
}

/** How long until retention takes a record; below 0 when Kafka may delete it at any moment. */
export function headroomMs(timestampMs: number, retention: number, nowMs: number): number {
  return timestampMs + retention - nowMs
}

/** The timestamp of the first record from `from` on, in ms; undefined when there is none below `end`. */
export async function firstTimestamp(
  kafka: Pick<Kafka, 'readRecords'>,
  where: TopicPartition,
  from: number,
  end: number,
  signal: AbortSignal,
): Promise<number | undefined> {
  for await (const { timestamp } of kafka.readRecords(where, from, end, signal)) return Number(timestamp)
  return undefined
}
