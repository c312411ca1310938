import { MaxbrodError } from '../runtime/errors.ts'

/**
 * The error for a plan partition whose first records are gone: without them nobody can tell which files come first, nor where
 * the targets began. `start` is the first offset that is left.
 */
export function beginningGone(planTopic: string, partition: number, start: number): MaxbrodError {
  return new MaxbrodError(
    'PLAN_CORRUPT',
    `${planTopic}-${partition} begins at offset ${start}: the records of the plan before it were deleted, by retention.ms or retention.bytes of the topic or by DeleteRecords`,
    {
      topic: planTopic,
      partition,
      offset: start,
      hint: 'delete or empty the targets that were begun, and run maxbrod plan with a new --plan-topic: in a topic that it creates nothing expires',
    },
  )
}
