import { RecordBatch } from '../format/batch/record-batch.ts'
import type { TailRecord } from '../kafka/tail.ts'
import { targetSpoiled } from './target-errors.ts'
import type { TargetPlace } from './target-errors.ts'

const WHY = 'something set message.timestamp.type=LogAppendTime (an operator?)'

/**
 * Throws TARGET_SPOILED when the broker gave an acknowledged batch, behind `count` records, another time than its own: configs are
 * looked at once a minute, and in between somebody may set them back. A repeat is answered with the newest time of what is there.
 */
export function checkTimes(place: TargetPlace, appendTime: bigint | undefined, batch: Buffer, count: number): void {
  if (appendTime === undefined || appendTime === new RecordBatch(batch, 0, batch.length).maxTimestamp) return
  throw targetSpoiled(place, 'the broker gave records the time of the restore', count, WHY)
}

/** The same for the last one of `count` records: whoever put it there may have ended before anything came of the answer. */
export function checkTailTime(place: TargetPlace, last: TailRecord | undefined, count: number): void {
  if (last?.sourceOffset === undefined || !last.isAppendTime) return
  throw targetSpoiled(place, 'its last record has the time of the restore', count - 1, WHY)
}
