import { MaxbrodError } from '../../runtime/errors.ts'
import { partitionName } from '../../runtime/topic-partition.ts'
import type { TopicPartition } from '../../runtime/topic-partition.ts'
import type { LogBounds } from '../resume/resume.ts'

/** What to do about a position that the broker calls out of range. */
export type OutOfRange =
  /** Retention has passed it: everything up to `to` is gone. */
  | { readonly kind: 'gap'; readonly to: number }
  /** The broker does not know of the epoch that it was asked about, which is no fault of the offset. */
  | { readonly kind: 'unknown epoch' }
  /** The log has it: the next fetch will do. */
  | { readonly kind: 'nothing' }

/** Throws LOG_BEHIND_BACKUP when the log ends before the position. */
export function judgeOutOfRange(
  place: TopicPartition,
  position: number,
  lastEpoch: number,
  { logStart, highWatermark }: LogBounds,
): OutOfRange {
  if (position < logStart) return { kind: 'gap', to: logStart }
  if (position > highWatermark) {
    throw new MaxbrodError(
      'LOG_BEHIND_BACKUP',
      `${partitionName(place)} ends at ${highWatermark} and was read up to ${position}`,
      {
        ...place,
        hint: 'the partition lost records (an unclean leader election?): what the backup holds is safe; nothing is added until Kafka has passed it',
      },
    )
  }
  return { kind: lastEpoch >= 0 ? 'unknown epoch' : 'nothing' }
}
