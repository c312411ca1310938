import { grantOnTopic } from '../kafka/port/acl-command.ts'
import type { Trouble } from '../kafka/port/trouble.ts'
import { MaxbrodError } from '../runtime/errors.ts'
import { partitionName } from '../runtime/topic-partition.ts'
import { targetSpoiled } from './target-errors.ts'
import type { TargetPlace } from './target-errors.ts'

/** A batch that a leader refused. */
export interface RefusedBatch {
  readonly records: number
  /** Source offsets of its first and its last record. */
  readonly firstOffset: number
  readonly lastOffset: number
  /** Records of this restore that are in the target before it. */
  readonly count: number
  /** A batch at this place was called invalid before. */
  readonly isInvalidAgain: boolean
}

/** What a refusal asks for. */
export type RefusalVerdict =
  /** The log says what is there, now or in a moment. */
  | 'look again'
  | 'look again later'
  /** The target takes only smaller batches, or refuses a record among these. */
  | 'smaller'
  | MaxbrodError

/** What follows from the error with which a leader refused a batch. Pure. */
export function judgeRefusal(place: TargetPlace, batch: RefusedBatch, { name, kind }: Trouble): RefusalVerdict {
  const { topic, partition } = place
  const { records, firstOffset, lastOffset, count, isInvalidAgain } = batch
  const facts = { topic, partition, firstOffset, lastOffset, error: name }
  const which =
    records === 1
      ? `the record with source offset ${firstOffset}`
      : `a batch with source offsets ${firstOffset} to ${lastOffset}`
  const refused = (hint: string) =>
    new MaxbrodError('TARGET_REFUSED', `${partitionName(place)} refuses ${which}: ${name}`, { ...facts, hint })
  switch (kind) {
    case 'too large':
      if (records > 1) return 'smaller'
      return refused('raise max.message.bytes of the topic, then run restore --retry-quarantined')
    case 'invalid':
      // An executor that did not know yet that the plan has grown may have sealed the topic, which is opened before the
      // next attempt; or the bytes were damaged on their way.
      if (!isInvalidAgain) return 'look again'
      if (records > 1) return 'smaller' // until the one that is refused is alone, and all before it are there
      return refused(
        'see what the broker’s log says of it; for timestamps, message.timestamp.before.max.ms and .after.max.ms',
      )
    case 'denied':
      return new MaxbrodError('KAFKA_AUTH', `cannot write to ${partitionName(place)}: ${name}`, {
        ...facts,
        hint: `${grantOnTopic(['Write'], topic)}; old brokers want IdempotentWrite on the cluster, too`,
      })
    case 'fenced':
      return targetSpoiled(place, 'another producer took over its producer id', count)
    case 'sequence':
    case 'moved':
    case 'temporary':
      return 'look again later'
    default:
      return new MaxbrodError('KAFKA_PROTOCOL', `${partitionName(place)} refuses ${which}: ${name}`, facts)
  }
}
