import { MaxbrodError } from '../runtime/errors.ts'
import { partitionName } from '../runtime/topic-partition.ts'
import type { TopicPartition } from '../runtime/topic-partition.ts'

/** A target partition, and where the restore began in it. */
export interface TargetPlace extends TopicPartition {
  readonly baseOffset: number
}

const STRANGER = 'another producer wrote to it, or a late copy arrived'

/** The target holds something else than this restore put there, beginning with the n-th record of the restore. */
export function targetSpoiled(place: TargetPlace, reason: string, record: number, why = STRANGER): MaxbrodError {
  const { topic, partition, baseOffset } = place
  const offset = baseOffset + record
  return new MaxbrodError('TARGET_SPOILED', `${partitionName(place)} is spoiled from offset ${offset} on: ${reason}`, {
    topic,
    partition,
    offset,
    hint: `${why}: restore this topic again under another name`,
  })
}

/** Throws TARGET_LOSING when the beginning of a target was deleted. `logEnd` where it is known: there may be nothing left. */
export function checkLogStart(place: TargetPlace, logStart: number, logEnd?: number): void {
  const { topic, partition, baseOffset } = place
  if (logStart <= baseOffset) return
  throw new MaxbrodError(
    'TARGET_LOSING',
    `${partitionName(place)} now begins at ${logStart}, and the restore began at ${baseOffset}`,
    {
      topic,
      partition,
      hint:
        logStart === logEnd
          ? 'it is empty: if that was meant, plan again with --restart-plan; if not, set retention.ms=-1 first'
          : 'something deletes records: set retention.ms=-1 and retention.bytes=-1, then restore into a new topic',
    },
  )
}

/** A log that is looked at again and again, and takes nothing: time may heal it. */
export function takesNothing({ topic, partition }: TopicPartition, trouble: string): MaxbrodError {
  return new MaxbrodError('KAFKA_GAVE_UP', `${partitionName({ topic, partition })} takes no records: ${trouble}`, {
    topic,
    partition,
    hint: 'check the leader and the in-sync replicas of the partition',
  })
}
