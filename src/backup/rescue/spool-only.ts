import { partitionName } from '../../runtime/topic-partition.ts'
import type { TopicPartition } from '../../runtime/topic-partition.ts'

/** What was read of a topic and is in the spool only. */
export interface SpoolOnly extends TopicPartition {
  readonly from: number
  /** Undefined where that cannot be told. */
  readonly to: number | undefined
  /** At most so many; undefined where that cannot be told. */
  readonly records: number | undefined
  readonly reason: string
}

/** For people. */
export function saySpoolOnly({ topic, partition, from, to, records, reason }: SpoolOnly): string {
  const what = records === undefined ? 'what was read' : `${records} records`
  const where = to === undefined ? `from offset ${from} on` : `at the offsets ${from} … ${to - 1}`
  return `${partitionName({ topic, partition })}: the topic was deleted, and ${what} ${where} could not be uploaded: ${reason}`
}
