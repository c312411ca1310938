import { isMaxbrodError } from '../runtime/errors.ts'

/**
 * What becomes of a partition that could not be started, or whose upload failed. `wait`: time may heal it, so it is tried again
 * for as long as the partition is ours. `stop`: the partition cannot go on, the others do. `give up`: the worker ends, and
 * Kafka still has what was read. `end the worker`: nothing can be backed up without it.
 */
export type TroubleVerdict = 'wait' | 'stop' | 'give up' | 'end the worker'

export interface TroubleFacts {
  /** With `--once`, which gives up where a worker would go on for ever. */
  readonly isOnce: boolean
  readonly isStopping: boolean
}

export function judgeTrouble(error: unknown, { isOnce, isStopping }: TroubleFacts): TroubleVerdict {
  const isOurs = isMaxbrodError(error, 'STORAGE_UNREACHABLE', 'STORAGE_AUTH', 'STORAGE_REFUSED', 'DISK')
  const isKafkas = isMaxbrodError(error, 'KAFKA_GAVE_UP', 'KAFKA_UNREACHABLE')
  if (!isOurs && !isKafkas) return 'stop'
  // Without the store nothing can be backed up; a partition without a leader is one of many.
  if (isOnce) return isKafkas ? 'stop' : 'end the worker'
  return isStopping ? 'give up' : 'wait'
}
