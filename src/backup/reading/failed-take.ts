import { isMaxbrodError } from '../../runtime/errors.ts'

/**
 * What becomes of a partition that could not take an answer. `ask again`: the next one leads here again. `stop reading`: what
 * was read up to here is sound, and is kept. `stop`: it ends where it stands.
 */
export type AfterFailedTake = 'ask again' | 'stop reading' | 'stop'

export function afterFailedTake(error: unknown): AfterFailedTake {
  // The cluster could not be asked.
  if (isMaxbrodError(error, 'KAFKA_GAVE_UP', 'KAFKA_UNREACHABLE')) return 'ask again'
  // The next worker would come no further either.
  if (isMaxbrodError(error, 'KAFKA_AUTH', 'BATCH_CORRUPT', 'BATCH_MAGIC')) return 'stop reading'
  return 'stop'
}
